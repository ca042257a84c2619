//! Events of GitLab CI, from its predefined variables ("Predefined CI/CD variables reference"); there is no payload.

use std::collections::BTreeMap;

use super::{
    CommitId, Event, EventError, Forge, GitReference, PullRequest, Repository, Run, Trigger,
};
use crate::environment::Environment;

const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

impl Event {
    /// Reads an event from GitLab's variables.
    ///
    /// # Errors
    /// When a variable that GitLab always sets is missing or malformed.
    pub fn from_gitlab(environment: &Environment) -> Result<Self, EventError> {
        let name = required(environment, "CI_PIPELINE_SOURCE")?;
        let pull_request = merge_request(environment)?;
        let commit =
            commit(environment, "CI_COMMIT_SHA")?.ok_or(EventError::Variable("CI_COMMIT_SHA"))?;
        let previous = before_push(environment)?;
        // Merged-results pipelines run for a trial merge and name the head of the branch beside it.
        let head = commit_of_branch(environment)?.unwrap_or_else(|| commit.clone());
        Ok(Self {
            forge: Forge::GitLab,
            trigger: trigger(name, environment),
            name: name.to_owned(),
            repository: repository(environment)?,
            reference: reference(environment, pull_request.as_ref()),
            message: pull_request
                .is_none()
                .then(|| owned(environment, "CI_COMMIT_MESSAGE"))
                .flatten(),
            commit,
            head,
            pull_request,
            actor: owned(environment, "GITLAB_USER_LOGIN"),
            previous,
            changed_files: None,
            upstream: None,
            inputs: BTreeMap::new(),
            run: environment.non_empty("CI_PIPELINE_ID").map(|id| Run {
                id: id.to_owned(),
                attempt: 1,
                url: owned(environment, "CI_PIPELINE_URL"),
            }),
        })
    }
}

fn required<'e>(environment: &'e Environment, name: &'static str) -> Result<&'e str, EventError> {
    environment
        .non_empty(name)
        .ok_or(EventError::Variable(name))
}

fn owned(environment: &Environment, name: &str) -> Option<String> {
    environment.non_empty(name).map(str::to_owned)
}

fn commit(environment: &Environment, name: &'static str) -> Result<Option<CommitId>, EventError> {
    let Some(text) = environment
        .non_empty(name)
        .filter(|text| *text != NO_COMMIT)
    else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| EventError::VariableValue {
            name,
            value: text.to_owned(),
            expected: "a commit",
        })
}

/// What the branch stood for before, unless it is new.
fn before_push(environment: &Environment) -> Result<Option<CommitId>, EventError> {
    commit(environment, "CI_COMMIT_BEFORE_SHA")
}

fn commit_of_branch(environment: &Environment) -> Result<Option<CommitId>, EventError> {
    commit(environment, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
}

fn trigger(source: &str, environment: &Environment) -> Trigger {
    match source {
        "push" => Trigger::Push,
        "merge_request_event"
            if environment.get("CI_MERGE_REQUEST_EVENT_TYPE") == Some("merge_train") =>
        {
            Trigger::MergeGroup
        }
        "merge_request_event" | "external_pull_request_event" => Trigger::PullRequest,
        "schedule" => Trigger::Schedule,
        "web" | "webide" | "chat" => Trigger::Manual,
        "parent_pipeline" | "pipeline" => Trigger::WorkflowRun,
        "api" | "trigger" => Trigger::Dispatch,
        _ => Trigger::Other,
    }
}

fn repository(environment: &Environment) -> Result<Repository, EventError> {
    let path = required(environment, "CI_PROJECT_PATH")?;
    // Groups nest: only the last part is the project.
    let (owner, name) = path
        .rsplit_once('/')
        .ok_or_else(|| EventError::VariableValue {
            name: "CI_PROJECT_PATH",
            value: path.to_owned(),
            expected: "`group/project`",
        })?;
    Ok(Repository {
        owner: owner.to_owned(),
        name: name.to_owned(),
        default_branch: owned(environment, "CI_DEFAULT_BRANCH"),
        url: owned(environment, "CI_PROJECT_URL"),
        description: owned(environment, "CI_PROJECT_DESCRIPTION"),
        license: None,
        registry: owned(environment, "CI_REGISTRY_IMAGE"),
    })
}

fn reference(
    environment: &Environment,
    pull_request: Option<&PullRequest>,
) -> Option<GitReference> {
    if let Some(tag) = environment.non_empty("CI_COMMIT_TAG") {
        return Some(GitReference::Tag(tag.to_owned()));
    }
    if let Some(change) = pull_request {
        let path = owned(environment, "CI_MERGE_REQUEST_REF_PATH");
        let path = path.unwrap_or_else(|| format!("refs/merge-requests/{}/head", change.number));
        return Some(GitReference::Other(path));
    }
    owned(environment, "CI_COMMIT_BRANCH")
        .or_else(|| owned(environment, "CI_COMMIT_REF_NAME"))
        .map(GitReference::Branch)
}

fn merge_request(environment: &Environment) -> Result<Option<PullRequest>, EventError> {
    let Some(number) = environment.non_empty("CI_MERGE_REQUEST_IID") else {
        return Ok(None);
    };
    let head_repository = owned(environment, "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH");
    let base_repository = environment.non_empty("CI_MERGE_REQUEST_PROJECT_PATH");
    let base_repository = base_repository.or(environment.non_empty("CI_PROJECT_PATH"));
    let labels = environment.or_empty("CI_MERGE_REQUEST_LABELS").split(',');
    Ok(Some(PullRequest {
        number: number.parse().map_err(|_| EventError::VariableValue {
            name: "CI_MERGE_REQUEST_IID",
            value: number.to_owned(),
            expected: "a number",
        })?,
        title: owned(environment, "CI_MERGE_REQUEST_TITLE"),
        head_branch: owned(environment, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"),
        fork: head_repository.is_some() && head_repository.as_deref() != base_repository,
        head_repository,
        base_branch: owned(environment, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"),
        draft: environment.is_true("CI_MERGE_REQUEST_DRAFT"),
        labels: labels
            .map(str::trim)
            .filter(|label| !label.is_empty())
            .map(str::to_owned)
            .collect(),
    }))
}
