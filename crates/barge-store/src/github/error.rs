//! Why GitHub did not give or take an artifact.

use std::io;

use crate::http::Error as HttpError;

/// The error of every operation on artifacts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// GitHub or its storage is not reached, or does not do what HTTP and the protocol say.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A variable that the runner sets is missing or wrong.
    #[error("`{name}` {reason}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The account's storage for artifacts is used up.
    #[error("GitHub takes no more artifacts: {said}")]
    Quota {
        /// GitHub's own words.
        said: String,
    },
    /// A name that is used and whose artifact is not there: its upload broke off.
    #[error("the artifact `{name}` was begun in this run and never finished")]
    Unfinished {
        /// The artifact's name.
        name: String,
    },
    /// Artifacts are made only inside the run that they belong to.
    #[error("artifacts are put only from inside their run, by `github:`")]
    ReadOnly,
    /// The service took a request and says that it did not do it.
    #[error("GitHub did not {what}")]
    NotDone {
        /// What was asked.
        what: String,
    },
    /// An artifact that is no pack, or a broken one.
    #[error("the artifact `{name}` is not what barge stores: {reason}")]
    Pack {
        /// The artifact's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An artifact whose time is over.
    #[error("the artifact `{name}` has expired or was removed")]
    Expired {
        /// The artifact's name.
        name: String,
    },
    /// An artifact that cannot go, because others have layers in it.
    #[error("the artifact `{name}` holds layers of {}", .by.join(", "))]
    Needed {
        /// The artifact's name.
        name: String,
        /// The artifacts that lean on it.
        by: Vec<String>,
    },
    /// An artifact that lies there with another length or other bytes than were sent.
    #[error("GitHub stored `{name}` with {found}, not {expected}")]
    Changed {
        /// The artifact's name.
        name: String,
        /// What was sent.
        expected: String,
        /// What lies there.
        found: String,
    },
    /// A layer on this side could not be read.
    #[error("cannot read {what}")]
    Read {
        /// What was read.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Http(source) => source.hint(),
            Self::Variable { name, .. } if name.starts_with("ACTIONS_") => Some(
                "the runner gives it to actions, not to `run:` steps: let an action export ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL, or use another store".into(),
            ),
            Self::Variable { name: "GITHUB_TOKEN", .. } => Some(
                "give the step `env: GITHUB_TOKEN: ${{ github.token }}`, and its job `permissions: actions: read`".into(),
            ),
            Self::Quota { .. } => Some(
                "GitHub counts anew every 6 to 12 hours: remove old artifacts, or keep them for fewer days".into(),
            ),
            Self::Unfinished { .. } => Some(
                "GitHub frees no name within a run: re-run the job, which counts the attempt up".into(),
            ),
            Self::Changed { .. } => Some("nothing was kept; run the same command again".into()),
            Self::Needed { .. } => Some(
                "remove those first, or let GitHub remove it when its time is over".into(),
            ),
            Self::Expired { .. } => Some("re-run the job that saves the image".into()),
            _ => None,
        }
    }

    /// Whether the artifact is not there any more.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self, Self::Expired { .. }) || self.is_not_found()
    }

    /// Whether the host says that it is not there.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Http(HttpError::Status { status: 404, .. }))
    }
}
