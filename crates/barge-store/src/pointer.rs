//! What leads from an artifact's name to its hand-off record.

use std::fmt;

use barge_image::record::{ArtifactName, Run};
use barge_image::{Digest, Record};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One artifact of a store. It is made once and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The name.
    pub artifact: ArtifactName,
    /// The run that stored it.
    pub run: Run,
    /// The digest of the hand-off record.
    pub record: Digest,
    /// When it may go; never, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl Pointer {
    /// `RUN-ATTEMPT`, safe as a file name and object key: a run's id comes from a CI system's environment.
    #[must_use]
    pub fn key(&self) -> String {
        run_key(&self.run)
    }

    /// Whether a record is of the artifact that this names.
    #[must_use]
    pub fn is_of(&self, record: &Record) -> bool {
        self.artifact == record.artifact && self.run == record.source.run
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of run {}", self.artifact, self.run)
    }
}

/// The key of a run, in the same words as [`Pointer::key`].
#[must_use]
pub fn run_key(run: &Run) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let safe = run.id.chars().map(|c| if is_safe(c) { c } else { '_' });
    format!("{}-{}", safe.collect::<String>(), run.attempt)
}
