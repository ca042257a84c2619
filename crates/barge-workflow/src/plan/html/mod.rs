//! A plan as one page: the jobs with their steps, what passes between them, and where it breaks.

mod graph;

use barge_report::page::Page;
use maud::{Markup, html};

use super::{Course, State};

/// The page for the courses of a workflow.
#[must_use]
pub fn page(workflow: &str, courses: &[Course]) -> String {
    let body = html! {
        h1 { (workflow) }
        main {
            @if courses.len() > 1 { (overview(courses)) }
            @for (number, course) in courses.iter().enumerate() { (section(number, course)) }
        }
    };
    Page {
        title: workflow,
        style: include_str!("style.css"),
        script: "",
        body,
    }
    .render()
}

/// One row for each course.
fn overview(courses: &[Course]) -> Markup {
    html! {
        table {
            tr { th { "event" } th { "hand-off" } th { "jobs" } }
            @for (number, course) in courses.iter().enumerate() {
                @let (class, verdict) = verdict(course);
                tr {
                    td { a href=(format!("#course-{number}")) { (course.event) } }
                    td class=(class) { (verdict) }
                    td { @if course.not_started.is_none() { (running(course)) " of " (course.jobs.len()) " run" } }
                }
            }
        }
    }
}

fn verdict(course: &Course) -> (&'static str, String) {
    match (&course.not_started, course.breaks.len()) {
        (Some(_), _) => ("faint", "not started".to_owned()),
        (None, 0) => ("good", "holds".to_owned()),
        (None, 1) => ("bad", "breaks in 1 place".to_owned()),
        (None, count) => ("bad", format!("breaks in {count} places")),
    }
}

fn running(course: &Course) -> usize {
    let jobs = course.jobs.iter();
    jobs.filter(|job| !matches!(job.state, State::Skipped | State::Blocked))
        .count()
}

fn section(number: usize, course: &Course) -> Markup {
    html! {
        section id=(format!("course-{number}")) {
            h2 { (course.event) }
            @if let Some(reason) = &course.not_started {
                p.faint { "not started: " (reason) }
            } @else {
                @for broken in &course.breaks {
                    p.bad {
                        "line " (broken.line) ": " (broken.message)
                        @if let Some(case) = &broken.case { " (" (case) ")" }
                    }
                }
                (graph::graph(course))
                (names(course))
            }
        }
    }
}

fn names(course: &Course) -> Markup {
    let by = |jobs: &[String]| match jobs {
        [] => "never".to_owned(),
        jobs => format!("by {}", jobs.join(", ")),
    };
    html! {
        @if !course.images.is_empty() || !course.artifacts.is_empty() {
            table {
                @for image in &course.images {
                    tr { td { "image" } td { code { (image.reference) } } td { (image.place()) ", job " (image.job) } }
                }
                @for artifact in &course.artifacts {
                    tr {
                        td { "artifact" }
                        td { code { (artifact.name) } }
                        td { "uploaded " (by(&artifact.uploaded_by)) ", downloaded " (by(&artifact.downloaded_by)) }
                    }
                }
            }
        }
    }
}
