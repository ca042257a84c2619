//! One verdict from the results of all jobs, measured against the plan.
//!
//! GitHub counts a skipped required check as success (actions/runner issue 2566), so a run in which nothing happened
//! looks green. Here a job passes only if it succeeded, or if it was skipped and the plan said so.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::job::{Job, JobId, JobState};

/// The schema of a verdict's JSON form.
pub const GATE_SCHEMA: &str = "barge/gate/v1";

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It did its work.
    Success,
    /// It failed, or ran out of time.
    Failure,
    /// It was not started.
    Skipped,
    /// It was stopped from outside.
    Cancelled,
}

/// Results by the name of the job, as CI systems report them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results(BTreeMap<String, Outcome>);

/// Whether the run may count as passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether every job passed.
    pub passed: bool,
    /// The jobs of the plan in its order, then those that only the results name.
    pub jobs: Vec<JobVerdict>,
}

/// What one job adds to the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobVerdict {
    /// The job.
    pub job: String,
    /// What the plan said; nothing for a job that it does not know.
    pub planned: Option<JobState>,
    /// How the job ended; nothing if no result was reported.
    pub outcome: Option<Outcome>,
    /// Whether that is what had to happen.
    pub passed: bool,
    /// Why.
    pub reason: String,
}

/// Why results could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResultsError {
    /// Not JSON.
    #[error("the results are not JSON: {0}")]
    Syntax(String),
    /// Not an object of jobs.
    #[error("the results are not an object with a member for each job")]
    Shape,
    /// A job without a result.
    #[error(
        "the result of job `{job}` is {found}: expected success, failure, skipped or cancelled"
    )]
    Outcome {
        /// The job.
        job: String,
        /// What stands there.
        found: String,
    },
}

impl ResultsError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(
            "write `{\"build\": \"success\", …}`, or GitHub's `${{ toJSON(needs) }}` as it is"
                .into(),
        )
    }
}

impl Results {
    /// Reads `{"build": "success"}`, or GitHub's `needs` context `{"build": {"result": "success", …}}`.
    ///
    /// # Errors
    /// When the text is not of one of these forms.
    pub fn parse(text: &str) -> Result<Self, ResultsError> {
        let root: Value =
            serde_json::from_str(text).map_err(|error| ResultsError::Syntax(error.to_string()))?;
        let Value::Object(members) = root else {
            return Err(ResultsError::Shape);
        };
        let read = |(job, value): (String, Value)| {
            let word = value.get("result").unwrap_or(&value);
            let outcome = word
                .as_str()
                .and_then(outcome)
                .ok_or_else(|| ResultsError::Outcome {
                    job: job.clone(),
                    found: word.to_string(),
                })?;
            Ok((job, outcome))
        };
        members
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The results of a finished run in this process.
    pub fn from_outcomes(outcomes: impl IntoIterator<Item = (JobId, Outcome)>) -> Self {
        Self(
            outcomes
                .into_iter()
                .map(|(job, outcome)| (job.to_string(), outcome))
                .collect(),
        )
    }

    /// Measures the results against the plan's jobs. The gate itself needs no result: it is what is running.
    #[must_use]
    pub fn judge(&self, jobs: &[Job]) -> Verdict {
        let planned = jobs.iter().filter(|job| job.id != JobId::Gate).map(|job| {
            let outcome = self.0.get(job.id.as_str()).copied();
            judge_planned(job, outcome)
        });
        let unplanned = self
            .0
            .iter()
            .filter(|(name, _)| jobs.iter().all(|job| job.id.as_str() != name.as_str()));
        let jobs: Vec<JobVerdict> = planned
            .chain(unplanned.map(|(name, outcome)| judge_unplanned(name, *outcome)))
            .collect();
        Verdict {
            passed: jobs.iter().all(|job| job.passed),
            jobs,
        }
    }
}

fn outcome(word: &str) -> Option<Outcome> {
    Some(match word {
        "success" => Outcome::Success,
        "failure" | "failed" | "timed_out" | "startup_failure" | "action_required" => {
            Outcome::Failure
        }
        "skipped" => Outcome::Skipped,
        "cancelled" | "canceled" => Outcome::Cancelled,
        _ => return None,
    })
}

fn judge_planned(job: &Job, outcome: Option<Outcome>) -> JobVerdict {
    let (passed, reason) = match (job.state, outcome) {
        (_, Some(Outcome::Success)) => (true, "succeeded".to_owned()),
        (_, Some(Outcome::Failure)) => (false, "failed".to_owned()),
        (_, Some(Outcome::Cancelled)) => (false, "was cancelled".to_owned()),
        (JobState::Run, Some(Outcome::Skipped)) => {
            (false, "was skipped, but the plan says it runs".to_owned())
        }
        (JobState::Run, None) => (false, "has no result, but the plan says it runs".to_owned()),
        (JobState::Skip | JobState::Blocked, _) => {
            (true, format!("skipped as planned: {}", job.cause.root()))
        }
    };
    JobVerdict {
        job: job.id.to_string(),
        planned: Some(job.state),
        outcome,
        passed,
        reason,
    }
}

fn judge_unplanned(name: &str, outcome: Outcome) -> JobVerdict {
    let reason = match outcome {
        Outcome::Success => "succeeded",
        Outcome::Failure => "failed",
        Outcome::Skipped => "was skipped, and no plan says so",
        Outcome::Cancelled => "was cancelled",
    };
    JobVerdict {
        job: name.to_owned(),
        planned: None,
        outcome: Some(outcome),
        passed: outcome == Outcome::Success,
        reason: reason.to_owned(),
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::{Cause, Rule};

    fn job(state: JobState) -> Job {
        Job {
            id: JobId::Verify,
            needs: vec![JobId::Save],
            state,
            cause: Cause::new(Rule::Title, "which does not run: is in this title")
                .behind("needs `save`, which does not run: which does not run: is in this title"),
        }
    }

    #[test]
    fn the_truth_table_of_one_job() {
        use JobState::{Blocked, Run, Skip};
        for (state, result, passed, reason) in [
            (Run, Some("success"), true, "succeeded"),
            (Run, Some("failure"), false, "failed"),
            (
                Run,
                Some("skipped"),
                false,
                "was skipped, but the plan says it runs",
            ),
            (Run, Some("cancelled"), false, "was cancelled"),
            (Run, None, false, "has no result, but the plan says it runs"),
            (Skip, Some("success"), true, "succeeded"),
            (Skip, Some("failure"), false, "failed"),
            (
                Skip,
                Some("skipped"),
                true,
                "skipped as planned: which does not run: is in this title",
            ),
            (Skip, Some("cancelled"), false, "was cancelled"),
            (
                Skip,
                None,
                true,
                "skipped as planned: which does not run: is in this title",
            ),
            (Blocked, Some("success"), true, "succeeded"),
            (Blocked, Some("failure"), false, "failed"),
            (
                Blocked,
                Some("skipped"),
                true,
                "skipped as planned: which does not run: is in this title",
            ),
            (Blocked, Some("cancelled"), false, "was cancelled"),
            (
                Blocked,
                None,
                true,
                "skipped as planned: which does not run: is in this title",
            ),
        ] {
            let text = result.map_or("{}".to_owned(), |word| format!(r#"{{"verify":"{word}"}}"#));
            let verdict = Results::parse(&text).unwrap().judge(&[job(state)]);
            assert_eq!(verdict.passed, passed, "{state} {result:?}");
            assert_eq!(verdict.jobs[0].reason, reason, "{state} {result:?}");
        }
    }

    #[test]
    fn a_job_outside_the_plan_must_have_succeeded() {
        for (word, passed) in [
            ("success", true),
            ("skipped", false),
            ("failure", false),
            ("cancelled", false),
        ] {
            let results = Results::parse(&format!(r#"{{"lint":"{word}"}}"#)).unwrap();
            assert_eq!(results.judge(&[]).passed, passed, "{word}");
        }
    }

    #[test]
    fn the_needs_context_of_github_is_read_as_it_is() {
        let text = r#"{"verify":{"result":"success","outputs":{"digest":"x"}},"lint":{"result":"skipped","outputs":{}}}"#;
        let verdict = Results::parse(text).unwrap().judge(&[job(JobState::Run)]);
        let line = |job: &JobVerdict| format!("{} {} {}", job.job, job.passed, job.reason);
        assert_eq!(
            verdict.jobs.iter().map(line).collect::<Vec<_>>(),
            [
                "verify true succeeded",
                "lint false was skipped, and no plan says so"
            ]
        );
    }

    #[test]
    fn what_is_no_result_is_refused() {
        let message = |text: &str| Results::parse(text).unwrap_err().to_string();
        assert_eq!(
            message("[]"),
            "the results are not an object with a member for each job"
        );
        assert_eq!(
            message(r#"{"build":""}"#),
            r#"the result of job `build` is "": expected success, failure, skipped or cancelled"#
        );
        assert!(message("{").starts_with("the results are not JSON"));
    }
}
