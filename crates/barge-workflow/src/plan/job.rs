//! The course of a job and its steps.

use std::collections::BTreeSet;

use crate::flow::{FactKind, JobTrace, Origin};
use crate::model::Guard;
use crate::symbolic::{Condition, Satisfiable};

use super::course::{JobCourse, State, StepCourse};
use super::event::Failing;

pub(super) fn is_open(condition: &Condition) -> Option<bool> {
    match (condition.satisfiable(), condition.negate().satisfiable()) {
        (Satisfiable::No, _) => Some(false),
        (_, Satisfiable::No) => Some(true),
        _ => None,
    }
}

pub(super) fn job_course(
    job: &JobTrace,
    failing: &[Failing<'_>],
    failed: &BTreeSet<String>,
) -> JobCourse {
    let id = if job.leg.is_empty() {
        job.id.clone()
    } else {
        let values: Vec<&str> = job.leg.iter().map(|(_, value)| value.as_str()).collect();
        format!("{} ({})", job.id, values.join(", "))
    };
    let guard = job.guard.as_deref();
    let runs_anyway = guard.is_some_and(Guard::holds_after_failure);
    let blocker = job
        .needs
        .iter()
        .find(|need| failed.contains(*need))
        .filter(|_| !runs_anyway);
    let (mut state, mut reason) = match (is_open(&job.condition), blocker) {
        (Some(false), _) => (
            State::Skipped,
            guard.map_or_else(
                || "a job it needs is skipped".to_owned(),
                |guard| format!("{} is false", guard.text()),
            ),
        ),
        (_, Some(blocker)) => (
            State::Blocked,
            format!("needs {blocker}: failure (no status function: success() is implied)"),
        ),
        (Some(true), None) => (State::Runs, String::new()),
        (None, None) => (State::Depends, job.condition.to_string()),
    };
    let mut steps = Vec::new();
    let mut stopped = false;
    if matches!(state, State::Runs | State::Depends) {
        for number in 0..job.steps.len() {
            let step = step_course(job, number, failing, stopped);
            stopped |= step.state == State::Fails
                && !job.steps.get(number).is_some_and(|step| step.tolerated);
            if step.state == State::Fails || (step.state == State::MayFail && state == State::Runs)
            {
                state = step.state;
                reason = format!("at line {}", step.line);
            }
            steps.push(step);
        }
    }
    JobCourse {
        id,
        key: job.id.clone(),
        needs: job.needs.clone(),
        line: job.place.position().line,
        state,
        reason,
        steps,
    }
}

fn step_course(
    job: &JobTrace,
    number: usize,
    failing: &[Failing<'_>],
    stopped: bool,
) -> StepCourse {
    let Some(step) = job.steps.get(number) else {
        return StepCourse {
            title: String::new(),
            line: 0,
            state: State::Skipped,
            detail: String::new(),
        };
    };
    let guard = step.guard.as_deref();
    let runs_anyway = guard.is_some_and(Guard::holds_after_failure);
    let defect = failing.iter().find(|failing| {
        let finding = failing.finding;
        finding.place.shares_file(&step.place) && step.place.span.contains(finding.place.span)
    });
    let open = is_open(&step.condition);
    let (state, detail) = match (open, defect) {
        (Some(false), _) => (
            State::Skipped,
            guard.map_or_else(
                || "an earlier step failed".to_owned(),
                |guard| format!("{} is false", guard.text()),
            ),
        ),
        _ if stopped && !runs_anyway => (State::Blocked, "an earlier step failed".into()),
        (_, Some(defect)) => {
            let certain = defect.case.is_none() && open == Some(true);
            let case = defect
                .case
                .map_or_else(String::new, |case| format!(" ({case})"));
            let state = if certain {
                State::Fails
            } else {
                State::MayFail
            };
            (state, format!("{}{case}", defect.finding.message))
        }
        (None, None) => (State::Depends, step.condition.to_string()),
        (Some(true), None) => (State::Runs, sets(job, number)),
    };
    StepCourse {
        title: step.title.clone(),
        line: step.place.position().line,
        state,
        detail,
    }
}

/// What a step is known to set or make.
fn sets(job: &JobTrace, number: usize) -> String {
    let Some(step) = job.steps.get(number) else {
        return String::new();
    };
    let mut parts: Vec<String> = Vec::new();
    for (name, value) in &step.outputs {
        if let Some(text) = value.sole_text() {
            parts.push(format!("{name} = {}", text.describe().replace('\n', " ")));
        }
    }
    for fact in job.facts.iter().filter(|fact| fact.step == number) {
        if let FactKind::Present(name, Origin::Built | Origin::Tagged(_)) = &fact.kind {
            parts.push(format!("tags {}", name.describe()));
        }
    }
    parts.dedup();
    parts.join("; ")
}
