//! A plan as one page: the jobs with their steps, what passes between them, and where it breaks.
//!
//! The page needs nothing but itself: no script, no network, light and dark by the reader's setting.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::handoff::{End, Handoff, Kind};
use super::{Course, JobCourse, State};

const BOX_WIDTH: usize = 330;
const BOX_GAP: usize = 150;
const ROW: usize = 22;
const HEAD: usize = 46;
const FOOT: usize = 6;
const BOX_SPACE: usize = 28;
const MARGIN: usize = 16;
const TITLE_LENGTH: usize = 40;

const STYLE: &str = "
:root { color-scheme: light dark; --ground: #fff; --ink: #1f2328; --faint: #6e7781; --line: #d0d7de; --box: #f6f8fa;
  --good: #1a7f37; --bad: #cf222e; --warn: #9a6700; --link: #0969da; }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --ink: #e6edf3; --faint: #8d96a0; --line: #30363d;
  --box: #161b22; --good: #3fb950; --bad: #f85149; --warn: #d29922; --link: #4493f8; } }
body { margin: 2rem auto; max-width: 90rem; padding: 0 1rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
code, svg text { font-family: ui-monospace, monospace; } a { color: var(--link); }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem .9rem .2rem 0; vertical-align: top; }
.graph { overflow-x: auto; } .bad { color: var(--bad); } .good { color: var(--good); } .faint { color: var(--faint); }
svg text { font-size: 12px; fill: var(--ink); } svg .faint { fill: var(--faint); } svg .bad { fill: var(--bad); }
svg .good { fill: var(--good); } svg .warn { fill: var(--warn); } svg .title { font-size: 13px; font-weight: 600; }
rect { fill: var(--box); stroke: var(--line); } rect.bad { stroke: var(--bad); stroke-width: 2; fill: var(--box); }
rect.off { stroke-dasharray: 4 3; } path { fill: none; stroke: var(--faint); stroke-width: 1.5; }
path.need { stroke: var(--line); } path.broken { stroke: var(--bad); stroke-width: 2.5; stroke-dasharray: 7 4; }
.tip { fill: var(--faint); stroke: none; } .tip.broken { fill: var(--bad); }
";

/// The page for the courses of a workflow.
#[must_use]
pub fn page(workflow: &str, courses: &[Course]) -> String {
    let title = escaped(workflow);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    );
    if courses.len() > 1 {
        overview(&mut out, courses);
    }
    for (number, course) in courses.iter().enumerate() {
        section(&mut out, number, course);
    }
    out.push_str("</body></html>\n");
    out
}

/// One row for each course.
fn overview(out: &mut String, courses: &[Course]) {
    out.push_str("<table><tr><th>event</th><th>hand-off</th><th>jobs</th></tr>\n");
    for (number, course) in courses.iter().enumerate() {
        let (class, verdict) = match (&course.not_started, course.breaks.len()) {
            (Some(_), _) => ("faint", "not started".to_owned()),
            (None, 0) => ("good", "holds".to_owned()),
            (None, 1) => ("bad", "breaks in 1 place".to_owned()),
            (None, count) => ("bad", format!("breaks in {count} places")),
        };
        let running = course
            .jobs
            .iter()
            .filter(|job| !matches!(job.state, State::Skipped | State::Blocked));
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "<tr><td><a href=\"#course-{number}\">{}</a></td><td class=\"{class}\">{verdict}</td><td>{} of {} run</td></tr>",
            escaped(&course.event),
            running.count(),
            course.jobs.len()
        );
    }
    out.push_str("</table>\n");
}

fn section(out: &mut String, number: usize, course: &Course) {
    let _ = writeln!(
        out,
        "<section id=\"course-{number}\"><h2>{}</h2>",
        escaped(&course.event)
    );
    if let Some(reason) = &course.not_started {
        let _ = writeln!(
            out,
            "<p class=\"faint\">not started: {}</p></section>",
            escaped(reason)
        );
        return;
    }
    for broken in &course.breaks {
        let case = broken
            .case
            .as_ref()
            .map_or_else(String::new, |case| format!(" ({case})"));
        let _ = writeln!(
            out,
            "<p class=\"bad\">line {}: {}{}</p>",
            broken.line,
            escaped(&broken.message),
            escaped(&case)
        );
    }
    graph(out, course);
    names(out, course);
    out.push_str("</section>\n");
}

fn names(out: &mut String, course: &Course) {
    if course.images.is_empty() && course.artifacts.is_empty() {
        return;
    }
    out.push_str("<table>");
    for image in &course.images {
        let place = image.place();
        let _ = writeln!(
            out,
            "<tr><td>image</td><td><code>{}</code></td><td>{place}, job {}</td></tr>",
            escaped(&image.reference),
            escaped(&image.job)
        );
    }
    for artifact in &course.artifacts {
        let jobs = |jobs: &[String]| match jobs {
            [] => "never".to_owned(),
            jobs => escaped(&jobs.join(", ")),
        };
        let _ = writeln!(
            out,
            "<tr><td>artifact</td><td><code>{}</code></td><td>uploaded by {}, downloaded by {}</td></tr>",
            escaped(&artifact.name),
            jobs(&artifact.uploaded_by),
            jobs(&artifact.downloaded_by)
        );
    }
    out.push_str("</table>\n");
}

/// Where a job's box stands.
#[derive(Clone, Copy)]
struct Spot {
    x: usize,
    y: usize,
    height: usize,
}

fn graph(out: &mut String, course: &Course) {
    let spots = layout(&course.jobs);
    let width = spots
        .iter()
        .map(|spot| spot.x + BOX_WIDTH)
        .max()
        .unwrap_or(0)
        + BOX_GAP
        + MARGIN;
    let height = spots
        .iter()
        .map(|spot| spot.y + spot.height)
        .max()
        .unwrap_or(0)
        + MARGIN;
    let _ = writeln!(
        out,
        "<div class=\"graph\"><svg width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"jobs and hand-offs\">"
    );
    for (job, spot) in course.jobs.iter().zip(&spots) {
        need_edges(out, course, job, *spot, &spots);
    }
    for (job, spot) in course.jobs.iter().zip(&spots) {
        job_box(out, job, *spot);
    }
    for (number, handoff) in course.handoffs.iter().enumerate() {
        handoff_edge(out, course, handoff, number, &spots);
    }
    out.push_str("</svg></div>\n");
}

/// Jobs in columns: each stands behind those it needs.
fn layout(jobs: &[JobCourse]) -> Vec<Spot> {
    let mut columns: BTreeMap<&str, usize> = BTreeMap::new();
    let mut bottoms: BTreeMap<usize, usize> = BTreeMap::new();
    let mut spots = Vec::with_capacity(jobs.len());
    for job in jobs {
        let needs = job
            .needs
            .iter()
            .filter_map(|need| columns.get(need.as_str()));
        let column = needs.max().map_or(0, |before| before + 1);
        columns.insert(&job.key, column);
        let y = bottoms.entry(column).or_insert(MARGIN);
        let height = HEAD + ROW * job.steps.len() + FOOT;
        spots.push(Spot {
            x: MARGIN + column * (BOX_WIDTH + BOX_GAP),
            y: *y,
            height,
        });
        *y += height + BOX_SPACE;
    }
    spots
}

fn need_edges(out: &mut String, course: &Course, job: &JobCourse, spot: Spot, spots: &[Spot]) {
    for need in &job.needs {
        let needed = course.jobs.iter().position(|other| other.key == *need);
        if let Some(from) = needed.and_then(|at| spots.get(at)) {
            let start = (from.x + BOX_WIDTH, from.y + HEAD / 2);
            let _ = writeln!(
                out,
                "<path class=\"need\" d=\"{}\"/>",
                curve(start, (spot.x, spot.y + HEAD / 2))
            );
        }
    }
}

fn curve((x1, y1): (usize, usize), (x2, y2): (usize, usize)) -> String {
    let bend = BOX_GAP / 2;
    if x2 > x1 {
        format!(
            "M{x1} {y1} C{} {y1} {} {y2} {x2} {y2}",
            x1 + bend,
            x2.saturating_sub(bend)
        )
    } else {
        // Inside one column the way goes round at the right.
        let far = x1.max(x2) + bend;
        format!("M{x1} {y1} C{far} {y1} {far} {y2} {x2} {y2}")
    }
}

fn job_box(out: &mut String, job: &JobCourse, spot: Spot) {
    let class = match job.state {
        State::Fails | State::MayFail => "bad",
        State::Skipped | State::Blocked => "off",
        State::Runs | State::Depends => "",
    };
    let Spot { x, y, height } = spot;
    let _ = writeln!(
        out,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{height}\" rx=\"6\"/>\n\
         <text class=\"title\" x=\"{}\" y=\"{}\">{}<title>{}</title></text>\
         <text class=\"{}\" x=\"{}\" y=\"{}\">{}<title>{}</title></text>",
        x + 10,
        y + 19,
        shortened(&job.id),
        escaped(&job.id),
        tone(job.state),
        x + 10,
        y + 36,
        shortened(&format!("{} {}", word(job.state), job.reason)),
        escaped(&job.reason),
    );
    for (number, step) in job.steps.iter().enumerate() {
        let baseline = y + HEAD + ROW * number + 15;
        let _ = writeln!(
            out,
            "<text class=\"{}\" x=\"{}\" y=\"{baseline}\">{}</text><text x=\"{}\" y=\"{baseline}\">{}<title>line {}: {} {}</title></text>",
            tone(step.state),
            x + 10,
            mark(step.state),
            x + 28,
            shortened(&step.title),
            step.line,
            escaped(&step.title),
            escaped(&step.detail),
        );
    }
}

fn handoff_edge(
    out: &mut String,
    course: &Course,
    handoff: &Handoff,
    number: usize,
    spots: &[Spot],
) {
    let Some((end_job, to)) = row(course, &handoff.to, spots) else {
        return;
    };
    let class = if handoff.broken { "broken" } else { "" };
    let kind = match handoff.kind {
        Kind::Image => "image",
        Kind::Artifact => "artifact",
    };
    let title = format!("{kind} {}", handoff.name);
    let start = handoff
        .from
        .as_ref()
        .and_then(|from| row(course, from, spots));
    // Of a job that shows no steps there is nothing to see inside.
    if start.is_some_and(|start| start == (end_job, to)) {
        return;
    }
    let (path, tip) = match start {
        Some((start_job, from)) if start_job == end_job || from.0 >= to.0 => {
            // Arcs on the right of the box, each a little further out.
            let far = from.0.max(to.0) + BOX_WIDTH + 24 + 14 * (number % 6);
            let (x1, x2) = (from.0 + BOX_WIDTH, to.0 + BOX_WIDTH);
            let path = format!(
                "M{x1} {} C{far} {} {far} {} {x2} {}",
                from.1, from.1, to.1, to.1
            );
            (path, (x2, to.1, true))
        }
        Some((_, from)) => {
            let path = curve((from.0 + BOX_WIDTH, from.1), (to.0, to.1));
            (path, (to.0, to.1, false))
        }
        None => {
            let x = to.0 + BOX_WIDTH;
            let path = format!("M{} {} L{x} {}", x + 60, to.1, to.1);
            (path, (x, to.1, true))
        }
    };
    let (x, y, from_right) = tip;
    let back = if from_right {
        x + 8
    } else {
        x.saturating_sub(8)
    };
    let _ = writeln!(
        out,
        "<g><path class=\"{class}\" d=\"{path}\"/><polygon class=\"tip {class}\" points=\"{x},{y} {back},{} {back},{}\"/><title>{}{}</title></g>",
        y.saturating_sub(4),
        y + 4,
        escaped(&title),
        if handoff.broken { ": broken" } else { "" },
    );
}

/// The job's number and the place of a step's row: the left edge and the middle.
fn row(course: &Course, end: &End, spots: &[Spot]) -> Option<(usize, (usize, usize))> {
    let at = course.jobs.iter().position(|job| job.key == end.job)?;
    let (job, spot) = (course.jobs.get(at)?, spots.get(at)?);
    let y = match job.steps.iter().position(|step| step.line == end.line) {
        Some(step) => spot.y + HEAD + ROW * step + ROW / 2,
        None => spot.y + HEAD / 2,
    };
    Some((at, (spot.x, y)))
}

fn tone(state: State) -> &'static str {
    match state {
        State::Runs => "good",
        State::Depends => "warn",
        State::Fails | State::MayFail => "bad",
        State::Skipped | State::Blocked => "faint",
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Runs => "runs",
        State::Depends => "depends:",
        State::Fails => "FAILS",
        State::MayFail => "may fail",
        State::Skipped => "skipped:",
        State::Blocked => "never:",
    }
}

fn mark(state: State) -> &'static str {
    match state {
        State::Runs => "✓",
        State::Depends => "?",
        State::Fails | State::MayFail => "✗",
        State::Skipped => "–",
        State::Blocked => "·",
    }
}

fn shortened(text: &str) -> String {
    let mut characters = text.trim().chars();
    let mut short: String = characters.by_ref().take(TITLE_LENGTH).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    escaped(&short)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}
