//! One kind of event, and what is given of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::Trigger;
use crate::symbolic::{Term, Value, from_json};

/// What kind of ref an event runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefKind {
    /// `refs/heads/NAME`
    Branch,
    /// `refs/tags/NAME`
    Tag,
    /// `refs/pull/NUMBER/merge`
    Pull,
    /// Either a branch or a tag.
    Any,
}

/// One kind of event.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What people call it: `push (tag)`.
    pub label: String,
    /// `github.event_name`; nothing for a called workflow, whose caller decides.
    pub event: Option<String>,
    /// The kind of ref.
    pub reference: RefKind,
    /// The names the ref can have, when the filters list them.
    pub(super) branches: Vec<String>,
    /// What every tag that the filters let in starts with: `v`.
    pub(super) tag_start: String,
    /// `github.event.action`, when the filters list them.
    pub(super) types: Vec<String>,
    /// The payload, when a concrete one is given.
    pub(super) payload: Option<Term>,
    /// The same as it was given.
    payload_json: Option<Arc<serde_json::Value>>,
    /// Values given from outside, by context path.
    pub(super) known: BTreeMap<String, Value>,
}

impl Scenario {
    pub(super) fn new(trigger: &Trigger, reference: RefKind) -> Self {
        let mut scenario = Self::of_event(&trigger.event, reference);
        scenario.types = trigger.filters.get("types").cloned().unwrap_or_default();
        scenario
    }

    /// An event of which nothing is known but its kind.
    #[must_use]
    pub fn of_event(event: &str, reference: RefKind) -> Self {
        Self {
            label: event.to_owned(),
            event: Some(event.to_owned()),
            reference,
            branches: Vec::new(),
            tag_start: String::new(),
            types: Vec::new(),
            payload: None,
            payload_json: None,
            known: BTreeMap::new(),
        }
    }

    /// The same event with a payload.
    #[must_use]
    pub fn with_payload(mut self, payload: &serde_json::Value) -> Self {
        self.payload = Some(from_json(payload));
        self.payload_json = Some(Arc::new(payload.clone()));
        self
    }

    /// The payload of a concrete event.
    #[must_use]
    pub fn payload_json(&self) -> Option<&serde_json::Value> {
        self.payload_json.as_deref()
    }

    /// The same event with a value given, by its context path: `github.ref_name`, `steps.skip.outputs.skip_build`.
    ///
    /// `true` and `false` are booleans in event fields and inputs, texts elsewhere, as on GitHub.
    #[must_use]
    pub fn with_value(mut self, path: &str, value: &str) -> Self {
        let path = path.to_lowercase();
        let typed = path.starts_with("github.event.") || path.starts_with("inputs.");
        let term = match value {
            "true" | "false" if typed => Term::Boolean(value == "true"),
            _ => Term::text(value),
        };
        self.known.insert(path, term.into());
        self
    }

    /// What a payload says of the contexts beside `github.event`.
    #[must_use]
    pub fn with_payload_contexts(self, payload: &serde_json::Value) -> Self {
        let text = |pointer: &str| {
            payload
                .pointer(pointer)
                .and_then(serde_json::Value::as_str)
                .map(str::to_owned)
        };
        let number = payload
            .pointer("/pull_request/number")
            .and_then(serde_json::Value::as_u64);
        let reference = number
            .map(|number| format!("refs/pull/{number}/merge"))
            .or_else(|| text("/ref"));
        let short = reference.as_ref().map(|reference| {
            ["refs/heads/", "refs/tags/", "refs/pull/"]
                .iter()
                .find_map(|start| reference.strip_prefix(start))
                .unwrap_or(reference)
                .to_owned()
        });
        let facts = [
            ("github.repository", text("/repository/full_name")),
            ("github.repository_owner", text("/repository/owner/login")),
            ("github.actor", text("/sender/login")),
            ("github.head_ref", text("/pull_request/head/ref")),
            ("github.base_ref", text("/pull_request/base/ref")),
            (
                "github.sha",
                text("/pull_request/merge_commit_sha").or_else(|| text("/after")),
            ),
            ("github.ref", reference),
            ("github.ref_name", short),
        ];
        let known = facts
            .into_iter()
            .filter_map(|(path, value)| Some((path, value?)));
        known.fold(self, |scenario, (path, value)| {
            scenario.with_value(path, &value)
        })
    }

    /// The scenario of an event's name and payload.
    #[must_use]
    pub fn concrete(event: &str, payload: &serde_json::Value) -> Self {
        let reference = payload
            .get("ref")
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        let kind = match event {
            "pull_request" | "pull_request_review" => RefKind::Pull,
            "release" => RefKind::Tag,
            _ if reference.starts_with("refs/tags/") => RefKind::Tag,
            _ => RefKind::Branch,
        };
        Self::of_event(event, kind)
            .with_payload(payload)
            .with_payload_contexts(payload)
    }

    /// The same event under another name.
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        label.clone_into(&mut self.label);
        self
    }

    /// A value given from outside.
    #[must_use]
    pub fn given(&self, path: &[&str]) -> Option<Value> {
        if self.known.is_empty() {
            return None;
        }
        self.known.get(&path.join(".").to_lowercase()).cloned()
    }

    /// Says whether the event carries a pull request.
    #[must_use]
    pub fn is_pull_request(&self) -> bool {
        self.event
            .as_deref()
            .is_some_and(|event| event.starts_with("pull_request"))
    }
}
