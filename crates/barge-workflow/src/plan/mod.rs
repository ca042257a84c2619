//! What a workflow does for one event: which jobs and steps run, are skipped, fail or hang on something unknown, and why.
//!
//! The same walk and the same rules as the check, for a single scenario. All steps are taken to pass, save those that a rule
//! shows to fail; what comes after a failure is blocked, and so are the jobs that need it.

mod cases;
pub mod handoff;
pub mod html;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use self::cases::all_cases;
use self::handoff::Handoff;

use crate::filter::admits;
use crate::finding::{Finding, Severity};
use crate::flow::{FactKind, JobTrace, Origin, Repository, Trace, trace};
use crate::model::{Guard, Workflow};
use crate::rule::{self, Context};
use crate::scenario::{RefKind, Scenario, scenarios};
use crate::symbolic::{Condition, Satisfiable};

/// What becomes of a job or step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It runs.
    Runs,
    /// It runs or not, by something unknown.
    Depends,
    /// Its condition is false.
    Skipped,
    /// It fails.
    Fails,
    /// It fails in a case that cannot be excluded.
    MayFail,
    /// Something before it failed.
    Blocked,
}

/// A workflow's course for one event.
#[derive(Debug, Clone, Serialize)]
pub struct Course {
    /// The event.
    pub event: String,
    /// The workflow is not started by it, and why.
    pub not_started: Option<String>,
    /// Its jobs.
    pub jobs: Vec<JobCourse>,
    /// Names that builds give, and where they go.
    pub images: Vec<ImageCourse>,
    /// Artifacts: uploaded and downloaded.
    pub artifacts: Vec<ArtifactCourse>,
    /// What passes from step to step.
    pub handoffs: Vec<Handoff>,
    /// Where producer and consumer do not meet.
    pub breaks: Vec<Break>,
}

/// A place where producer and consumer do not meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Break {
    /// The rule that finds it.
    pub rule: &'static str,
    /// The consumer's line.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What must hold beside the event; nothing when the event alone is enough.
    pub case: Option<String>,
}

/// A job's course.
#[derive(Debug, Clone, Serialize)]
pub struct JobCourse {
    /// Its key, with the matrix values of the leg.
    pub id: String,
    /// Its key.
    pub key: String,
    /// The keys of the jobs it needs.
    pub needs: Vec<String>,
    /// Its line.
    pub line: usize,
    /// What becomes of it.
    pub state: State,
    /// Why.
    pub reason: String,
    /// Its steps.
    pub steps: Vec<StepCourse>,
}

/// A step's course.
#[derive(Debug, Clone, Serialize)]
pub struct StepCourse {
    /// Its title.
    pub title: String,
    /// Its line.
    pub line: usize,
    /// What becomes of it.
    pub state: State,
    /// Why, or what it sets.
    pub detail: String,
}

/// An image's course.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ImageCourse {
    /// Its name.
    pub reference: String,
    /// The job.
    pub job: String,
    /// It comes into the job's daemon.
    pub in_daemon: bool,
    /// It is pushed.
    pub pushed: bool,
}

impl ImageCourse {
    /// Where the image goes, in words.
    #[must_use]
    pub fn place(&self) -> &'static str {
        match (self.in_daemon, self.pushed) {
            (true, true) => "in the daemon and pushed",
            (true, false) => "in the daemon",
            (false, true) => "pushed",
            (false, false) => "nowhere",
        }
    }
}

/// An artifact's course.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ArtifactCourse {
    /// Its name.
    pub name: String,
    /// The jobs that upload it.
    pub uploaded_by: Vec<String>,
    /// The jobs that download it.
    pub downloaded_by: Vec<String>,
}

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
struct Failing<'a> {
    finding: &'a Finding,
    /// What else must hold; nothing when the event alone is enough.
    case: Option<&'a str>,
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

fn is_open(condition: &Condition) -> Option<bool> {
    match (condition.satisfiable(), condition.negate().satisfiable()) {
        (Satisfiable::No, _) => Some(false),
        (_, Satisfiable::No) => Some(true),
        _ => None,
    }
}

fn job_course(job: &JobTrace, failing: &[Failing<'_>], failed: &BTreeSet<String>) -> JobCourse {
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

/// The images of the jobs that come to run.
fn images(trace: &Trace, courses: &[JobCourse]) -> Vec<ImageCourse> {
    let mut images: BTreeMap<(String, String), (bool, bool)> = BTreeMap::new();
    let reached = |course: &JobCourse| !matches!(course.state, State::Blocked | State::Skipped);
    let jobs = trace.jobs.iter().zip(courses);
    for (job, _) in jobs.filter(|(_, course)| reached(course)) {
        for fact in &job.facts {
            let FactKind::Built(delivery) = &fact.kind else {
                continue;
            };
            for reference in &delivery.references {
                let key = (reference.describe(), job.id.clone());
                let (in_daemon, pushed) = images.entry(key).or_insert((false, false));
                *in_daemon |= is_open(&delivery.to_daemon) != Some(false);
                *pushed |= is_open(&delivery.to_registry) != Some(false);
            }
        }
    }
    let courses = images.into_iter();
    let courses = courses.map(|((reference, job), (in_daemon, pushed))| ImageCourse {
        reference,
        job,
        in_daemon,
        pushed,
    });
    courses.collect()
}

fn artifacts(trace: &Trace, jobs: &[JobCourse]) -> Vec<ArtifactCourse> {
    // What a step never reached to upload or download did not pass.
    let happens = |job: &str, line: usize| {
        let mut courses = jobs.iter().filter(|course| course.key == job);
        courses.any(|course| {
            let step = course.steps.iter().rev().find(|step| step.line <= line);
            let states = [Some(course.state), step.map(|step| step.state)];
            !states
                .iter()
                .flatten()
                .any(|state| matches!(state, State::Skipped | State::Blocked))
        })
    };
    let mut all: Vec<ArtifactCourse> = Vec::new();
    let mut entry = |name: String| {
        all.iter()
            .position(|artifact| artifact.name == name)
            .unwrap_or_else(|| {
                all.push(ArtifactCourse {
                    name,
                    uploaded_by: Vec::new(),
                    downloaded_by: Vec::new(),
                });
                all.len() - 1
            })
    };
    let mut moves: Vec<(usize, bool, String)> = Vec::new();
    for artifact in &trace.artifacts {
        let at = entry(artifact.name.describe());
        if happens(&artifact.job, artifact.place.line()) {
            moves.push((at, true, artifact.job.clone()));
        }
    }
    for job in &trace.jobs {
        for fact in &job.facts {
            if let FactKind::Downloaded(Some(name), _) = &fact.kind {
                let at = entry(name.describe());
                if happens(&job.id, fact.place.line()) {
                    moves.push((at, false, job.id.clone()));
                }
            }
        }
    }
    for (at, uploaded, job) in moves {
        let Some(artifact) = all.get_mut(at) else {
            continue;
        };
        let jobs = if uploaded {
            &mut artifact.uploaded_by
        } else {
            &mut artifact.downloaded_by
        };
        if !jobs.contains(&job) {
            jobs.push(job);
        }
    }
    all
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
