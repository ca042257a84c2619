//! Whether an event leads to a build, decided once, with the rule that decided.
//!
//! Order: a forced branch or label builds whatever else matches; then actor, labels, title, message and paths are
//! asked in this order and the first that matches skips; otherwise the build runs.

use serde::{Deserialize, Serialize};

use crate::event::{Event, Trigger};
use crate::pattern::{Glob, Pattern};

/// The section `[skip]`: what needs no build. The defaults are those of the pipeline that barge replaces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SkipSettings {
    /// Logins whose events need no build.
    pub actors: Vec<String>,
    /// Patterns of pull request titles.
    pub titles: Vec<Pattern>,
    /// Patterns of the first line of head commit messages.
    pub messages: Vec<Pattern>,
    /// Globs of files: skips when every changed file is covered, never when the event does not list its files.
    pub paths: Vec<Glob>,
    /// Labels of pull requests that need no build.
    pub labels: Vec<String>,
    /// Globs of branches that are always built, by the head branch on pull requests.
    #[serde(alias = "force_branches")]
    pub force_branches: Vec<Glob>,
    /// Labels of pull requests that are always built.
    #[serde(alias = "force_labels")]
    pub force_labels: Vec<String>,
    /// Whether to read the head commit's message from git when the event has none, as on pull requests.
    #[serde(alias = "read_head_commit")]
    pub read_head_commit: bool,
}

impl Default for SkipSettings {
    fn default() -> Self {
        let chores = || {
            ["/^chore:/i", "/^chore\\(deps/i"]
                .iter()
                .filter_map(|text| text.parse().ok())
                .collect()
        };
        Self {
            actors: vec!["renovate[bot]".into()],
            titles: chores(),
            messages: chores(),
            paths: Vec::new(),
            labels: Vec::new(),
            force_branches: vec![Glob::from("feature/**")],
            force_labels: Vec::new(),
            read_head_commit: false,
        }
    }
}

/// What a decision rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The rule: `force-branch`, `actor`, `label`, `title`, `message`, `paths`, … or `default`.
    pub rule: String,
    /// The rule's pattern and what it met, for people.
    pub reason: String,
}

/// The answer to "build or not".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// The event leads to a build.
    Build(Cause),
    /// It does not.
    Skip(Cause),
}

impl Cause {
    pub(crate) fn new(rule: &str, reason: impl Into<String>) -> Self {
        Self {
            rule: rule.to_owned(),
            reason: reason.into(),
        }
    }
}

impl SkipSettings {
    /// Decides for an event; `head_message` is git's answer where the settings ask for it.
    #[must_use]
    pub fn judge(&self, event: &Event, head_message: Option<&str>) -> Judgement {
        if let Some(cause) = self.force(event) {
            return Judgement::Build(cause);
        }
        let message = event
            .message
            .as_deref()
            .or(head_message.filter(|_| self.read_head_commit));
        let rules = [
            self.by_actor(event),
            self.by_label(event),
            self.by_title(event),
            self.by_message(message),
            self.by_paths(event),
        ];
        match rules.into_iter().flatten().next() {
            Some(cause) => Judgement::Skip(cause),
            None => Judgement::Build(Cause::new("default", "no skip rule matches")),
        }
    }

    fn force(&self, event: &Event) -> Option<Cause> {
        // What runs on this machine was asked for by a person.
        if event.trigger == Trigger::Checkout {
            return Some(Cause::new(
                "force-checkout",
                "a run in a checkout always builds",
            ));
        }
        if let Some(branch) = event.branch()
            && let Some(glob) = self
                .force_branches
                .iter()
                .find(|glob| glob.is_match(branch))
        {
            let reason = format!("branch `{branch}` matches `{glob}`, which is always built");
            return Some(Cause::new("force-branch", reason));
        }
        let label = find_label(event, &self.force_labels)?;
        Some(Cause::new(
            "force-label",
            format!("the pull request has the label `{label}`, which is always built"),
        ))
    }

    fn by_actor(&self, event: &Event) -> Option<Cause> {
        let actor = event.actor.as_ref()?;
        self.actors
            .contains(actor)
            .then(|| Cause::new("actor", format!("the actor is `{actor}`")))
    }

    fn by_label(&self, event: &Event) -> Option<Cause> {
        let label = find_label(event, &self.labels)?;
        Some(Cause::new(
            "label",
            format!("the pull request has the label `{label}`"),
        ))
    }

    fn by_title(&self, event: &Event) -> Option<Cause> {
        let title = event.pull_request.as_ref()?.title.as_deref()?;
        let pattern = self.titles.iter().find(|pattern| pattern.is_match(title))?;
        Some(Cause::new(
            "title",
            format!("the title `{title}` matches `{pattern}`"),
        ))
    }

    fn by_message(&self, message: Option<&str>) -> Option<Cause> {
        let subject = message?.lines().next()?;
        let pattern = self
            .messages
            .iter()
            .find(|pattern| pattern.is_match(subject))?;
        Some(Cause::new(
            "message",
            format!("the head commit's message `{subject}` matches `{pattern}`"),
        ))
    }

    fn by_paths(&self, event: &Event) -> Option<Cause> {
        let files = event
            .changed_files
            .as_ref()
            .filter(|files| !files.is_empty())?;
        let covered = |file: &String| self.paths.iter().any(|glob| glob.is_match(file));
        files.iter().all(covered).then(|| {
            Cause::new(
                "paths",
                format!("all {} changed files match `skip.paths`", files.len()),
            )
        })
    }
}

fn find_label<'e>(event: &'e Event, wanted: &[String]) -> Option<&'e String> {
    event
        .pull_request
        .as_ref()?
        .labels
        .iter()
        .find(|label| wanted.contains(label))
}

impl Cause {
    /// The reason at the bottom of a chain of blocked jobs.
    pub(crate) fn root(&self) -> &str {
        self.reason
            .rsplit("which does not run: ")
            .next()
            .unwrap_or(&self.reason)
    }
}
