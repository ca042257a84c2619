//! What a rule is given, and how it words what it found.

use crate::finding::{Finding, Severity};
use crate::flow::{Fact, JobTrace, Place, StepTrace, Trace};
use crate::model::Workflow;
use crate::symbolic::{Assignment, Condition, Satisfiable, Text};

/// A workflow with its walks.
#[derive(Debug)]
pub struct Context<'a> {
    /// The workflow.
    pub workflow: &'a Workflow,
    /// One walk per scenario.
    pub traces: &'a [Trace],
    /// The repository's name, `Owner/name`, when it is known.
    pub repository: Option<&'a str>,
}

impl Context<'_> {
    /// Every leg with its walk.
    pub(super) fn jobs(&self) -> impl Iterator<Item = (&Trace, &JobTrace)> {
        self.traces
            .iter()
            .flat_map(|trace| trace.jobs.iter().map(move |job| (trace, job)))
    }

    /// A finding at a place, which must lie in the workflow's own file or one it calls.
    pub(super) fn finding(
        rule: &'static str,
        severity: Severity,
        place: &Place,
        message: impl Into<String>,
    ) -> Finding {
        Finding {
            rule,
            severity,
            source: place.source.clone(),
            span: place.span,
            message: message.into(),
            evidence: Vec::new(),
            case: None,
            consequence: None,
            fix: None,
        }
    }
}

/// The step of a fact.
pub(super) fn step_of<'a>(job: &'a JobTrace, fact: &Fact) -> Option<&'a StepTrace> {
    job.steps.get(fact.step)
}

/// `step "Build image"`.
pub(super) fn step_name(job: &JobTrace, fact: &Fact) -> String {
    step_of(job, fact).map_or_else(
        || "a step".into(),
        |step| format!("step \"{}\"", step.title),
    )
}

/// `only if steps.skip.outputs.skip_build != 'true'`, from the step's own words.
pub(super) fn guard_words(job: &JobTrace, fact: &Fact) -> String {
    match step_of(job, fact).and_then(|step| step.guard.as_ref()) {
        Some((guard, _)) => format!(
            ", only if {}",
            guard
                .trim()
                .trim_start_matches("${{")
                .trim_end_matches("}}")
                .trim()
        ),
        None if fact.condition != Condition::Always => format!(", only if {}", fact.condition),
        None => String::new(),
    }
}

/// A case in words: the event, then what must hold.
pub(super) fn case_words(trace: &Trace, case: &[Assignment]) -> String {
    if case.is_empty() {
        return trace.scenario.label.clone();
    }
    let parts: Vec<String> = case.iter().map(ToString::to_string).collect();
    format!("{}: {}", trace.scenario.label, parts.join(", "))
}

/// The case in which something holds, if it is certain that one exists.
pub(super) fn case_of(condition: &Condition) -> Option<Vec<Assignment>> {
    match condition.satisfiable() {
        Satisfiable::Yes(case) => {
            (!case.iter().any(|assignment| assignment.subject.is_weak())).then_some(case)
        }
        Satisfiable::No | Satisfiable::Unknown => None,
    }
}

/// A text in backticks, as messages print it.
pub(super) fn shown(text: &Text) -> String {
    let shown = text.describe();
    let shown: String = shown
        .chars()
        .map(|c| if c == '\n' { ' ' } else { c })
        .take(120)
        .collect();
    format!("`{shown}`")
}
