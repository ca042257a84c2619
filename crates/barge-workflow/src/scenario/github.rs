//! The `github` context of an event.

use std::sync::Arc;

use crate::symbolic::{Condition, Piece, Shape, Symbol, Term, Text, Value};

use super::event::EVENT_FIELDS;
use super::kind::{RefKind, Scenario};

impl Scenario {
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

    pub(super) fn full_ref(&self) -> Value {
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
