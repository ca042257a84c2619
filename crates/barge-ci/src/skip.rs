//! Whether an event leads to a build, decided once, with the rule that decided.
//!
//! Order: a forced branch or label builds whatever else matches; then actor, labels, title, message and paths are
//! asked in this order and the first that matches skips; otherwise the build runs.

use serde::{Deserialize, Serialize};

use crate::cause::{Cause, Rule};
use crate::event::{Event, Trigger};
use crate::facts::{Changes, Facts};
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
    /// Globs of files: skips when every changed file is covered, never when neither event nor git knows which changed.
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
            force_branches: vec![Glob::literal("feature/**")],
            force_labels: Vec::new(),
            read_head_commit: false,
        }
    }
}

/// The answer to "build or not".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// The event leads to a build.
    Build(Cause),
    /// It does not.
    Skip(Cause),
}

impl SkipSettings {
    /// Decides for an event, with git's answers where the settings ask for them.
    #[must_use]
    pub fn judge(&self, event: &Event, facts: &Facts<'_>) -> Judgement {
        if let Some(cause) = self.force(event) {
            return Judgement::Build(cause);
        }
        let message = event
            .message
            .as_deref()
            .or(facts.head_message.filter(|_| self.read_head_commit));
        let rules = [
            self.by_actor(event),
            self.by_label(event),
            self.by_title(event),
            self.by_message(message),
            self.by_paths(event, &facts.changes),
        ];
        match rules.into_iter().flatten().next() {
            Some(cause) => Judgement::Skip(cause),
            None => Judgement::Build(Cause::new(
                Rule::Default,
                self.nothing_matches(event, facts),
            )),
        }
    }

    /// Whether git has to be asked which files changed, because a rule is about them and the event does not say.
    #[must_use]
    pub fn wants_changes(&self, event: &Event) -> bool {
        !self.paths.is_empty() && event.changed_files.is_none()
    }

    /// A rule that could not be applied is told: it looks like one that does not match.
    fn nothing_matches(&self, event: &Event, facts: &Facts<'_>) -> String {
        match &facts.changes {
            Changes::Unknown(why) if self.wants_changes(event) => {
                format!("no skip rule matches; `skip.paths` was not applied: {why}")
            }
            _ => "no skip rule matches".into(),
        }
    }

    fn force(&self, event: &Event) -> Option<Cause> {
        // What runs on this machine was asked for by a person.
        if event.trigger == Trigger::Checkout {
            return Some(Cause::new(
                Rule::ForceCheckout,
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
            return Some(Cause::new(Rule::ForceBranch, reason));
        }
        let label = find_label(event, &self.force_labels)?;
        Some(Cause::new(
            Rule::ForceLabel,
            format!("the pull request has the label `{label}`, which is always built"),
        ))
    }

    fn by_actor(&self, event: &Event) -> Option<Cause> {
        let actor = event.actor.as_ref()?;
        self.actors
            .contains(actor)
            .then(|| Cause::new(Rule::Actor, format!("the actor is `{actor}`")))
    }

    fn by_label(&self, event: &Event) -> Option<Cause> {
        let label = find_label(event, &self.labels)?;
        Some(Cause::new(
            Rule::Label,
            format!("the pull request has the label `{label}`"),
        ))
    }

    fn by_title(&self, event: &Event) -> Option<Cause> {
        let title = event.pull_request.as_ref()?.title.as_deref()?;
        let pattern = self.titles.iter().find(|pattern| pattern.is_match(title))?;
        Some(Cause::new(
            Rule::Title,
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
            Rule::Message,
            format!("the head commit's message `{subject}` matches `{pattern}`"),
        ))
    }

    fn by_paths(&self, event: &Event, changes: &Changes) -> Option<Cause> {
        let files = match (&event.changed_files, changes) {
            (Some(files), _) | (None, Changes::Known(files)) => files,
            (None, Changes::Unknown(_)) => return None,
        };
        let covered = |file: &String| self.paths.iter().any(|glob| glob.is_match(file));
        (!files.is_empty() && files.iter().all(covered)).then(|| {
            let count = files.len();
            let reason = format!("all {count} changed files match `skip.paths`");
            Cause::new(Rule::Paths, reason)
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
