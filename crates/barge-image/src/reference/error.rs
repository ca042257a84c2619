//! Why a text is not a reference, and what it should have been.

use crate::digest::ParseDigestError;

/// Why a text is not a reference, and what it should have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not an image reference: {reason}", .text.escape_default())]
pub struct ParseReferenceError {
    pub(super) text: String,
    pub(super) reason: Reason,
    pub(super) corrected: Option<String>,
}

/// The rule that a reference breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Nothing was given, typically an empty output of an earlier step.
    #[error("it is empty")]
    Empty,
    /// Spaces, tabs, carriage returns or line feeds, typically an untrimmed command output.
    #[error("it contains white space")]
    WhiteSpace,
    /// Several references in one text, typically a whole `tags` output.
    #[error("it is a list; each reference stands alone")]
    List,
    /// A capital in the repository, typically an owner that was not lower-cased.
    #[error("the repository name must be lower case")]
    UpperCase,
    /// A repository part that the grammar does not allow.
    #[error("`{0}` is not a repository name: parts are `a-z0-9` joined by `.`, `_`, `__` or `-`")]
    Repository(String),
    /// A registry host that the grammar does not allow.
    #[error("`{0}` is not a registry host")]
    Registry(String),
    /// A tag that the grammar does not allow.
    #[error("`{0}` is not a tag: up to 128 of `A-Za-z0-9_.-`, not starting with `.` or `-`")]
    Tag(String),
    /// A digest that is not sha256.
    #[error(transparent)]
    Digest(ParseDigestError),
    /// 64 hexadecimal digits, which docker reads as an image ID.
    #[error("64 hexadecimal digits are an image ID, which names no tag")]
    ImageId,
    /// A name that is longer than registries accept.
    #[error("the name is longer than 255 characters")]
    TooLong,
}

impl ParseReferenceError {
    /// The rule that was broken.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// What to do next; names the corrected form when there is exactly one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match (&self.corrected, &self.reason) {
            (Some(corrected), _) => Some(format!("did you mean `{corrected}`?")),
            (None, Reason::Empty) => {
                Some("the step that should have set this value was skipped or wrote nothing".into())
            }
            _ => None,
        }
    }

    /// The corrected form, when there is exactly one.
    #[must_use]
    pub fn corrected(&self) -> Option<&str> {
        self.corrected.as_deref()
    }
}
