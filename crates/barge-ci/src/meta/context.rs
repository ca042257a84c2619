//! What tags are made from: the event as the action sees it, before any meaning is read into it.

use serde_json::Value;

use super::date::{self, Instant};
use super::error::MetaError;
use crate::environment::Environment;
use crate::git::Git;

/// The repository as the forge describes it; nothing stands for an absent or empty value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RepositoryFacts {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) url: String,
    pub(crate) default_branch: Option<String>,
    pub(crate) license: String,
}

/// Everything that rules, templates and labels may refer to.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) event_name: String,
    pub(crate) sha: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) commit_date: Instant,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
    pub(crate) base_reference: Option<String>,
    pub(crate) default_branch: Option<String>,
    pub(crate) repository: RepositoryFacts,
    /// How long a short commit is, as the user wrote it.
    pub(crate) short_length: Option<String>,
    /// The zone of the process.
    pub(crate) local_zone: String,
    /// Whether events that always run for the default branch are told by their name, as the action does.
    pub(crate) default_by_event: bool,
    /// Expressions that only strict mode knows.
    pub(crate) extra: Vec<(&'static str, String)>,
}

impl RepositoryFacts {
    /// Reads the answer of `GET /repos/{owner}/{repo}`.
    pub(crate) fn from_api(answer: &Value) -> Self {
        let field = |value: Option<&Value>| value.map(truthy_text).unwrap_or_default();
        Self {
            name: field(answer.get("name")),
            description: field(answer.get("description")),
            url: field(answer.get("html_url")),
            default_branch: answer
                .get("default_branch")
                .and_then(Value::as_str)
                .map(str::to_owned),
            license: field(
                answer
                    .get("license")
                    .and_then(|license| license.get("spdx_id")),
            ),
        }
    }
}

/// `${value || ''}`.
fn truthy_text(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::Number(number) if number.as_f64() == Some(0.0) => String::new(),
        other => text_of(other),
    }
}

/// A JSON value as JavaScript puts it into a template literal.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number
            .as_f64()
            .map(super::ecmascript::number_text)
            .unwrap_or_default(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        Value::Object(_) => "[object Object]".into(),
    }
}

/// The branch that a reference is for: of the payload's `base_ref` for tags, of the pull request's base for its merges.
pub(super) fn base_reference(reference: Option<&str>, payload: &Value) -> Option<String> {
    let reference = reference?;
    let field = if reference.starts_with("refs/tags/") {
        payload.get("base_ref")
    } else if reference.starts_with("refs/pull/") {
        payload.get("pull_request")?.get("base")?.get("ref")
    } else {
        None
    };
    let text = text_of(field.filter(|value| !value.is_null())?);
    let short = text
        .strip_prefix("refs/heads/")
        .filter(|_| reference.starts_with("refs/tags/"));
    Some(short.map_or(text.clone(), str::to_owned))
}

/// The reference and commit of the workflow's event.
pub(super) fn from_workflow(
    environment: &Environment,
    payload: &Value,
) -> (Option<String>, Option<String>) {
    let event_name = environment.or_empty("GITHUB_EVENT_NAME");
    let mut reference = environment.get("GITHUB_REF").map(str::to_owned);
    let mut sha = environment.get("GITHUB_SHA").map(str::to_owned);
    if event_name.contains("pull_request_target") {
        let number = payload
            .get("number")
            .map_or_else(|| "undefined".to_owned(), text_of);
        reference = Some(format!("refs/pull/{number}/merge"));
    }
    let wants_head = environment
        .or_empty("DOCKER_METADATA_PR_HEAD_SHA")
        .to_lowercase()
        .contains("true");
    if wants_head && event_name.contains("pull_request") {
        let head = payload
            .get("pull_request")
            .and_then(|change| change.get("head")?.get("sha"));
        if let Some(head) = head.filter(|head| !head.is_null()) {
            sha = Some(text_of(head));
        }
    }
    (reference, sha)
}

/// When the payload says the commit was made; the outer nothing means that it does not say.
pub(super) fn commit_date_in_payload(payload: &Value, sha: Option<&str>) -> Option<Instant> {
    let is_commit = |entry: &Value| entry.get("id").and_then(Value::as_str) == sha;
    let listed = payload.get("commits").and_then(Value::as_array);
    let timestamp = listed.and_then(|commits| {
        commits
            .iter()
            .find(|entry| is_commit(entry))?
            .get("timestamp")
    });
    if let Some(timestamp) = timestamp.filter(|value| !truthy_text(value).is_empty()) {
        return Some(date::from_json(timestamp));
    }
    let head = payload
        .get("head_commit")
        .filter(|head| !head.is_null() && is_commit(head))?;
    Some(head.get("timestamp").and_then(date::from_json))
}

/// The reference, commit and commit date of the checkout.
pub(super) fn from_git(git: &dyn Git) -> Result<(String, String, Instant), MetaError> {
    let run = |arguments: &[&str]| {
        git.run(arguments)
            .map_err(|error| MetaError::Git(error.message))
    };
    let reference = if run(&["branch", "--show-current"])?.is_empty() {
        detached_reference(&run)?
    } else {
        run(&["symbolic-ref", "HEAD"])?
    };
    let sha = run(&["show", "--format=%H", "HEAD", "--quiet", "--"])?;
    let date = run(&["show", "-s", "--format=%ci", &sha])?;
    Ok((reference, sha, date::parse(&date)))
}

/// Guesses the reference of a detached head from its decoration, by the action's rules.
fn detached_reference(
    run: &dyn Fn(&[&str]) -> Result<String, MetaError>,
) -> Result<String, MetaError> {
    let decoration = run(&["show", "-s", "--pretty=%D"])?;
    let names = decoration
        .strip_prefix("grafted, ")
        .unwrap_or(&decoration)
        .trim();
    if names == "HEAD" {
        return containing_reference(run);
    }
    let first = names
        .strip_prefix("HEAD, ")
        .map(str::trim)
        .filter(|first| !first.is_empty());
    let first = first.ok_or_else(|| {
        MetaError::Git(format!("Cannot find detached HEAD ref in \"{decoration}\""))
    })?;
    if let Some(tags) = first.strip_prefix("tag: ") {
        // Names of tags may hold commas, but no spaces.
        let tag = tags.split(", ").next().unwrap_or(tags);
        return Ok(format!("refs/tags/{tag}"));
    }
    if is_pull_request(first) {
        return Ok(format!("refs/{first}"));
    }
    branch_of(first).map_or_else(
        || {
            Err(MetaError::Git(format!(
                "Unsupported detached HEAD ref in \"{decoration}\""
            )))
        },
        |branch| Ok(format!("refs/heads/{branch}")),
    )
}

/// `pull/<number>/head` or `pull/<number>/merge`.
fn is_pull_request(name: &str) -> bool {
    let number = name
        .strip_prefix("pull/")
        .and_then(|rest| rest.strip_suffix("/head").or(rest.strip_suffix("/merge")));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|c| c.is_ascii_digit()))
}

/// The branch in `<remote>/<name>, <name>` or `<remote>/<name>`.
fn branch_of(decoration: &str) -> Option<&str> {
    let (remote, rest) = decoration.split_once('/')?;
    if remote.is_empty() || rest.is_empty() {
        return None;
    }
    // A comma ends the first name only if that has no further slash before it.
    let second = rest
        .match_indices(", ")
        .map(|(at, _)| at)
        .find(|at| *at > 0 && at + 2 < rest.len());
    match second.filter(|at| !rest[..*at].contains('/')) {
        Some(at) => {
            // The expression is greedy up to the last comma that still leaves one part without a slash.
            let last = rest
                .match_indices(", ")
                .map(|(at, _)| at)
                .take_while(|at| !rest[..*at].contains('/'))
                .last();
            Some(rest[last.unwrap_or(at) + 2..].trim())
        }
        None => Some(rest.trim()),
    }
}

/// The first local branch, remote branch or tag that contains the head.
fn containing_reference(
    run: &dyn Fn(&[&str]) -> Result<String, MetaError>,
) -> Result<String, MetaError> {
    let first = |text: String| {
        text.lines()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .map(str::to_owned)
    };
    let containing = |scope: &str| {
        run(&[
            "for-each-ref",
            "--format=%(refname)",
            "--contains",
            "HEAD",
            "--sort=-committerdate",
            scope,
        ])
        .map(first)
    };
    if let Some(branch) = containing("refs/heads/")? {
        return Ok(branch);
    }
    if let Some(remote) = containing("refs/remotes/")? {
        let branch = remote
            .strip_prefix("refs/remotes/")
            .and_then(|rest| rest.split_once('/'));
        return Ok(match branch {
            Some((_, branch)) if !branch.is_empty() => format!("refs/heads/{branch}"),
            _ => remote,
        });
    }
    match first(run(&["tag", "--contains", "HEAD"])?) {
        Some(tag) => Ok(format!("refs/tags/{tag}")),
        None => Err(MetaError::Git("Cannot infer ref from detached HEAD".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_are_read_from_decorations() {
        for (decoration, expected) in [
            ("origin/main, main", Some("main")),
            ("origin/main", Some("main")),
            ("origin/feature/deep/x", Some("feature/deep/x")),
            ("release/2.x", Some("2.x")),
            ("main", None),
        ] {
            assert_eq!(branch_of(decoration), expected, "{decoration}");
        }
        assert!(is_pull_request("pull/12/merge"));
        assert!(!is_pull_request("pull/x/merge"));
    }

    #[test]
    fn the_base_is_where_the_reference_says() {
        let payload = serde_json::json!({"base_ref": "refs/heads/main", "pull_request": {"base": {"ref": "dev"}}});
        assert_eq!(
            base_reference(Some("refs/tags/v1"), &payload).as_deref(),
            Some("main")
        );
        assert_eq!(
            base_reference(Some("refs/pull/1/merge"), &payload).as_deref(),
            Some("dev")
        );
        assert_eq!(base_reference(Some("refs/heads/x"), &payload), None);
        assert_eq!(
            base_reference(Some("refs/tags/v1"), &serde_json::json!({"base_ref": null})),
            None
        );
    }
}
