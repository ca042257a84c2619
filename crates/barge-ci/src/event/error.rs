//! Why no event could be made.

use crate::git::GitError;

/// Why no event could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// A variable that the CI system always sets is not there.
    #[error("the environment variable `{0}` is not set")]
    Variable(&'static str),
    /// A variable holds something else than expected.
    #[error("the environment variable `{name}` holds `{value}`, which is not {expected}")]
    VariableValue {
        /// The variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// The payload could not be read.
    #[error("cannot read the event payload `{path}`: {message}")]
    PayloadFile {
        /// The file that the CI system named.
        path: String,
        /// What the system said.
        message: String,
    },
    /// The payload is not JSON.
    #[error("the event payload `{path}` is not JSON: {message}")]
    PayloadSyntax {
        /// The file that the CI system named.
        path: String,
        /// Where it went wrong.
        message: String,
    },
    /// The payload lacks a field, or it has another type.
    #[error(
        "the event payload `{path}` has no usable `{field}`: expected {expected}, found {found}"
    )]
    PayloadField {
        /// The file that the CI system named.
        path: String,
        /// The field, with dots between the levels.
        field: String,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// The checkout could not be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A commit identifier that is none.
    #[error("`{0}` is not a commit: expected 40 or 64 hexadecimal digits")]
    Commit(String),
}

impl EventError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Variable(_) | Self::VariableValue { .. } => Some(
                "CI systems set it; outside CI, unset `CI` and `GITHUB_ACTIONS` and run in a git checkout".into(),
            ),
            Self::PayloadFile { .. } => {
                Some("in a container job, mount the runner's temporary folder; `GITHUB_EVENT_PATH` names the file".into())
            }
            Self::PayloadSyntax { .. } | Self::PayloadField { .. } => {
                Some("pass the payload as the forge sent it, with `GITHUB_EVENT_NAME` naming its kind".into())
            }
            Self::Git(_) => Some("run inside a git checkout with at least one commit".into()),
            Self::Commit(_) => None,
        }
    }
}
