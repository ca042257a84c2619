//! Which images are pushed, and which stay on the build machine.

use serde::{Deserialize, Serialize};

use crate::event::{Event, GitReference, Trigger};
use crate::pattern::Glob;

/// Where a built image goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Into the engine of the build machine and the store.
    Load,
    /// To its registries under its own names, too.
    Push,
}

/// Where an image goes, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Where.
    pub delivery: Delivery,
    /// Why, for people.
    #[serde(default, rename = "delivery_reason")]
    pub reason: String,
}

/// The section `[publish]`: which events push their image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PublishSettings {
    /// Globs of branches that are pushed even if `load_branches` covers them.
    #[serde(alias = "push_branches")]
    pub push_branches: Vec<Glob>,
    /// Globs of branches whose image stays on the build machine, as that of a pull request does.
    #[serde(alias = "load_branches")]
    pub load_branches: Vec<Glob>,
}

impl Default for PublishSettings {
    fn default() -> Self {
        Self {
            push_branches: Vec::new(),
            load_branches: vec![Glob::literal("feature/**")],
        }
    }
}

impl PublishSettings {
    /// Where the image of an event goes: a proposal's stays, whatever the settings say; a branch's and a tag's is pushed.
    #[must_use]
    pub fn destination(&self, event: &Event) -> Destination {
        let stays = |reason: String| Destination {
            delivery: Delivery::Load,
            reason,
        };
        let pushed = |reason: String| Destination {
            delivery: Delivery::Push,
            reason,
        };
        if let Some(proposal) = proposal(event) {
            return stays(format!("{proposal} publishes nothing"));
        }
        let branch = event.reference.as_ref().and_then(GitReference::branch);
        let covering = |globs: &[Glob]| {
            let branch = branch?;
            let glob = globs.iter().find(|glob| glob.is_match(branch))?;
            Some(format!("branch `{branch}` matches `{glob}`"))
        };
        match (covering(&self.push_branches), covering(&self.load_branches)) {
            (Some(covered), _) => pushed(format!("{covered} of `publish.push-branches`")),
            (None, Some(covered)) => stays(format!("{covered} of `publish.load-branches`")),
            (None, None) => pushed("what is merged or tagged is published".into()),
        }
    }
}

/// What kind of proposal the event is of, if it is of one: something that nobody has accepted yet.
fn proposal(event: &Event) -> Option<&'static str> {
    let upstream = event.upstream.as_ref().map(|run| run.event.as_str());
    match event.trigger {
        _ if event.is_fork() => Some("a pull request from a fork"),
        _ if event.pull_request.is_some() => Some("a pull request"),
        Trigger::PullRequest | Trigger::PullRequestTarget => Some("a pull request"),
        Trigger::MergeGroup => Some("a merge queue"),
        Trigger::Checkout => Some("a checkout"),
        Trigger::Other => Some("an event that barge does not know"),
        Trigger::WorkflowRun if upstream != Some("push") => {
            Some("a workflow that follows another than that of a push")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Environment;

    fn destination(name: &str, fields: &str) -> (Delivery, String) {
        let payload = format!(
            r#"{{"repository": {{"full_name": "a/b", "default_branch": "main"}}{fields}}}"#
        );
        let environment: Environment = [
            ("GITHUB_EVENT_NAME", name),
            ("GITHUB_SHA", "0123456789012345678901234567890123456789"),
        ]
        .into_iter()
        .collect();
        let event = Event::from_github(&environment, "event.json", &payload).unwrap();
        let settings = PublishSettings {
            push_branches: vec![Glob::literal("feature/beta")],
            ..PublishSettings::default()
        };
        let destination = settings.destination(&event);
        (destination.delivery, destination.reason)
    }

    #[test]
    fn what_is_merged_is_pushed_and_what_is_proposed_is_not() {
        let request = r#", "number": 7, "pull_request": {"title": "x",
            "head": {"ref": "main", "sha": "1123456789012345678901234567890123456789", "repo": {"full_name": "REPO"}},
            "base": {"ref": "main", "repo": {"full_name": "a/b"}}}"#;
        let run = r#", "workflow_run": {"event": "EVENT", "id": 1, "pull_requests": [],
            "head_sha": "1123456789012345678901234567890123456789"}"#;
        let cases = [
            ("push", r#", "ref": "refs/heads/main""#.to_owned(), true),
            ("push", r#", "ref": "refs/tags/v1""#.to_owned(), true),
            ("schedule", String::new(), true),
            (
                "push",
                r#", "ref": "refs/heads/feature/beta""#.to_owned(),
                true,
            ),
            (
                "push",
                r#", "ref": "refs/heads/feature/x""#.to_owned(),
                false,
            ),
            ("pull_request", request.replace("REPO", "a/b"), false),
            (
                "pull_request_target",
                request.replace("REPO", "fork/b"),
                false,
            ),
            (
                "merge_group",
                r#", "merge_group": {"head_ref": "refs/heads/gh-readonly-queue/main/pr-7"}"#
                    .to_owned(),
                false,
            ),
            ("workflow_run", run.replace("EVENT", "push"), true),
            ("workflow_run", run.replace("EVENT", "pull_request"), false),
            ("issue_comment", String::new(), false),
        ];
        for (name, fields, is_pushed) in cases {
            let (delivery, reason) = destination(name, &fields);
            assert_eq!(
                delivery == Delivery::Push,
                is_pushed,
                "{name}{fields}: {reason}"
            );
        }
        let (_, reason) = destination("push", r#", "ref": "refs/heads/feature/x""#);
        assert_eq!(
            reason,
            "branch `feature/x` matches `feature/**` of `publish.load-branches`"
        );
    }
}
