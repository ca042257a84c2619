//! What a decision rests on: the rule, and what it met.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a decision rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The rule.
    pub rule: Rule,
    /// The rule's pattern and what it met, for people.
    pub reason: String,
    /// The reason at the bottom, where this one only says which other job does not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
}

/// Every rule that decides something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A run in a checkout was asked for by a person.
    ForceCheckout,
    /// `skip.force-branches`.
    ForceBranch,
    /// `skip.force-labels`.
    ForceLabel,
    /// `skip.actors`.
    Actor,
    /// `skip.labels`.
    Label,
    /// `skip.titles`.
    Title,
    /// `skip.messages`.
    Message,
    /// `skip.paths`.
    Paths,
    /// No rule matched.
    Default,
    /// The event leads to a build, and so the build job runs.
    Decision,
    /// A job runs once those that it needs have succeeded.
    Needs,
    /// A job runs whatever became of the others.
    Always,
    /// `BARGE_SAVE=off` and its like.
    Operator,
    /// Nothing is configured for the job.
    Settings,
}

impl Cause {
    /// A cause that stands for itself.
    pub fn new(rule: Rule, reason: impl Into<String>) -> Self {
        Self {
            rule,
            reason: reason.into(),
            root: None,
        }
    }

    /// The cause of what does not happen because of something else: by the same rule, with the same reason at the bottom.
    pub(crate) fn behind(&self, reason: impl Into<String>) -> Self {
        Self {
            root: Some(self.root().to_owned()),
            ..Self::new(self.rule, reason)
        }
    }

    /// The reason at the bottom of a chain of blocked jobs.
    pub(crate) fn root(&self) -> &str {
        self.root.as_deref().unwrap_or(&self.reason)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ForceCheckout => "force-checkout",
            Self::ForceBranch => "force-branch",
            Self::ForceLabel => "force-label",
            Self::Actor => "actor",
            Self::Label => "label",
            Self::Title => "title",
            Self::Message => "message",
            Self::Paths => "paths",
            Self::Default => "default",
            Self::Decision => "decision",
            Self::Needs => "needs",
            Self::Always => "always",
            Self::Operator => "operator",
            Self::Settings => "settings",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_written_as_they_are_shown() {
        for rule in [Rule::ForceCheckout, Rule::Paths, Rule::Operator] {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.to_string());
        }
    }
}
