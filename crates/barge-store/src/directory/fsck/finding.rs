//! What a check finds.

use std::fmt;

use barge_image::Digest;
use camino::Utf8PathBuf;

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Read every byte.
    Whole,
    /// Read documents only; of layers look at the length.
    Quick,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Artifacts that were looked at.
    pub artifacts: usize,
    /// Blobs that were looked at.
    pub blobs: usize,
    /// Their length, in bytes.
    pub bytes: u64,
    /// Blobs that no artifact needs.
    pub unused: usize,
    /// What is not as it should be, worst first.
    pub findings: Vec<Finding>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What is wrong.
    pub trouble: Trouble,
    /// The file.
    pub path: Utf8PathBuf,
    /// Artifacts that cannot be used for it.
    pub artifacts: Vec<String>,
}

/// What can be wrong with a store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Trouble {
    /// Something that an artifact needs is not there.
    Missing {
        /// `hand-off record`, `manifest`, `config`, `layer`.
        what: &'static str,
    },
    /// A blob of another length than its descriptor says.
    Size {
        /// What it should have, in bytes.
        expected: u64,
        /// What it has.
        found: u64,
    },
    /// The bytes of a blob are not those that it is named for.
    Digest {
        /// What they hash to.
        found: Digest,
    },
    /// A layer that does not unpack to what its image or note says.
    Layer {
        /// The diff_id that it should have.
        expected: Digest,
        /// The diff_id that it has; none when it does not unpack.
        found: Option<Digest>,
    },
    /// A document that cannot be understood.
    Malformed {
        /// What is wrong with it.
        why: String,
    },
    /// A pointer and its record, or its place, speak of different artifacts.
    Mismatch {
        /// What the other one says.
        other: String,
    },
    /// A note of a layer whose blob is gone: the layer is packed again when it comes.
    OrphanNote,
    /// `index.json` lists other names than the records say.
    StaleIndex,
    /// A temporary file, of a writer that was killed or is at work.
    Stray,
}

impl Trouble {
    /// Whether something is lost or wrong; else it is only untidy.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        !matches!(self, Self::OrphanNote | Self::StaleIndex | Self::Stray)
    }

    /// One word for programs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Size { .. } => "size",
            Self::Digest { .. } => "digest",
            Self::Layer { .. } => "layer",
            Self::Malformed { .. } => "malformed",
            Self::Mismatch { .. } => "mismatch",
            Self::OrphanNote => "orphan-note",
            Self::StaleIndex => "stale-index",
            Self::Stray => "stray",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { what } => write!(f, "the {what} is missing"),
            Self::Size { expected, found } => {
                write!(f, "it has {found} bytes instead of {expected}")
            }
            Self::Digest { found } => write!(f, "its bytes were changed: they hash to {found}"),
            Self::Layer {
                expected,
                found: Some(found),
            } => write!(f, "it unpacks to layer {found}, not {expected}"),
            Self::Layer { expected, .. } => write!(f, "it does not unpack to layer {expected}"),
            Self::Malformed { why } => write!(f, "it cannot be understood: {why}"),
            Self::Mismatch { other } => write!(f, "it leads to a record of {other}"),
            Self::OrphanNote => f.write_str("the blob that it notes is gone"),
            Self::StaleIndex => f.write_str("it does not list the names of the artifacts"),
            Self::Stray => {
                f.write_str("a temporary file, of a writer that was killed or is at work")
            }
        }
    }
}
