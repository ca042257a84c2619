//! The nodes of the tree.

use std::sync::Arc;

use crate::source::Span;

/// A value in the document.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it stands; for a block scalar, from its first character on.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// The three kinds of node.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A text, number, boolean or null; YAML's types are decided by the reader.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Arc<Node>>),
    /// Keys and values in the order of the file.
    Mapping(Vec<(Arc<Node>, Arc<Node>)>),
}

/// A scalar's value and how it was written.
#[derive(Debug, Clone)]
pub struct Scalar {
    /// The text after unquoting and unfolding.
    pub text: String,
    /// How it was written.
    pub style: Style,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: `null`, `true` and numbers keep their types.
    Plain,
    /// Between quotes.
    Quoted,
    /// A `|` block: its lines are the source's lines, less the indentation.
    Literal,
    /// A `>` block.
    Folded,
}

impl Node {
    /// The scalar's text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The entries of a mapping; empty for other kinds.
    #[must_use]
    pub fn entries(&self) -> &[(Arc<Self>, Arc<Self>)] {
        match &self.kind {
            Kind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; empty for other kinds.
    #[must_use]
    pub fn items(&self) -> &[Arc<Self>] {
        match &self.kind {
            Kind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Arc<Self>> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The key and value nodes of a key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<(&Arc<Self>, &Arc<Self>)> {
        self.entries()
            .iter()
            .find(|(name, _)| name.text() == Some(key))
            .map(|(name, value)| (name, value))
    }

    /// Says whether this is an absent value: `key:` or `key: null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar(Scalar {
                text,
                style: Style::Plain,
            }) => matches!(text.as_str(), "" | "~" | "null"),
            _ => false,
        }
    }
}
