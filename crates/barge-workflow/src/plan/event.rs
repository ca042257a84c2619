//! The course of a workflow for one event.

use std::collections::BTreeSet;

use crate::filter::admits;
use crate::finding::{Finding, Severity};
use crate::flow::{Repository, Trace, trace};
use crate::model::Workflow;
use crate::rule::{self, Context};
use crate::scenario::{RefKind, Scenario, scenarios};

use super::artifact::artifacts;
use super::course::{Break, Course, State};
use super::handoff;
use super::image::images;
use super::job::job_course;

/// The course of a workflow in a scenario.
#[must_use]
pub fn course(workflow: &Workflow, scenario: &Scenario, files: &dyn Repository) -> Course {
    // What the workflow makes for its other events tells which step a missing name was meant to come from.
    let own = scenario.clone().labelled(OWN);
    let others = scenarios(workflow);
    let walks: Vec<Trace> = std::iter::once(&own)
        .chain(&others)
        .map(|scenario| trace(workflow, scenario, files))
        .collect();
    let context = Context::new(workflow, &walks, None);
    let findings = rule::run(&context);
    let failing: Vec<Failing<'_>> = findings.iter().filter_map(Failing::of).collect();
    let mut course = Course {
        event: scenario.label.clone(),
        not_started: not_started(workflow, scenario),
        jobs: Vec::new(),
        images: Vec::new(),
        artifacts: Vec::new(),
        handoffs: Vec::new(),
        breaks: failing.iter().map(Failing::as_break).collect(),
    };
    let Some(walked) = walks.first() else {
        return course;
    };
    let mut failed: BTreeSet<String> = BTreeSet::new();
    for job in &walked.jobs {
        let planned = job_course(job, &failing, &failed);
        if matches!(planned.state, State::Fails | State::Blocked) {
            failed.insert(job.id.clone());
        }
        course.jobs.push(planned);
    }
    course.images = images(walked, &course.jobs);
    course.artifacts = artifacts(walked, &course.jobs);
    course.handoffs = handoff::handoffs(&walks, &course.jobs);
    course
}

/// The label of the event that is planned, among those of the workflow.
const OWN: &str = "this event";

/// A defect of the planned event.
pub(super) struct Failing<'a> {
    pub(super) finding: &'a Finding,
    /// What else must hold; nothing when the event alone is enough.
    pub(super) case: Option<&'a str>,
}

impl<'a> Failing<'a> {
    fn of(finding: &'a Finding) -> Option<Self> {
        let case = finding.case.as_ref()?;
        let own = (case.event == OWN).then_some(case.when.as_deref());
        let too = case.others.iter().any(|event| event == OWN);
        let fails = finding.severity == Severity::Error;
        Some(Self {
            finding,
            case: own.or(too.then_some(None)).filter(|_| fails)?,
        })
    }

    fn as_break(&self) -> Break {
        Break {
            rule: self.finding.rule,
            line: self.finding.position().line,
            message: self.finding.message.clone(),
            case: self.case.map(str::to_owned),
        }
    }
}

/// The filters of `on:` that keep the event out.
fn not_started(workflow: &Workflow, scenario: &Scenario) -> Option<String> {
    let event = scenario.event.as_deref()?;
    let Some(trigger) = workflow.trigger(event) else {
        return Some(format!("`on:` does not name {event}"));
    };
    let name = scenario.github(&["ref_name"]).literal()?;
    let (filter, ignore) = match scenario.reference {
        RefKind::Tag => ("tags", "tags-ignore"),
        RefKind::Branch if event == "push" => ("branches", "branches-ignore"),
        _ => return None,
    };
    let other = if filter == "tags" { "branches" } else { "tags" };
    let admits = |patterns: &[String]| admits(patterns, &name);
    match (trigger.filters.get(filter), trigger.filters.get(ignore)) {
        (Some(patterns), _) if admits(patterns) == Some(false) => Some(format!(
            "`{name}` is not among the {filter}: {}",
            patterns.join(", ")
        )),
        (None, Some(patterns)) if admits(patterns) == Some(true) => {
            Some(format!("`{name}` is among the {ignore}"))
        }
        (None, None) if trigger.filters.contains_key(other) => {
            Some(format!("only {other} start it"))
        }
        _ => None,
    }
}

/// The events that people ask about, with example names: what `on:` does not start is said to be so.
#[must_use]
pub fn usual_scenarios() -> Vec<Scenario> {
    let push = |label: &str, reference: RefKind, name: &str| {
        let full = if reference == RefKind::Tag {
            format!("refs/tags/{name}")
        } else {
            format!("refs/heads/{name}")
        };
        Scenario::of_event("push", reference)
            .labelled(label)
            .with_value("github.ref", &full)
            .with_value("github.ref_name", name)
            .with_value("github.event.repository.default_branch", "main")
    };
    vec![
        Scenario::of_event("pull_request", RefKind::Pull)
            .with_value("github.event.pull_request.head.repo.fork", "false"),
        Scenario::of_event("pull_request", RefKind::Pull)
            .labelled("pull_request (fork)")
            .with_value("github.event.pull_request.head.repo.fork", "true"),
        push("push main", RefKind::Branch, "main"),
        push("push feature", RefKind::Branch, "feature/example"),
        push("push tag", RefKind::Tag, "v1.2.3"),
        Scenario::of_event("schedule", RefKind::Branch)
            .with_value("github.ref_name", "main")
            .with_value("github.ref", "refs/heads/main"),
        Scenario::of_event("workflow_dispatch", RefKind::Branch)
            .with_value("github.ref_name", "main")
            .with_value("github.ref", "refs/heads/main"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn seed() -> Workflow {
        let text = include_str!("../../tests/rules/condition-mismatch/bad-pipeline-before.yml");
        Workflow::parse(&Source::new("docker-build.yml", text)).unwrap()
    }

    fn states(course: &Course, job: &str) -> Vec<(String, State)> {
        let job = course
            .jobs
            .iter()
            .find(|planned| planned.id == job)
            .unwrap();
        job.steps
            .iter()
            .map(|step| (step.title.clone(), step.state))
            .collect()
    }

    #[test]
    fn the_case_that_breaks_is_shown_to_fail() {
        let scenario = Scenario::of_event("pull_request", RefKind::Pull)
            .with_value("steps.skip.outputs.skip_build", "true");
        let course = course(&seed(), &scenario, &());
        let steps = states(&course, "build-and-push");
        let state = |title: &str| {
            steps
                .iter()
                .find(|(own, _)| own == title)
                .map(|(_, state)| *state)
        };
        assert_eq!(state("Build and push Docker image"), Some(State::Skipped));
        assert_eq!(state("Save Docker Image as Artifact"), Some(State::Fails));
        assert_eq!(state("Upload Image Artifact"), Some(State::Blocked));
        let of = |id: &str| {
            course
                .jobs
                .iter()
                .find(|job| job.id == id)
                .map(|job| job.state)
        };
        assert_eq!(of("build-and-push"), Some(State::Fails));
        assert_eq!(of("verify-supply-chain-pr-skipped"), Some(State::Blocked));
    }

    #[test]
    fn the_case_that_works_has_no_breaks() {
        let scenario = Scenario::of_event("pull_request", RefKind::Pull)
            .with_value("steps.skip.outputs.skip_build", "false");
        let course = course(&seed(), &scenario, &());
        assert_eq!(course.breaks, Vec::new());
        assert_eq!(
            course
                .artifacts
                .first()
                .map(|artifact| artifact.downloaded_by.clone()),
            Some(vec!["verify-supply-chain-pr".to_owned()])
        );
    }

    #[test]
    fn filters_are_read_by_githubs_grammar() {
        let text = "on:\n  push:\n    tags: ['v[0-9]+.[0-9]+.[0-9]+']\njobs: {}\n";
        let workflow = Workflow::parse(&Source::new("w.yml", text)).unwrap();
        let scenarios = usual_scenarios().into_iter();
        let started = scenarios.filter(|one| not_started(&workflow, one).is_none());
        let started: Vec<String> = started.map(|one| one.label).collect();
        assert_eq!(started, ["push tag"]);
    }

    #[test]
    fn filters_keep_events_out() {
        let workflow = seed();
        let started: Vec<(String, bool)> = usual_scenarios()
            .iter()
            .map(|scenario| {
                (
                    scenario.label.clone(),
                    course(&workflow, scenario, &()).not_started.is_none(),
                )
            })
            .collect();
        let started: Vec<&str> = started
            .iter()
            .filter(|(_, started)| *started)
            .map(|(label, _)| label.as_str())
            .collect();
        assert_eq!(
            started,
            ["pull_request", "pull_request (fork)", "push main"]
        );
    }
}
