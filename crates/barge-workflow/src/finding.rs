//! What a rule reports: where, what, why, and how to mend it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::source::{Place, Position, Span};

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Works today, and is fragile.
    Note,
    /// Fails in some case, or loses something silently.
    Warning,
    /// Fails in a case that was found.
    Error,
}

/// A text that names no severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no severity: use `error`, `warning` or `note`")]
pub struct ParseSeverityError(String);

/// One defect.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// Where it is.
    pub place: Place,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What led to it, in order.
    pub evidence: Vec<Evidence>,
    /// The case in which it happens.
    pub case: Option<Case>,
    /// What happens then.
    pub consequence: Option<String>,
    /// How to mend it.
    pub fix: Option<Fix>,
}

/// The case in which something happens: `pull_request; push: github.ref_name = 'main'`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The event, by the label of its scenario.
    pub event: String,
    /// What must hold beside it; nothing when the event alone is enough.
    pub when: Option<String>,
    /// Other events for which it happens in a case of their own, the last one found first.
    pub others: Vec<String>,
}

/// A place that matters to a finding.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Where.
    pub place: Place,
    /// What is to be seen there.
    pub message: String,
}

/// A change of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file, by its path.
    pub path: String,
    /// The bytes that go.
    pub span: Span,
    /// The text that comes.
    pub replacement: String,
}

/// A way to mend a finding.
#[derive(Debug, Clone)]
pub struct Fix {
    /// What it does.
    pub message: String,
    /// The changes; none for advice.
    pub edits: Vec<Edit>,
}

impl Finding {
    /// The line and column it is shown at.
    #[must_use]
    pub fn position(&self) -> Position {
        self.place.position()
    }

    /// Adds a place that matters.
    #[must_use]
    pub fn with_evidence(mut self, place: &Place, message: impl Into<String>) -> Self {
        self.evidence.push(Evidence {
            place: place.clone(),
            message: message.into(),
        });
        self
    }

    /// Says in which case it happens.
    #[must_use]
    pub fn in_case(mut self, case: Case) -> Self {
        self.case = Some(case);
        self
    }

    /// Says what happens then.
    #[must_use]
    pub fn then(mut self, consequence: impl Into<String>) -> Self {
        self.consequence = Some(consequence.into());
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn mended_by(mut self, fix: impl Into<Option<Fix>>) -> Self {
        self.fix = fix.into();
        self
    }

    /// Says how to mend it in words only.
    #[must_use]
    pub fn advised(self, advice: impl Into<String>) -> Self {
        self.mended_by(Fix::advice(advice))
    }

    /// The changes that mend it; none when there is only advice.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        self.fix.as_ref().map_or(&[], |fix| fix.edits.as_slice())
    }
}

impl Case {
    /// Every run for an event.
    #[must_use]
    pub fn of_event(label: &str) -> Self {
        Self {
            event: label.to_owned(),
            when: None,
            others: Vec::new(),
        }
    }

    /// The runs for the same event in which something holds.
    #[must_use]
    pub fn when(mut self, holds: String) -> Self {
        self.when = Some(holds);
        self
    }

    /// Says for which event the same happens, too.
    pub fn join(&mut self, other: &Self) {
        if self.event != other.event && !self.others.contains(&other.event) {
            self.others.insert(0, other.event.clone());
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for other in &self.others {
            write!(f, "{other}; ")?;
        }
        f.write_str(&self.event)?;
        match &self.when {
            Some(when) => write!(f, ": {when}"),
            None => Ok(()),
        }
    }
}

impl Fix {
    /// Advice without changes.
    #[must_use]
    pub fn advice(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            edits: Vec::new(),
        }
    }

    /// One change: a place gets another text.
    #[must_use]
    pub fn edit(message: impl Into<String>, place: &Place, replacement: impl Into<String>) -> Self {
        Self::advice(message).and(place, replacement)
    }

    /// One more change.
    #[must_use]
    pub fn and(mut self, place: &Place, replacement: impl Into<String>) -> Self {
        self.edits.push(Edit {
            path: place.source.path().to_owned(),
            span: place.span,
            replacement: replacement.into(),
        });
        self
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl FromStr for Severity {
    type Err = ParseSeverityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "note" => Ok(Self::Note),
            "warning" => Ok(Self::Warning),
            "error" => Ok(Self::Error),
            _ => Err(ParseSeverityError(text.to_owned())),
        }
    }
}

/// Applies edits to a text, in one pass; edits that overlap an earlier one are left out.
#[must_use]
pub fn apply_edits(text: &str, edits: &[Edit]) -> String {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    sorted.dedup();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in sorted {
        let fits = edit.span.start >= at
            && text.is_char_boundary(edit.span.start)
            && text.is_char_boundary(edit.span.end);
        if !fits || edit.span.end > text.len() {
            continue;
        }
        out.push_str(text.get(at..edit.span.start).unwrap_or_default());
        out.push_str(&edit.replacement);
        at = edit.span.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_applied_once_and_do_not_overlap() {
        let edit = |start, end, text: &str| Edit {
            path: "a".into(),
            span: Span::new(start, end),
            replacement: text.into(),
        };
        let edits = [
            edit(4, 5, "X"),
            edit(0, 2, "A"),
            edit(1, 3, "lost"),
            edit(4, 5, "X"),
        ];
        assert_eq!(apply_edits("abcdefé", &edits), "AcdXfé");
    }
}
