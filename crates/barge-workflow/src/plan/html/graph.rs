//! The drawing: a box for each job with its steps, curves for what one needs of another and hands on.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::super::handoff::{End, Handoff, Kind};
use super::super::{Course, JobCourse, State};

const BOX_WIDTH: usize = 330;
const BOX_GAP: usize = 150;
const ROW: usize = 22;
const HEAD: usize = 46;
const FOOT: usize = 6;
const BOX_SPACE: usize = 28;
const MARGIN: usize = 16;
const TITLE_LENGTH: usize = 40;

/// Where a job's box stands.
#[derive(Clone, Copy)]
struct Spot {
    x: usize,
    y: usize,
    height: usize,
}

/// The drawing of a course.
pub(super) fn graph(course: &Course) -> Markup {
    let spots = layout(&course.jobs);
    let right = spots.iter().map(|spot| spot.x + BOX_WIDTH).max();
    let bottom = spots.iter().map(|spot| spot.y + spot.height).max();
    let (width, height) = (
        right.unwrap_or(0) + BOX_GAP + MARGIN,
        bottom.unwrap_or(0) + MARGIN,
    );
    html! {
        div.graph {
            svg width=(width) height=(height) role="img" aria-label="jobs and hand-offs" {
                @for (job, spot) in course.jobs.iter().zip(&spots) { (need_edges(course, job, *spot, &spots)) }
                @for (job, spot) in course.jobs.iter().zip(&spots) { (job_box(job, *spot)) }
                @for (number, handoff) in course.handoffs.iter().enumerate() {
                    (handoff_edge(course, handoff, number, &spots))
                }
            }
        }
    }
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

fn need_edges(course: &Course, job: &JobCourse, spot: Spot, spots: &[Spot]) -> Markup {
    let position = |need: &String| course.jobs.iter().position(|other| other.key == *need);
    let needed = job.needs.iter().filter_map(position);
    let to = (spot.x, spot.y + HEAD / 2);
    html! {
        @for from in needed.filter_map(|at| spots.get(at)) {
            path.need d=(curve((from.x + BOX_WIDTH, from.y + HEAD / 2), to)) {}
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

fn job_box(job: &JobCourse, spot: Spot) -> Markup {
    let class = match job.state {
        State::Fails | State::MayFail => "bad",
        State::Skipped | State::Blocked => "off",
        State::Runs | State::Depends => "",
    };
    let Spot { x, y, height } = spot;
    let state = format!("{} {}", word(job.state), job.reason);
    html! {
        rect class=(class) x=(x) y=(y) width=(BOX_WIDTH) height=(height) rx="6" {}
        text.title x=(x + 10) y=(y + 19) { (shortened(&job.id)) title { (job.id) } }
        text class=(tone(job.state)) x=(x + 10) y=(y + 36) { (shortened(&state)) title { (job.reason) } }
        @for (number, step) in job.steps.iter().enumerate() {
            @let baseline = y + HEAD + ROW * number + 15;
            text class=(tone(step.state)) x=(x + 10) y=(baseline) { (mark(step.state)) }
            text x=(x + 28) y=(baseline) {
                (shortened(&step.title))
                title { "line " (step.line) ": " (step.title) " " (step.detail) }
            }
        }
    }
}

/// The line of a hand-off and the tip of its arrow: the point, and whether it is reached from the right.
type Line = (String, (usize, usize, bool));

fn handoff_edge(course: &Course, handoff: &Handoff, number: usize, spots: &[Spot]) -> Markup {
    let Some((path, (x, y, from_right))) = line(course, handoff, number, spots) else {
        return html! {};
    };
    let class = if handoff.broken { "broken" } else { "" };
    let kind = match handoff.kind {
        Kind::Image => "image",
        Kind::Artifact => "artifact",
    };
    let back = if from_right {
        x + 8
    } else {
        x.saturating_sub(8)
    };
    let (above, below) = (y.saturating_sub(4), y + 4);
    html! {
        g {
            path class=(class) d=(path) {}
            polygon.tip.(class) points=(format!("{x},{y} {back},{above} {back},{below}")) {}
            title { (kind) " " (handoff.name) @if handoff.broken { ": broken" } }
        }
    }
}

fn line(course: &Course, handoff: &Handoff, number: usize, spots: &[Spot]) -> Option<Line> {
    let (end_job, to) = row(course, &handoff.to, spots)?;
    let start = handoff
        .from
        .as_ref()
        .and_then(|from| row(course, from, spots));
    // Of a job that shows no steps there is nothing to see inside.
    if start.is_some_and(|start| start == (end_job, to)) {
        return None;
    }
    Some(match start {
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
    })
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
    short
}
