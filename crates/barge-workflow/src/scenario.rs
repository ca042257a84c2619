//! The events a workflow can run for, and what each of them makes known.
//!
//! A scenario is one kind of event; what varies within the kind stays an unknown. `github.event` fields that an event does
//! not have are null, as on GitHub. Facts from GitHub's documentation of events and contexts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Trigger, Workflow};
use crate::symbolic::{Condition, Piece, Shape, Symbol, Term, Text, Value};

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
    branches: Vec<String>,
    /// What every tag that the filters let in starts with: `v`.
    tag_start: String,
    /// `github.event.action`, when the filters list them.
    types: Vec<String>,
    /// The payload, when a concrete one is given.
    payload: Option<Term>,
    /// The same as it was given.
    payload_json: Option<Arc<serde_json::Value>>,
    /// Values given from outside, by context path.
    known: BTreeMap<String, Value>,
}

/// Payload fields that only some events have, with those events.
const EVENT_FIELDS: [(&str, &[&str]); 14] = [
    (
        "pull_request",
        &[
            "pull_request",
            "pull_request_target",
            "pull_request_review",
            "pull_request_review_comment",
        ],
    ),
    ("number", &["pull_request", "pull_request_target"]),
    ("issue", &["issues", "issue_comment"]),
    (
        "comment",
        &[
            "issue_comment",
            "commit_comment",
            "pull_request_review_comment",
            "discussion_comment",
        ],
    ),
    ("release", &["release"]),
    ("head_commit", &["push"]),
    ("ref", &["push", "create", "delete", "workflow_dispatch"]),
    ("commits", &["push"]),
    ("workflow_run", &["workflow_run"]),
    ("merge_group", &["merge_group"]),
    ("client_payload", &["repository_dispatch"]),
    ("deployment", &["deployment", "deployment_status"]),
    ("schedule", &["schedule"]),
    ("inputs", &["workflow_dispatch"]),
];

/// The events that start workflows, as GitHub lists them.
pub const EVENTS: &[&str] = &[
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "create",
    "delete",
    "deployment",
    "deployment_status",
    "discussion",
    "discussion_comment",
    "fork",
    "gollum",
    "image_version",
    "issue_comment",
    "issues",
    "label",
    "merge_group",
    "milestone",
    "page_build",
    "project",
    "project_card",
    "project_column",
    "public",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_target",
    "push",
    "registry_package",
    "release",
    "repository_dispatch",
    "schedule",
    "status",
    "watch",
    "workflow_call",
    "workflow_dispatch",
    "workflow_run",
];

/// The scenarios of a workflow's triggers.
#[must_use]
pub fn scenarios(workflow: &Workflow) -> Vec<Scenario> {
    let mut all = Vec::new();
    for trigger in &workflow.triggers {
        match trigger.event.as_str() {
            "push" => all.extend(push(trigger)),
            "pull_request" | "pull_request_review" => {
                all.push(Scenario::new(trigger, RefKind::Pull));
            }
            "release" => all.push(Scenario::new(trigger, RefKind::Tag)),
            "workflow_dispatch" => all.push(Scenario::new(trigger, RefKind::Any)),
            "workflow_call" => {
                let mut called = Scenario::new(trigger, RefKind::Any);
                called.event = None;
                all.push(called);
            }
            _ => all.push(Scenario::new(trigger, RefKind::Branch)),
        }
    }
    if all.is_empty() {
        all.push(Scenario::of_event("push", RefKind::Branch));
    }
    all
}

fn push(trigger: &Trigger) -> Vec<Scenario> {
    let has = |name: &str| trigger.filters.contains_key(name);
    let branch_filter = has("branches") || has("branches-ignore");
    let tag_filter = has("tags") || has("tags-ignore");
    let mut all = Vec::new();
    if branch_filter || !tag_filter {
        let mut scenario = Scenario::new(trigger, RefKind::Branch);
        let listed = trigger.filters.get("branches").cloned().unwrap_or_default();
        if !listed
            .iter()
            .any(|pattern| pattern.contains(['*', '?', '!', '[', '+']))
        {
            scenario.branches = listed;
        }
        all.push(scenario);
    }
    if tag_filter || !branch_filter {
        let mut scenario = Scenario::new(trigger, RefKind::Tag);
        scenario.label = "push (tag)".into();
        let listed = trigger.filters.get("tags").map(Vec::as_slice);
        scenario.tag_start = shared_start(listed.unwrap_or_default());
        all.push(scenario);
    }
    all
}

/// The text that all patterns of a filter start with, if each of them goes on behind it.
fn shared_start(patterns: &[String]) -> String {
    let taken = patterns.iter().filter(|pattern| !pattern.starts_with('!'));
    let starts = taken.map(|pattern| {
        let end = pattern.find(['*', '?', '+', '[', '!', '\\']);
        let start = end.and_then(|end| pattern.get(..end)).unwrap_or_default();
        // `?` and `+` are about the character before them.
        let last = start.char_indices().next_back().map_or(0, |(at, _)| at);
        match end.and_then(|end| pattern.get(end..)?.chars().next()) {
            Some('?' | '+') => start.get(..last).unwrap_or_default(),
            _ => start,
        }
    });
    let shared = |one: &str, other: &str| {
        let mut pairs = one.char_indices().zip(other.chars());
        let differ = pairs.find(|((_, a), b)| a != b).map(|((at, _), _)| at);
        one.get(..differ.unwrap_or(one.len().min(other.len())))
            .unwrap_or_default()
            .to_owned()
    };
    starts
        .map(str::to_owned)
        .reduce(|one, other| shared(&one, &other))
        .unwrap_or_default()
}

impl Scenario {
    fn new(trigger: &Trigger, reference: RefKind) -> Self {
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
        self.payload = Some(crate::symbolic::from_json(payload));
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

    /// The value of `github.<path>`.
    #[must_use]
    pub fn github(&self, path: &[&str]) -> Value {
        let name = || format!("github.{}", path.join("."));
        if !self.known.is_empty()
            && let Some(value) = self.known.get(&name().to_lowercase())
        {
            return value.clone();
        }
        match path {
            ["event_name"] => match &self.event {
                Some(event) => Value::text(event.as_str()),
                None => Value::unknown(name(), Shape::Word),
            },
            ["event"] => self
                .payload
                .clone()
                .map_or_else(|| Value::unknown(name(), Shape::Any), Value::from),
            ["event", rest @ ..] => self.event_field(rest),
            ["repository"] => repository().into(),
            ["repository_owner"] => owner().into(),
            ["ref"] => self.full_ref(),
            ["ref_name"] => self.short_ref().into(),
            ["ref_type"] => match self.reference {
                RefKind::Tag => Value::text("tag"),
                RefKind::Branch | RefKind::Pull => Value::text("branch"),
                RefKind::Any => Text::symbol(ref_type()).into(),
            },
            ["head_ref" | "base_ref"] if self.event.is_some() && !self.is_pull_request() => {
                Value::text("")
            }
            [
                "head_ref" | "base_ref" | "actor" | "triggering_actor" | "workspace" | "workflow"
                | "job" | "action_path",
            ] => Value::unknown(
                name(),
                if self.event.is_none() {
                    Shape::Text
                } else {
                    Shape::Word
                },
            ),
            ["sha" | "workflow_sha"] => Value::unknown(name(), Shape::Hexadecimal),
            [
                "run_id"
                | "run_number"
                | "run_attempt"
                | "repository_id"
                | "repository_owner_id"
                | "actor_id",
            ] => Value::unknown(name(), Shape::Digits),
            ["server_url"] => Value::text("https://github.com"),
            ["api_url"] => Value::text("https://api.github.com"),
            _ => Value::unknown(name(), Shape::Text),
        }
    }

    fn event_field(&self, path: &[&str]) -> Value {
        if let Some(payload) = &self.payload {
            let mut term = payload.clone();
            for key in path {
                term = term.member(&Term::text(*key)).unwrap_or(Term::Null);
            }
            return term.into();
        }
        let name = format!("github.event.{}", path.join("."));
        let first = path.first().copied().unwrap_or_default();
        if let Some(event) = &self.event {
            let table = EVENT_FIELDS.iter().find(|(field, _)| *field == first);
            if table.is_some_and(|(_, events)| !events.contains(&event.as_str())) {
                return Value::null();
            }
        }
        let certain = self.event.is_some();
        match path {
            ["ref"] if self.event.as_deref() == Some("push") => self.full_ref(),
            ["repository", "name"] => {
                Value::unknown("github.event.repository.name", Shape::Segment)
            }
            ["repository", "full_name"] => repository().into(),
            ["repository", "owner", "login"] => owner().into(),
            ["repository", "private"]
            | ["pull_request", "draft" | "merged"]
            | ["pull_request", "head" | "base", "repo", "fork"] => {
                Value::unknown(name, Shape::Boolean)
            }
            ["pull_request", "number"] | ["number"] if certain => {
                Value::unknown("github.event.pull_request.number", Shape::Digits)
            }
            ["issue", "number"] if certain => Value::unknown(name, Shape::Digits),
            ["pull_request", "head" | "base", "sha"]
            | ["workflow_run", "head_sha"]
            | ["before" | "after"]
                if certain =>
            {
                Value::unknown(name, Shape::Hexadecimal)
            }
            ["workflow_run", "id" | "run_number"] if certain => Value::unknown(name, Shape::Digits),
            ["pull_request", "head", "ref"] if certain => {
                Value::unknown("github.head_ref", Shape::Word)
            }
            ["pull_request", "base", "ref"] if certain => {
                Value::unknown("github.base_ref", Shape::Word)
            }
            ["release", "tag_name"] if certain => self.short_ref().into(),
            ["action"] if !self.types.is_empty() => Term::Text(Text::symbol(Symbol::one_of(
                name,
                Shape::Word,
                self.types.clone(),
            )))
            .into(),
            ["repository", "default_branch"] => Value::unknown(name, Shape::Word),
            _ => Value::unknown(name, Shape::Any),
        }
    }

    fn short_ref(&self) -> Text {
        match self.reference {
            RefKind::Pull => {
                let mut text = Text::symbol(Symbol::new(
                    "github.event.pull_request.number",
                    Shape::Digits,
                ));
                text.push_str("/merge");
                text
            }
            _ if !self.branches.is_empty() => {
                if let [only] = self.branches.as_slice() {
                    return Text::literal(only.as_str());
                }
                Text::symbol(Symbol::one_of(
                    "github.ref_name",
                    Shape::Word,
                    self.branches.clone(),
                ))
            }
            RefKind::Tag if !self.tag_start.is_empty() => {
                let mut text = Text::literal(self.tag_start.as_str());
                let name = format!("github.ref_name[{}..]", self.tag_start.len());
                text.push(&Piece::Symbol(Symbol::new(name, Shape::TagWord)));
                text
            }
            _ => Text::symbol(Symbol::new("github.ref_name", Shape::Word)),
        }
    }

    /// The version that a pushed tag names: the tag without a `v` before it, where every tag has one.
    #[must_use]
    pub fn tag_version(&self) -> Option<Text> {
        self.github(&["ref_name"]).sole_text()?.strip_start("v")
    }

    fn full_ref(&self) -> Value {
        let below = |start: &str| {
            let mut text = Text::literal(start);
            text.append(&self.short_ref());
            Value::from(text)
        };
        match self.reference {
            RefKind::Branch => below("refs/heads/"),
            RefKind::Tag => below("refs/tags/"),
            RefKind::Pull => below("refs/pull/"),
            RefKind::Any => {
                let is_tag = Condition::equals(&ref_type(), "tag");
                let pushed = Value::choose(&is_tag, &below("refs/tags/"), &below("refs/heads/"));
                Value::choose(&self.is_on_pull(), &below("refs/pull/"), &pushed)
            }
        }
    }

    /// When a workflow that anything can call runs on the merge of a pull request.
    fn is_on_pull(&self) -> Condition {
        if self.event.is_some() {
            return Condition::Never;
        }
        let event = Symbol::new("github.event_name", Shape::Word);
        let on_merge = ["pull_request", "pull_request_review"].iter();
        on_merge.fold(Condition::Never, |any, name| {
            any.or(&Condition::equals(&event, name))
        })
    }
}

/// Whether the ref is a branch or a tag; that of a pull request counts as a branch.
fn ref_type() -> Arc<Symbol> {
    let kinds = vec!["branch".into(), "tag".into()];
    Symbol::one_of("github.ref_type", Shape::Word, kinds)
}

fn owner() -> Text {
    Text::symbol(Symbol::new("github.repository_owner", Shape::Segment))
}

fn repository() -> Text {
    let mut text = owner();
    text.push(&Piece::Literal("/".into()));
    text.push(&Piece::Symbol(Symbol::new(
        "github.event.repository.name",
        Shape::Segment,
    )));
    text
}

/// The unknown of a context that is decided outside the file.
#[must_use]
pub fn outside(name: &str) -> Arc<Symbol> {
    Symbol::new(name, Shape::Text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn labels(on: &str) -> Vec<String> {
        let source = Source::new("w.yml", &format!("{on}\njobs: {{}}\n"));
        let workflow = Workflow::parse(&source).unwrap();
        scenarios(&workflow)
            .iter()
            .map(|scenario| {
                let full = scenario.full_ref().sole_text().unwrap_or_default();
                format!("{}={}", scenario.label, full.describe())
            })
            .collect()
    }

    #[test]
    fn triggers_become_scenarios() {
        assert_eq!(
            labels("on: push"),
            [
                "push=refs/heads/{ref_name}",
                "push (tag)=refs/tags/{ref_name}"
            ]
        );
        assert_eq!(
            labels("on: {push: {branches: [main]}}"),
            ["push=refs/heads/main"]
        );
        assert_eq!(
            labels("on: {push: {tags: ['v*']}}"),
            ["push (tag)=refs/tags/v{ref_name[1..]}"]
        );
        assert_eq!(
            labels("on: [pull_request]"),
            ["pull_request=refs/pull/{pull_request.number}/merge"]
        );
    }

    #[test]
    fn filters_say_how_tags_start() {
        for (patterns, start) in [
            (&["v*"][..], "v"),
            (&["v*.*.*", "v[0-9]+"], "v"),
            (&["v?1"], ""),
            (&["release-v*", "release-*", "!release-x"], "release-"),
            (&["v*", "*"], ""),
            (&["v1"], ""),
        ] {
            let patterns: Vec<String> = patterns.iter().map(|&text| text.to_owned()).collect();
            assert_eq!(shared_start(&patterns), start, "{patterns:?}");
        }
    }

    #[test]
    fn absent_fields_are_null() {
        let push = Scenario::of_event("push", RefKind::Branch);
        assert!(push.github(&["event", "pull_request", "number"]).is_null());
        assert_eq!(push.github(&["head_ref"]).literal().as_deref(), Some(""));
        let pull = Scenario::of_event("pull_request", RefKind::Pull);
        assert_eq!(
            pull.github(&["event", "number"]),
            pull.github(&["event", "pull_request", "number"])
        );
    }
}
