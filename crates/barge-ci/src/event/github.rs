//! Events of GitHub Actions and of Forgejo and Gitea Actions, which set the same variables.
//!
//! Follows GitHub's "Events that trigger workflows" and "Webhook events and payloads". A variable that is set wins
//! over the payload; what no variable says is taken from the payload, so that a payload file alone describes an event.

use std::collections::BTreeMap;

use serde_json::Value;

use super::payload::Payload;
use super::{
    CommitId, Event, EventError, Forge, GitReference, PullRequest, Repository, Run, Trigger,
    UpstreamRun,
};
use crate::environment::Environment;

/// GitHub lists at most so many commits of a push in its payload.
const COMMIT_LIMIT: usize = 20;

impl Event {
    /// Reads an event from GitHub's variables and the text of the payload file at `path`.
    ///
    /// # Errors
    /// When a variable or a field of the payload that the kind of event must have is missing or malformed.
    pub fn from_github(
        environment: &Environment,
        path: &str,
        text: &str,
    ) -> Result<Self, EventError> {
        let payload = Payload::parse(path, text)?;
        let name = match environment.non_empty("GITHUB_EVENT_NAME") {
            Some(name) => name.to_owned(),
            None => guess_name(&payload)?.to_owned(),
        };
        let trigger = trigger(&name);
        let pull_request = pull_request(trigger, &payload)?;
        let commit = commit(environment, trigger, &payload)?;
        let head = head(trigger, &payload)?.unwrap_or_else(|| commit.clone());
        let reference = reference(environment, trigger, &payload, pull_request.as_ref())?;
        Ok(Self {
            forge: forge(environment),
            trigger,
            repository: repository(environment, &payload)?,
            reference,
            commit,
            head,
            message: payload
                .owned("head_commit.message")?
                .or(payload.owned("merge_group.head_commit.message")?),
            pull_request,
            actor: match environment.non_empty("GITHUB_ACTOR") {
                Some(login) => Some(login.to_owned()),
                None => payload.owned("sender.login")?,
            },
            previous: previous(trigger, &payload)?,
            changed_files: changed_files(&payload),
            upstream: upstream(trigger, &payload)?,
            inputs: inputs(&payload),
            run: run(environment)?,
            name,
        })
    }
}

fn forge(environment: &Environment) -> Forge {
    if environment.is_true("FORGEJO_ACTIONS") || environment.is_true("GITEA_ACTIONS") {
        Forge::Forgejo
    } else {
        Forge::GitHub
    }
}

fn trigger(name: &str) -> Trigger {
    match name {
        "push" => Trigger::Push,
        "pull_request"
        | "pull_request_review"
        | "pull_request_review_comment"
        | "pull_request_sync" => Trigger::PullRequest,
        "pull_request_target" => Trigger::PullRequestTarget,
        "merge_group" => Trigger::MergeGroup,
        "schedule" => Trigger::Schedule,
        "release" => Trigger::Release,
        "create" => Trigger::Create,
        "workflow_dispatch" => Trigger::Manual,
        "workflow_run" => Trigger::WorkflowRun,
        "repository_dispatch" => Trigger::Dispatch,
        _ => Trigger::Other,
    }
}

/// A payload names its event only by its shape.
fn guess_name(payload: &Payload) -> Result<&'static str, EventError> {
    const SHAPES: [(&str, &str); 9] = [
        ("pull_request", "pull_request"),
        ("merge_group", "merge_group"),
        ("workflow_run", "workflow_run"),
        ("release", "release"),
        ("client_payload", "repository_dispatch"),
        ("schedule", "schedule"),
        ("ref_type", "create"),
        ("commits", "push"),
        ("workflow", "workflow_dispatch"),
    ];
    SHAPES
        .iter()
        .find(|(field, _)| payload.has(field))
        .map(|(_, name)| *name)
        .ok_or(EventError::Variable("GITHUB_EVENT_NAME"))
}

fn repository(environment: &Environment, payload: &Payload) -> Result<Repository, EventError> {
    let path = match environment.non_empty("GITHUB_REPOSITORY") {
        Some(path) => path,
        None => payload.required_text("repository.full_name")?,
    };
    let (owner, name) = path
        .split_once('/')
        .ok_or_else(|| EventError::VariableValue {
            name: "GITHUB_REPOSITORY",
            value: path.to_owned(),
            expected: "`owner/name`",
        })?;
    Ok(Repository {
        owner: owner.to_owned(),
        name: name.to_owned(),
        default_branch: payload.owned("repository.default_branch")?,
        url: payload.owned("repository.html_url")?,
        description: payload.owned("repository.description")?,
        license: payload
            .owned("repository.license.spdx_id")?
            .filter(|license| license != "NOASSERTION"),
        registry: registry(environment, path),
    })
}

/// Forgejo and Gitea keep images beside the code, on the same host.
fn registry(environment: &Environment, path: &str) -> Option<String> {
    let host = environment
        .non_empty("GITHUB_SERVER_URL")?
        .split_once("://")?
        .1;
    (forge(environment) == Forge::Forgejo).then(|| format!("{}/{path}", host.trim_end_matches('/')))
}

fn commit(
    environment: &Environment,
    trigger: Trigger,
    payload: &Payload,
) -> Result<CommitId, EventError> {
    if let Some(sha) = environment.non_empty("GITHUB_SHA") {
        return sha.parse().map_err(|_| EventError::VariableValue {
            name: "GITHUB_SHA",
            value: sha.to_owned(),
            expected: "a commit",
        });
    }
    let fields: &[&str] = match trigger {
        Trigger::PullRequest => &["pull_request.merge_commit_sha", "pull_request.head.sha"],
        Trigger::PullRequestTarget => &["pull_request.base.sha"],
        Trigger::MergeGroup => &["merge_group.head_sha"],
        Trigger::WorkflowRun => &["workflow_run.head_sha"],
        _ => &["after"],
    };
    for field in fields {
        if let Some(commit) = payload.commit(field)? {
            return Ok(commit);
        }
    }
    Err(EventError::Variable("GITHUB_SHA"))
}

fn head(trigger: Trigger, payload: &Payload) -> Result<Option<CommitId>, EventError> {
    match trigger {
        Trigger::PullRequest | Trigger::PullRequestTarget => {
            payload.commit("pull_request.head.sha")
        }
        Trigger::WorkflowRun => payload.commit("workflow_run.head_sha"),
        _ => Ok(None),
    }
}

fn reference(
    environment: &Environment,
    trigger: Trigger,
    payload: &Payload,
    pull_request: Option<&PullRequest>,
) -> Result<Option<GitReference>, EventError> {
    let text = match (environment.non_empty("GITHUB_REF"), trigger, pull_request) {
        (Some(text), _, _) => text.to_owned(),
        (None, Trigger::PullRequest, Some(change)) => format!("refs/pull/{}/merge", change.number),
        (None, Trigger::PullRequestTarget, _) => match payload.text("pull_request.base.ref")? {
            Some(branch) => format!("refs/heads/{branch}"),
            None => return Ok(None),
        },
        (None, Trigger::MergeGroup, _) => payload.required_text("merge_group.head_ref")?.to_owned(),
        (None, Trigger::Release, _) => {
            format!("refs/tags/{}", payload.required_text("release.tag_name")?)
        }
        (None, Trigger::Create, _) => {
            let folder = match payload.text("ref_type")? {
                Some("tag") => "tags",
                _ => "heads",
            };
            format!("refs/{folder}/{}", payload.required_text("ref")?)
        }
        (None, _, _) => match (
            payload.text("ref")?,
            payload.text("repository.default_branch")?,
        ) {
            (Some(text), _) => text.to_owned(),
            (None, Some(branch)) => format!("refs/heads/{branch}"),
            (None, None) => return Ok(None),
        },
    };
    Ok(text.parse().ok())
}

fn pull_request(trigger: Trigger, payload: &Payload) -> Result<Option<PullRequest>, EventError> {
    match trigger {
        Trigger::PullRequest | Trigger::PullRequestTarget => full_pull_request(payload).map(Some),
        Trigger::WorkflowRun => upstream_pull_request(payload),
        _ => Ok(None),
    }
}

fn full_pull_request(payload: &Payload) -> Result<PullRequest, EventError> {
    let number = payload
        .number("pull_request.number")?
        .or(payload.number("number")?);
    let head_repository = payload.owned("pull_request.head.repo.full_name")?;
    let base_repository = payload.text("pull_request.base.repo.full_name")?;
    let base_repository = base_repository.or(payload.text("repository.full_name")?);
    let labels = payload.list("pull_request.labels").iter();
    Ok(PullRequest {
        number: number.ok_or_else(|| payload.unusable("pull_request.number", "a number"))?,
        title: payload.owned("pull_request.title")?,
        head_branch: Some(payload.required_text("pull_request.head.ref")?.to_owned()),
        fork: head_repository.as_deref() != base_repository,
        head_repository,
        base_branch: Some(payload.required_text("pull_request.base.ref")?.to_owned()),
        draft: payload.flag("pull_request.draft"),
        labels: labels
            .filter_map(|label| label.get("name")?.as_str().map(str::to_owned))
            .collect(),
    })
}

/// A workflow run lists the pull requests of its commit, but none that comes from a fork.
fn upstream_pull_request(payload: &Payload) -> Result<Option<PullRequest>, EventError> {
    let Some(first) = payload.list("workflow_run.pull_requests").first() else {
        return Ok(None);
    };
    let number = first.get("number").and_then(Value::as_u64);
    let branch = |side: &str| first.get(side)?.get("ref")?.as_str().map(str::to_owned);
    let head_repository = payload.owned("workflow_run.head_repository.full_name")?;
    Ok(Some(PullRequest {
        number: number.ok_or_else(|| {
            payload.unusable("workflow_run.pull_requests", "pull requests with a number")
        })?,
        title: None,
        head_branch: branch("head"),
        base_branch: branch("base"),
        fork: head_repository.is_some()
            && head_repository.as_deref() != payload.text("repository.full_name")?,
        head_repository,
        draft: false,
        labels: Vec::new(),
    }))
}

fn upstream(trigger: Trigger, payload: &Payload) -> Result<Option<UpstreamRun>, EventError> {
    if trigger != Trigger::WorkflowRun {
        return Ok(None);
    }
    let head = payload.commit("workflow_run.head_sha")?;
    Ok(Some(UpstreamRun {
        event: payload.required_text("workflow_run.event")?.to_owned(),
        id: payload.number("workflow_run.id")?,
        head: head.ok_or_else(|| payload.unusable("workflow_run.head_sha", "a commit"))?,
        branch: payload.owned("workflow_run.head_branch")?,
        conclusion: payload.owned("workflow_run.conclusion")?,
    }))
}

/// A branch that is new was at the commit of noughts before.
fn previous(trigger: Trigger, payload: &Payload) -> Result<Option<CommitId>, EventError> {
    let is_push = trigger == Trigger::Push && !payload.flag("created");
    is_push
        .then(|| payload.commit("before"))
        .transpose()
        .map(Option::flatten)
}

/// The files of all commits, or nothing when the payload may have left some out.
fn changed_files(payload: &Payload) -> Option<Vec<String>> {
    let commits = payload.list("commits");
    if commits.is_empty()
        || commits.len() >= COMMIT_LIMIT
        || payload.flag("forced")
        || payload.flag("created")
    {
        return None;
    }
    let mut files = Vec::new();
    for commit in commits {
        for kind in ["added", "modified", "removed"] {
            files.extend(
                commit
                    .get(kind)?
                    .as_array()?
                    .iter()
                    .filter_map(|file| file.as_str().map(str::to_owned)),
            );
        }
    }
    files.sort();
    files.dedup();
    Some(files)
}

fn inputs(payload: &Payload) -> BTreeMap<String, String> {
    let entries = payload.get("inputs").and_then(Value::as_object);
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    entries
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

fn run(environment: &Environment) -> Result<Option<Run>, EventError> {
    let Some(id) = environment.non_empty("GITHUB_RUN_ID") else {
        return Ok(None);
    };
    let attempt = environment.non_empty("GITHUB_RUN_ATTEMPT").unwrap_or("1");
    let server = environment.non_empty("GITHUB_SERVER_URL");
    let repository = environment.non_empty("GITHUB_REPOSITORY");
    Ok(Some(Run {
        id: id.to_owned(),
        attempt: attempt.parse().map_err(|_| EventError::VariableValue {
            name: "GITHUB_RUN_ATTEMPT",
            value: attempt.to_owned(),
            expected: "a number",
        })?,
        url: server
            .zip(repository)
            .map(|(server, path)| format!("{server}/{path}/actions/runs/{id}")),
    }))
}
