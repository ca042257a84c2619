//! What becomes of jobs, steps, images and artifacts.

use serde::Serialize;

use super::handoff::Handoff;

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
