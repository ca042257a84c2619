//! The hand-offs of a plan: what one step makes and another needs, and whether the two meet.

use serde::Serialize;

use crate::flow::{Fact, FactKind, JobTrace, Need, Origin, Place, Trace};
use crate::reference;
use crate::symbolic::{Comparison, Text};

use super::{JobCourse, State};

/// Something that passes from step to step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Handoff {
    /// An image or an artifact.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The step that makes it; nothing when none does.
    pub from: Option<End>,
    /// The step that needs it.
    pub to: End,
    /// It is needed in this course and not made.
    pub broken: bool,
}

/// What passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// By the daemon.
    Image,
    /// By the run's artifacts.
    Artifact,
}

/// One end of a hand-off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct End {
    /// The job's key.
    pub job: String,
    /// The line of the step.
    pub line: usize,
}

/// All hand-offs of the first walk; what it does not make is looked for in the others.
pub(super) fn handoffs(walks: &[Trace], jobs: &[JobCourse]) -> Vec<Handoff> {
    let Some(own) = walks.first() else {
        return Vec::new();
    };
    let mut found: Vec<Handoff> = Vec::new();
    for job in &own.jobs {
        for (number, fact) in job
            .facts
            .iter()
            .enumerate()
            .filter(|(_, fact)| !fact.tolerated)
        {
            let (kind, name, from) = match &fact.kind {
                FactKind::Named(name, Need::Local, _) => {
                    (Kind::Image, name, image_maker(walks, job, number, name))
                }
                FactKind::Named(name, Need::LocalOrRemote, _) => {
                    let maker = image_maker(walks, job, number, name);
                    // What nothing here makes is pulled.
                    let Some(maker) = maker else { continue };
                    (Kind::Image, name, Some(maker))
                }
                FactKind::Downloaded(Some(name), candidates) => {
                    (Kind::Artifact, name, uploader(walks, candidates, name))
                }
                _ => continue,
            };
            let to = end(job, fact);
            let broken = is_broken(jobs, from.as_ref(), &to);
            let handoff = Handoff {
                kind,
                name: name.describe(),
                from,
                to,
                broken,
            };
            if !found.contains(&handoff) {
                found.push(handoff);
            }
        }
    }
    found
}

fn end(job: &JobTrace, fact: &Fact) -> End {
    let step = job.steps.get(fact.step).map(|step| &step.place);
    End {
        job: job.id.clone(),
        line: step.unwrap_or(&fact.place).line(),
    }
}

/// The step that puts an image into the daemon: in this course, else in that of another event.
fn image_maker(walks: &[Trace], job: &JobTrace, number: usize, name: &Text) -> Option<End> {
    let makes = |fact: &&Fact| {
        matches!(&fact.kind, FactKind::Present(made, Origin::Built | Origin::Tagged(_) | Origin::Loaded(_))
            if reference::compare(made, name) == Comparison::Equal)
    };
    let before = job.facts.get(..number).unwrap_or_default();
    if let Some(made) = before.iter().rev().find(makes) {
        return Some(end(job, made));
    }
    let twins = walks.iter().flat_map(|walk| &walk.jobs);
    let mut twins = twins.filter(|twin| twin.id == job.id && twin.leg == job.leg);
    twins.find_map(|twin| Some(end(twin, twin.facts.iter().find(makes)?)))
}

fn uploader(walks: &[Trace], candidates: &[usize], name: &Text) -> Option<End> {
    let (own, others) = walks.split_first()?;
    let mut here = candidates
        .iter()
        .filter_map(|number| own.artifacts.get(*number));
    let mut there = others.iter().flat_map(|walk| &walk.artifacts);
    let artifact = here
        .next()
        .or_else(|| there.find(|artifact| artifact.answers(name) == Comparison::Equal))?;
    Some(End {
        job: artifact.job.clone(),
        line: step_line(walks, &artifact.job, &artifact.place),
    })
}

fn step_line(walks: &[Trace], job: &str, place: &Place) -> usize {
    let mut jobs = walks.iter().flat_map(|walk| &walk.jobs);
    let holds = |step: &&crate::flow::StepTrace| {
        step.place.shares_file(place) && step.place.span.contains(place.span)
    };
    jobs.find(|trace| trace.id == job)
        .and_then(|trace| trace.steps.iter().find(holds))
        .map_or(place.line(), |step| step.place.line())
}

/// The needing step is reached or would be, and the making one is not.
fn is_broken(jobs: &[JobCourse], from: Option<&End>, to: &End) -> bool {
    let Some(needs) = state(jobs, to) else {
        return false;
    };
    let made = from.and_then(|from| state(jobs, from));
    let is_made = matches!(made, Some(State::Runs | State::Depends));
    match needs {
        State::Fails | State::MayFail => true,
        State::Runs | State::Depends => !is_made && made.is_some(),
        // It would have been needed, had something before it not failed.
        State::Blocked => !is_made,
        State::Skipped => false,
    }
}

fn state(jobs: &[JobCourse], end: &End) -> Option<State> {
    let job = jobs.iter().find(|job| job.key == end.job)?;
    if matches!(job.state, State::Skipped | State::Blocked) {
        return Some(job.state);
    }
    let step = job.steps.iter().find(|step| step.line == end.line)?;
    Some(step.state)
}
