//! Why a store could not do what it was asked.

use std::io;

use barge_image::record::{ArtifactName, Run};
use barge_image::{Digest, Error as ImageError};
use camino::Utf8PathBuf;

use crate::address::StoreAddress;

/// The error of every store operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is no address of a store.
    #[error("`{0}` is not a store that barge knows")]
    Address(String),
    /// An address whose kind of store this version cannot reach.
    #[error("this version of barge cannot reach `{0}`")]
    NoBackend(StoreAddress),
    /// A layer that a remote store had when it was asked, and has no more.
    #[error("layer {diff_id} vanished from `{store}` while it was relied on")]
    Vanished {
        /// The store.
        store: StoreAddress,
        /// The layer.
        diff_id: Digest,
    },
    /// A registry failed.
    #[error("the store at `{store}` failed")]
    Registry {
        /// The store.
        store: StoreAddress,
        /// What failed.
        source: Box<crate::registry::Error>,
    },
    /// A bucket failed.
    #[error("the store at `{store}` failed")]
    Bucket {
        /// The store.
        store: StoreAddress,
        /// What failed.
        source: Box<crate::bucket::Error>,
    },
    /// GitHub's artifacts failed.
    #[error("the store at `{store}` failed")]
    GitHub {
        /// The store.
        store: StoreAddress,
        /// What failed.
        source: Box<crate::github::Error>,
    },
    /// A pointer that was made and is not found.
    #[error("`{store}` took the pointer to {record} and does not give it back")]
    Unconfirmed {
        /// The store.
        store: StoreAddress,
        /// The record that it leads to.
        record: Digest,
    },
    /// A file of the store could not be read or written.
    #[error("cannot {action} `{path}`")]
    File {
        /// `read`, `write`, ...
        action: &'static str,
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Blobs or documents could not be read or written.
    #[error("the store at `{root}` failed")]
    Content {
        /// The store.
        root: Utf8PathBuf,
        /// What failed.
        source: ImageError,
    },
    /// A pointer's file is not what barge wrote.
    #[error("`{path}` is not a pointer of this store")]
    Pointer {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// An artifact that is not in the store.
    #[error("the store at `{root}` holds no artifact `{wanted}`")]
    NoSuchArtifact {
        /// The store.
        root: Utf8PathBuf,
        /// What was asked for.
        wanted: String,
        /// What it holds.
        held: Vec<String>,
    },
    /// A name that several runs have used, without saying which run is meant.
    #[error("`{name}` was stored by {} runs", .runs.len())]
    Ambiguous {
        /// The name.
        name: ArtifactName,
        /// The runs.
        runs: Vec<Run>,
    },
    /// The same run and attempt stored something else under this name.
    #[error("`{name}` of run {run} is there already and points to {held}, not to {wanted}")]
    Taken {
        /// The name.
        name: ArtifactName,
        /// The run.
        run: Run,
        /// The record that is there.
        held: Digest,
        /// The record that was to be stored.
        wanted: Digest,
    },
    /// What was read back is not what was written.
    #[error("the store at `{root}` gave back {found} for {expected}")]
    ReadBack {
        /// The store.
        root: Utf8PathBuf,
        /// What was written.
        expected: Digest,
        /// What was read.
        found: Digest,
    },
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Address(_) => Some(
                "give `dir:FOLDER`, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`, `registry:HOST/REPOSITORY`, `github:` or `github:OWNER/NAME/RUN`"
                    .into(),
            ),
            Self::Vanished { .. } => Some("run the same command again: the layer is packed and sent then".into()),
            Self::NoSuchArtifact { held, .. } if held.is_empty() => {
                Some("it is empty: the job that saves the image was skipped, failed, or used another store".into())
            }
            Self::NoSuchArtifact { held, .. } => Some(format!("it holds {}", held.join(", "))),
            Self::Ambiguous { runs, .. } => {
                let runs: Vec<_> = runs.iter().map(|run| format!("--run {} --attempt {}", run.id, run.attempt)).collect();
                Some(format!("say which one: {}", runs.join(", or ")))
            }
            Self::Taken { .. } => Some("pointers never move: count the attempt up, or store under another name".into()),
            Self::Content { source, .. } => source.hint(),
            Self::Registry { source, .. } => source.hint(),
            Self::GitHub { source, .. } => source.hint(),
            Self::Bucket { source, .. } => source.hint(),
            _ => None,
        }
    }
}
