//! Why a text is not a Dockerfile.

/// A line that no Dockerfile may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{text}`: {reason}")]
pub struct ParseError {
    /// The first line of the instruction, from 1.
    pub line: usize,
    /// The instruction as written, shortened.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl ParseError {
    pub(super) fn new(line: usize, text: &str, reason: impl Into<String>) -> Self {
        Self {
            line,
            text: shorten(text),
            reason: reason.into(),
        }
    }
}

/// One line of at most 120 characters, for messages.
pub(crate) fn shorten(text: &str) -> String {
    const LIMIT: usize = 120;
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LIMIT {
        return line;
    }
    line.chars().take(LIMIT).chain(['…']).collect()
}
