//! The job graph as data: which jobs there are, what each needs, whether it runs, and why.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cause::{Cause, Rule};

/// A job of the pipeline, in the order in which they can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobId {
    /// Builds the image.
    Build,
    /// Puts the image and its record into the store.
    Save,
    /// Checks the record, lists the packages, matches advisories, applies the policy.
    Verify,
    /// Runs the image and checks it.
    Test,
    /// Publishes what was found; also says why nothing was built.
    Report,
    /// Turns all results into one verdict.
    Gate,
}

/// What the plan says about a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It runs.
    Run,
    /// It does not run, by a rule of its own.
    Skip,
    /// It does not run, because a job that it needs does not.
    Blocked,
}

/// One node of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Which job.
    pub id: JobId,
    /// The jobs whose results it uses.
    pub needs: Vec<JobId>,
    /// Whether it runs.
    pub state: JobState,
    /// Why.
    pub cause: Cause,
}

/// Jobs that the operator has switched off without touching the workflow, with the switch that did it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Switches(Vec<(JobId, String)>);

/// Why a text names no job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a job: expected build, save, verify, test, report or gate")]
pub struct ParseJobError(String);

impl JobId {
    /// All jobs, each after those that it needs.
    pub const ALL: [Self; 6] = [
        Self::Build,
        Self::Save,
        Self::Verify,
        Self::Test,
        Self::Report,
        Self::Gate,
    ];

    /// The name as written in plans and results.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Save => "save",
            Self::Verify => "verify",
            Self::Test => "test",
            Self::Report => "report",
            Self::Gate => "gate",
        }
    }

    /// The jobs whose results it uses.
    #[must_use]
    pub fn needs(self) -> &'static [Self] {
        match self {
            Self::Build => &[],
            Self::Save => &[Self::Build],
            Self::Verify | Self::Test => &[Self::Save],
            Self::Report => &[Self::Build, Self::Save, Self::Verify, Self::Test],
            Self::Gate => &[
                Self::Build,
                Self::Save,
                Self::Verify,
                Self::Test,
                Self::Report,
            ],
        }
    }

    /// Whether it runs whatever became of the jobs before it.
    #[must_use]
    pub fn always_runs(self) -> bool {
        matches!(self, Self::Report | Self::Gate)
    }
}

impl Switches {
    /// Reads `BARGE_SAVE=off` and its like for every job that may be switched off.
    #[must_use]
    pub fn from_environment(environment: &crate::Environment) -> Self {
        let candidates = [JobId::Save, JobId::Verify, JobId::Test, JobId::Report];
        let off = candidates.into_iter().filter_map(|job| {
            let name = format!("BARGE_{}", job.as_str().to_ascii_uppercase());
            Some((job, Self::off(environment, &name)?))
        });
        Self(off.collect())
    }

    /// The switch of this name with its value, if it is off.
    #[must_use]
    pub fn off(environment: &crate::Environment, name: &str) -> Option<String> {
        let value = environment.non_empty(name)?;
        let is_off = ["off", "0", "false", "no"]
            .iter()
            .any(|word| value.eq_ignore_ascii_case(word));
        is_off.then(|| format!("{name}={value}"))
    }

    fn get(&self, job: JobId) -> Option<&str> {
        self.0
            .iter()
            .find(|(off, _)| *off == job)
            .map(|(_, switch)| switch.as_str())
    }
}

/// Lays out the graph: `skip` is the decision not to build, if that was made.
pub(crate) fn graph(skip: Option<&Cause>, switches: &Switches) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::with_capacity(JobId::ALL.len());
    for id in JobId::ALL {
        let (state, cause) = state(id, skip, switches, &jobs);
        jobs.push(Job {
            id,
            needs: id.needs().to_vec(),
            state,
            cause,
        });
    }
    jobs
}

fn state(
    id: JobId,
    skip: Option<&Cause>,
    switches: &Switches,
    before: &[Job],
) -> (JobState, Cause) {
    if let Some(switch) = switches.get(id) {
        return (
            JobState::Skip,
            Cause::new(Rule::Operator, format!("disabled by operator: {switch}")),
        );
    }
    if id.always_runs() {
        return (
            JobState::Run,
            Cause::new(Rule::Always, "runs whatever became of the other jobs"),
        );
    }
    if id == JobId::Build {
        return match skip {
            Some(cause) => (JobState::Skip, cause.clone()),
            None => (
                JobState::Run,
                Cause::new(Rule::Decision, "the event leads to a build"),
            ),
        };
    }
    let missing = before
        .iter()
        .find(|job| id.needs().contains(&job.id) && job.state != JobState::Run);
    match missing {
        Some(job) => {
            let reason = format!(
                "needs `{}`, which does not run: {}",
                job.id,
                job.cause.root()
            );
            (JobState::Blocked, job.cause.behind(reason))
        }
        None => (
            JobState::Run,
            Cause::new(
                Rule::Needs,
                format!("runs once `{}` has succeeded", join(id.needs())),
            ),
        ),
    }
}

fn join(jobs: &[JobId]) -> String {
    jobs.iter()
        .map(|job| job.as_str())
        .collect::<Vec<_>>()
        .join("`, `")
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Run => "run",
            Self::Skip => "skip",
            Self::Blocked => "blocked",
        })
    }
}

impl FromStr for JobId {
    type Err = ParseJobError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|job| job.as_str() == text)
            .ok_or_else(|| ParseJobError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(skip: Option<&Cause>, switches: &Switches) -> Vec<String> {
        graph(skip, switches)
            .iter()
            .map(|job| format!("{} {} {}", job.id, job.state, job.cause.rule))
            .collect()
    }

    #[test]
    fn a_skip_blocks_every_consumer_of_the_build() {
        let cause = Cause::new(Rule::Title, "the title `chore: x` matches `^chore:`");
        assert_eq!(
            states(Some(&cause), &Switches::default()),
            [
                "build skip title",
                "save blocked title",
                "verify blocked title",
                "test blocked title",
                "report run always",
                "gate run always",
            ]
        );
    }

    #[test]
    fn the_operator_can_switch_jobs_off() {
        let environment = [
            ("BARGE_SAVE", "off"),
            ("BARGE_TEST", "on"),
            ("BARGE_GATE", "off"),
        ]
        .into_iter()
        .collect();
        let switches = Switches::from_environment(&environment);
        assert_eq!(
            states(None, &switches),
            [
                "build run decision",
                "save skip operator",
                "verify blocked operator",
                "test blocked operator",
                "report run always",
                "gate run always",
            ]
        );
        assert_eq!(
            graph(None, &switches)[2].cause.reason,
            "needs `save`, which does not run: disabled by operator: BARGE_SAVE=off"
        );
    }

    #[test]
    fn every_job_stands_after_those_it_needs() {
        for (position, job) in JobId::ALL.iter().enumerate() {
            assert!(
                job.needs()
                    .iter()
                    .all(|need| JobId::ALL[..position].contains(need)),
                "{job}"
            );
            assert_eq!(job.as_str().parse(), Ok(*job));
        }
    }
}
