//! `barge plan --workflow`: what an existing workflow does for an event, or for each of the usual ones.

use std::fs;
use std::io::{self, Write};

use barge_workflow::Source;
use barge_workflow::model::Workflow;
use barge_workflow::plan::{
    Break, Course, JobCourse, State, all_cases, course, html, usual_scenarios,
};
use barge_workflow::scenario::{EVENTS, RefKind, Scenario};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::workflow_files::{Checkout, read_bounded, root_of};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::Tone;

const SCHEMA: &str = "barge/workflow-plan/v1";

/// What is asked of a workflow.
pub(crate) struct Question<'a> {
    pub(crate) workflow: &'a Utf8Path,
    pub(crate) event: Option<&'a str>,
    pub(crate) payload: Option<&'a Utf8Path>,
    pub(crate) values: &'a [String],
    /// Values of step outputs and inputs by their bare names.
    pub(crate) assumptions: &'a [String],
    pub(crate) rows: Rows,
    pub(crate) html: Option<&'a Utf8Path>,
}

/// Which cases make up a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// No table: the courses in full.
    None,
    /// The events that people ask about.
    Usual,
    /// All events of the workflow, with all values that decide.
    All,
}

#[derive(Serialize)]
struct PlanJson<'a> {
    schema: &'static str,
    workflow: &'a Utf8Path,
    courses: &'a [Course],
}

pub(crate) fn run(question: &Question<'_>, context: &Context) -> Result<Exit, Error> {
    let path = context.folder.join(question.workflow);
    let text = read_bounded(&path).map_err(|reason| Error::File {
        action: "read",
        path: path.clone(),
        source: io::Error::other(reason),
    })?;
    let source = Source::new(question.workflow.as_str(), &text);
    let workflow = Workflow::parse(&source)
        .map_err(|error| Error::Usage(format!("`{}` is not YAML: {error}", question.workflow)))?;
    let root = root_of(&path);
    let scenarios = scenarios(question, context, &workflow, &root)?;
    let courses: Vec<Course> = scenarios
        .iter()
        .map(|scenario| course(&workflow, scenario, &Checkout::new(&root)))
        .collect();
    let json = PlanJson {
        schema: SCHEMA,
        workflow: question.workflow,
        courses: &courses,
    };
    if let Some(path) = question.html {
        let page = html::page(question.workflow.as_str(), &courses);
        context.write_file(path, page.as_bytes())?;
        context.printer.status(&format!("wrote {path}"));
    }
    context.printer.result(&json, |out| {
        if question.rows != Rows::None {
            write_matrix(out, &courses)
        } else {
            write(out, question.workflow, &courses)
        }
    })?;
    Ok(Exit::Done)
}

fn read(path: &Utf8PathBuf) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::File {
        action: "read",
        path: path.clone(),
        source,
    })
}

fn scenarios(
    question: &Question<'_>,
    context: &Context,
    workflow: &Workflow,
    root: &Utf8Path,
) -> Result<Vec<Scenario>, Error> {
    let mut scenarios = match (question.rows, question.event, question.payload) {
        (Rows::Usual, _, _) => usual_scenarios(),
        (Rows::All, _, _) => all_cases(workflow, &Checkout::new(root)),
        (Rows::None, event, Some(path)) => {
            let path = context.folder.join(path);
            let payload: serde_json::Value = serde_json::from_str(&read(&path)?)
                .map_err(|error| Error::Usage(format!("`{path}` is no JSON: {error}")))?;
            let guessed = if payload.get("pull_request").is_some() {
                "pull_request"
            } else {
                "push"
            };
            let event = event.unwrap_or(guessed);
            known(event, workflow)?;
            vec![Scenario::concrete(event, &payload)]
        }
        (Rows::None, Some(event), None) => {
            known(event, workflow)?;
            let named: Vec<Scenario> = barge_workflow::scenario::scenarios(workflow)
                .into_iter()
                .filter(|scenario| scenario.event.as_deref() == Some(event))
                .collect();
            if named.is_empty() {
                vec![Scenario::of_event(event, RefKind::Branch)]
            } else {
                named
            }
        }
        (Rows::None, None, None) => barge_workflow::scenario::scenarios(workflow),
    };
    for (path, value) in given(question, workflow)? {
        scenarios = scenarios
            .into_iter()
            .map(|scenario| scenario.with_value(&path, &value))
            .collect();
    }
    Ok(scenarios)
}

/// Refuses what is no event, such as the name of a payload's file.
fn known(event: &str, workflow: &Workflow) -> Result<(), Error> {
    if EVENTS.contains(&event) || workflow.trigger(event).is_some() {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "GitHub has no event `{event}`: with --workflow, --event takes the name of an event and --payload its file"
    )))
}

/// The values that are given, by their context paths. An assumption means the output of every step that has one so named,
/// and the input.
fn given(question: &Question<'_>, workflow: &Workflow) -> Result<Vec<(String, String)>, Error> {
    let parted = |text: &str| match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err(Error::Usage(format!(
            "`{text}` is no NAME=VALUE: --var takes a context path, `steps.skip.outputs.skip_build=true`, and --assume a bare name"
        ))),
    };
    let mut given = Vec::new();
    for text in question.values {
        given.push(parted(text)?);
    }
    let steps = workflow.jobs.iter().flat_map(|job| &job.steps);
    let ids: Vec<&str> = steps
        .filter_map(|step| Some(step.id.as_ref()?.text.as_str()))
        .collect();
    for text in question.assumptions {
        let (name, value) = parted(text)?;
        let outputs = ids.iter().map(|id| format!("steps.{id}.outputs.{name}"));
        let paths = outputs.chain([format!("inputs.{name}")]);
        given.extend(paths.map(|path| (path, value.clone())));
    }
    Ok(given)
}

fn painted(state: State) -> String {
    let (tone, word) = match state {
        State::Runs => (Tone::Good, "ok"),
        State::Depends => (Tone::Warning, "depends"),
        State::Skipped => (Tone::Faint, "skip"),
        State::Fails => (Tone::Bad, "FAIL"),
        State::MayFail => (Tone::Bad, "may fail"),
        State::Blocked => (Tone::Faint, "never"),
    };
    tone.paint(&format!("{word:<8}"))
}

fn write(out: &mut dyn Write, path: &Utf8Path, courses: &[Course]) -> io::Result<()> {
    for course in courses {
        writeln!(
            out,
            "{}  {}",
            Tone::Strong.paint(path.file_name().unwrap_or_default()),
            course.event
        )?;
        if let Some(reason) = &course.not_started {
            writeln!(out, "not started: {reason}\n")?;
            continue;
        }
        course.jobs.iter().try_for_each(|job| write_job(out, job))?;
        for image in &course.images {
            let place = image.place();
            writeln!(
                out,
                "image    {}  {place}, job {}",
                image.reference, image.job
            )?;
        }
        for artifact in &course.artifacts {
            let jobs = |jobs: &[String]| {
                if jobs.is_empty() {
                    "never".to_owned()
                } else {
                    jobs.join(", ")
                }
            };
            writeln!(
                out,
                "artifact {}  uploaded: {}  downloaded: {}",
                artifact.name,
                jobs(&artifact.uploaded_by),
                jobs(&artifact.downloaded_by)
            )?;
        }
        for broken in &course.breaks {
            let (mark, Break { line, message, .. }) = (Tone::Bad.paint("break"), broken);
            let case = broken.case.as_ref();
            let case = case.map_or_else(String::new, |case| format!(" ({case})"));
            writeln!(out, "{mark}   {line} {message}{case}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_job(out: &mut dyn Write, job: &JobCourse) -> io::Result<()> {
    writeln!(
        out,
        "{} {} {}",
        painted(job.state),
        Tone::Strong.paint(&job.id),
        job.reason
    )?;
    for step in &job.steps {
        let title: String = step.title.chars().take(44).collect();
        writeln!(
            out,
            "  {} {:>4} {title:<44} {}",
            painted(step.state),
            step.line,
            step.detail
        )?;
    }
    Ok(())
}

/// One row per event.
fn write_matrix(out: &mut dyn Write, courses: &[Course]) -> io::Result<()> {
    let events = courses.iter().map(|course| course.event.chars().count());
    let width = events.max().unwrap_or(0).max(12);
    writeln!(
        out,
        "{:<width$} {:>4} {:>5} {:>5}  {:<10} names",
        "event", "run", "skip", "fail", "hand-off"
    )?;
    for course in courses {
        if let Some(reason) = &course.not_started {
            writeln!(
                out,
                "{:<width$} {}",
                course.event,
                Tone::Faint.paint(&format!("not started: {reason}"))
            )?;
            continue;
        }
        let count = |states: &[State]| {
            course
                .jobs
                .iter()
                .filter(|job| states.contains(&job.state))
                .count()
        };
        let verdict = if course.breaks.is_empty() {
            Tone::Good.paint(&format!("{:<10}", "holds"))
        } else {
            Tone::Bad.paint(&format!("{:<10}", "breaks"))
        };
        let mut names: Vec<&str> = course
            .images
            .iter()
            .map(|image| image.reference.as_str())
            .collect();
        names.dedup();
        writeln!(
            out,
            "{:<width$} {:>4} {:>5} {:>5}  {verdict} {}",
            course.event,
            count(&[State::Runs, State::Depends]),
            count(&[State::Skipped, State::Blocked]),
            count(&[State::Fails, State::MayFail]),
            names.join(" ")
        )?;
        for Break { line, message, .. } in &course.breaks {
            writeln!(out, "{:<width$} line {line}: {message}", "")?;
        }
    }
    Ok(())
}
