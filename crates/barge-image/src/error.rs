//! Why an image cannot be read or written.

use std::io;

use camino::Utf8PathBuf;

use crate::digest::Digest;
use crate::tar;

/// The error of every operation on archives, layouts, layers and records.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("cannot {action} `{path}`")]
    File {
        /// `open`, `read`, `write`, ...
        action: &'static str,
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something is not a tar archive, or a broken one.
    #[error("cannot read `{path}`")]
    Tar {
        /// The archive.
        path: Utf8PathBuf,
        /// Where and why.
        source: tar::Error,
    },
    /// A file is neither a docker archive nor an OCI layout.
    #[error("`{path}` is not an image: {found}")]
    NotAnImage {
        /// The file or folder.
        path: Utf8PathBuf,
        /// What it holds instead.
        found: String,
    },
    /// A document inside an image is malformed.
    #[error("the {what} in `{path}` is malformed")]
    Document {
        /// `manifest`, `config`, ...
        what: &'static str,
        /// The archive or layout.
        path: Utf8PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// Something that an image names is not in the archive or layout.
    #[error("`{path}` names {what} and does not hold it")]
    Missing {
        /// The archive or layout.
        path: Utf8PathBuf,
        /// The blob or file.
        what: String,
    },
    /// Bytes do not have the digest by which they are called.
    #[error("{what} has the digest {found}, not {expected}: the bytes were changed")]
    Digest {
        /// The blob, layer or document.
        what: String,
        /// What its name says.
        expected: Digest,
        /// What its bytes say.
        found: Digest,
    },
    /// A blob does not have the length that its manifest states.
    #[error("{what} has {found} bytes, not {expected}: it was cut or changed")]
    Size {
        /// The blob.
        what: String,
        /// What the manifest says, in bytes.
        expected: u64,
        /// What there is, in bytes.
        found: u64,
    },
    /// A document is larger than barge reads into memory.
    #[error("the {what} in `{path}` has {size} bytes, more than the {limit} that barge reads")]
    TooLarge {
        /// Which document.
        what: String,
        /// The archive or layout.
        path: Utf8PathBuf,
        /// Its length, in bytes.
        size: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// Several images are there and the choice was not said.
    #[error("`{path}` holds {} images", .names.len())]
    Ambiguous {
        /// The archive or layout.
        path: Utf8PathBuf,
        /// What they are called.
        names: Vec<String>,
    },
    /// The image asked for is not there.
    #[error("`{path}` holds no image `{wanted}`")]
    NoSuchImage {
        /// The archive or layout.
        path: Utf8PathBuf,
        /// What was asked for.
        wanted: String,
        /// What there is.
        names: Vec<String>,
    },
    /// A layer is compressed in a way that is not what it claims, or broken.
    #[error("cannot inflate layer {diff_id}")]
    Inflate {
        /// The layer.
        diff_id: Digest,
        /// What the decoder said.
        source: io::Error,
    },
    /// The manifest and the config disagree.
    #[error("the manifest lists {layers} layers and the config {diff_ids}")]
    LayerCount {
        /// In the manifest.
        layers: usize,
        /// In the config.
        diff_ids: usize,
    },
    /// A hand-off record is larger than job outputs hold.
    #[error(
        "the hand-off record has {size} bytes, more than {limit}: it carries {references} references"
    )]
    RecordTooLarge {
        /// Its length, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
        /// How many names it carries.
        references: usize,
    },
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Tar {
                source: tar::Error::Truncated { .. },
                ..
            } => Some("it was cut short while it was written or moved: make it again".into()),
            Self::NotAnImage { .. } => {
                Some("make one with `docker save`, `barge save -o` or `skopeo copy`".into())
            }
            Self::Ambiguous { names, .. } => Some(format!("name one of them: {}", list(names))),
            Self::NoSuchImage { names, .. } if names.is_empty() => {
                Some("it holds no named image".into())
            }
            Self::NoSuchImage { names, .. } => Some(format!("it holds {}", list(names))),
            _ => None,
        }
    }

    pub(crate) fn file(
        action: &'static str,
        path: impl Into<Utf8PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }

    pub(crate) fn tar(path: impl Into<Utf8PathBuf>) -> impl FnOnce(tar::Error) -> Self {
        let path = path.into();
        move |source| Self::Tar { path, source }
    }

    pub(crate) fn document(
        what: &'static str,
        path: impl Into<Utf8PathBuf>,
    ) -> impl FnOnce(serde_json::Error) -> Self {
        let path = path.into();
        move |source| Self::Document { what, path, source }
    }
}

fn list(names: &[String]) -> String {
    let mut shown: Vec<_> = names
        .iter()
        .take(5)
        .map(|name| format!("`{name}`"))
        .collect();
    if names.len() > shown.len() {
        shown.push(format!("{} more", names.len() - shown.len()));
    }
    shown.join(", ")
}
