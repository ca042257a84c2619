//! The event itself, in terms that all forges share.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CommitId, GitReference};

/// Something that happened to a repository and may lead to a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Where the event came from.
    pub forge: Forge,
    /// What kind of event it was.
    pub trigger: Trigger,
    /// The event's name as the forge spells it.
    pub name: String,
    /// The repository that the job runs for.
    pub repository: Repository,
    /// The git reference that the job runs for.
    pub reference: Option<GitReference>,
    /// The commit that the forge checks out: the merge commit on `pull_request`, the base on `pull_request_target`.
    pub commit: CommitId,
    /// The newest commit of the author: the head of the pull request's branch, else the same as `commit`.
    pub head: CommitId,
    /// The message of the head commit; no pull request event carries it.
    pub message: Option<String>,
    /// The pull request that the event belongs to.
    pub pull_request: Option<PullRequest>,
    /// The login that caused the event.
    pub actor: Option<String>,
    /// What the pushed branch stood for before, if it was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<CommitId>,
    /// Files that the push touched, if the event lists them completely.
    pub changed_files: Option<Vec<String>>,
    /// The run of another workflow that triggered this one.
    pub upstream: Option<UpstreamRun>,
    /// Inputs of a manual run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, String>,
    /// The CI run that handles the event.
    pub run: Option<Run>,
}

/// The system that reported an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Forge {
    /// GitHub or GitHub Enterprise.
    GitHub,
    /// Forgejo or Gitea, whose runners set GitHub's variables.
    Forgejo,
    /// GitLab.
    GitLab,
    /// No forge: a git checkout on this machine.
    Local,
}

/// The kind of an event, in terms that all forges share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A branch or tag was pushed.
    Push,
    /// A pull or merge request was opened or changed; code of the request is checked out.
    PullRequest,
    /// The same with the rights and the code of the base branch.
    PullRequestTarget,
    /// A merge queue or merge train tests its candidate.
    MergeGroup,
    /// A timer.
    Schedule,
    /// A release was made or changed.
    Release,
    /// A branch or tag was created.
    Create,
    /// A person or program started the run by hand.
    Manual,
    /// Another workflow of the repository started or ended.
    WorkflowRun,
    /// Another program asked for the run over the API.
    Dispatch,
    /// The state of a checkout on this machine.
    Checkout,
    /// Any other event, known by its name only.
    Other,
}

/// The repository that a job runs for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// User, organisation or group; GitLab's may hold slashes.
    pub owner: String,
    /// The last part of the path.
    pub name: String,
    /// The branch that new work starts from.
    pub default_branch: Option<String>,
    /// The page of the repository.
    pub url: Option<String>,
    /// The one-line description.
    pub description: Option<String>,
    /// The SPDX identifier of the licence that the forge detected.
    pub license: Option<String>,
    /// Where the forge keeps the repository's images, if it says so.
    #[serde(default)]
    pub registry: Option<String>,
}

/// A pull request, or merge request on GitLab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// The number that people know it by.
    pub number: u64,
    /// The title; events of other workflows do not carry it.
    pub title: Option<String>,
    /// The branch that holds the change.
    pub head_branch: Option<String>,
    /// The repository that holds the change, `owner/name`; `None` when it was deleted.
    pub head_repository: Option<String>,
    /// The branch that the change shall go to.
    pub base_branch: Option<String>,
    /// Whether the change comes from another repository, so that tokens are read-only and secrets absent.
    pub fork: bool,
    /// Whether it is marked as not ready.
    pub draft: bool,
    /// Names of its labels.
    pub labels: Vec<String>,
}

/// The run of another workflow that triggered this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamRun {
    /// The event that the other run handled.
    pub event: String,
    /// Its identifier.
    pub id: Option<u64>,
    /// The commit that it ran for.
    pub head: CommitId,
    /// The branch that it ran for.
    pub branch: Option<String>,
    /// How it ended, if it has.
    pub conclusion: Option<String>,
}

/// The CI run that handles an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The identifier, unique in the repository.
    pub id: String,
    /// Counts the attempts from 1.
    pub attempt: u32,
    /// The page of the run.
    pub url: Option<String>,
}

impl Event {
    /// The branch whose work this is: the pushed branch, or the head branch of the pull request.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        match &self.pull_request {
            Some(change) => change.head_branch.as_deref(),
            None => self.reference.as_ref().and_then(GitReference::branch),
        }
    }

    /// Whether the job runs for the default branch itself, not for a pull request to or from it.
    #[must_use]
    pub fn is_default_branch(&self) -> bool {
        let branch = self.reference.as_ref().and_then(GitReference::branch);
        self.pull_request.is_none()
            && branch.is_some()
            && branch == self.repository.default_branch.as_deref()
    }

    /// Whether the checked-out commit is a trial merge that the forge made.
    #[must_use]
    pub fn is_merge_commit(&self) -> bool {
        self.trigger == Trigger::PullRequest && self.commit != self.head
    }

    /// Whether the code comes from another repository than the job's.
    #[must_use]
    pub fn is_fork(&self) -> bool {
        self.pull_request.as_ref().is_some_and(|change| change.fork)
    }

    /// The commit whose pull request has to be asked of the forge, because the event should name one and does not.
    #[must_use]
    pub fn missing_pull_request(&self) -> Option<&CommitId> {
        let upstream = self.upstream.as_ref()?;
        (self.pull_request.is_none() && upstream.event.starts_with("pull_request"))
            .then_some(&upstream.head)
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Push => "push",
            Self::PullRequest => "pull request",
            Self::PullRequestTarget => "pull request (base branch)",
            Self::MergeGroup => "merge queue",
            Self::Schedule => "schedule",
            Self::Release => "release",
            Self::Create => "create",
            Self::Manual => "manual run",
            Self::WorkflowRun => "workflow run",
            Self::Dispatch => "dispatch",
            Self::Checkout => "checkout",
            Self::Other => "other event",
        })
    }
}
