//! Why a store could not do what it was asked.

use std::cmp::Reverse;
use std::io;

use barge_image::record::{ArtifactName, Record, Run};
use barge_image::reference::ParseReferenceError;
use barge_image::{Digest, Error as ImageError};
use camino::Utf8PathBuf;

use crate::address::StoreAddress;
use crate::pointer::Pointer;

/// The error of every store operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is no address of a store.
    #[error("`{0}` is not a store that barge knows")]
    Address(String),
    /// An address of a registry whose repository is none.
    #[error("`{address}` names no repository")]
    Repository {
        /// The address.
        address: String,
        /// Why.
        source: ParseReferenceError,
    },
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
    #[error("the store `{store}` failed")]
    Content {
        /// The store.
        store: StoreAddress,
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
    /// What was to be stored is not what its origin said.
    #[error("the store `{store}` refuses what is not what it should be")]
    Refused {
        /// The store.
        store: StoreAddress,
        /// What is wrong.
        source: ImageError,
    },
    /// What is in the store is not what it was, or not all there.
    #[error("the store `{store}` is damaged")]
    Damaged {
        /// The store.
        store: StoreAddress,
        /// What is wrong.
        source: ImageError,
    },
    /// Something could not be read to its end.
    #[error("cannot read {what} of the store `{store}`")]
    Read {
        /// The store.
        store: StoreAddress,
        /// What was read.
        what: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The bytes of a record are whole and yet no record of this version.
    #[error("`{digest}` of the store `{store}` is not a hand-off record")]
    Record {
        /// The store.
        store: StoreAddress,
        /// The digest.
        digest: Digest,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A record that is whole and of which this version does not know what it needs.
    #[error(
        "what {pointer} needs is not known here: its record {record} of the store `{store}` cannot be read"
    )]
    OtherVersion {
        /// The store.
        store: StoreAddress,
        /// The artifact.
        pointer: String,
        /// The record.
        record: Digest,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A pointer that leads to the record of another artifact.
    #[error("the pointer of {pointer} leads to the record of {found}")]
    Misled {
        /// What was asked for.
        pointer: String,
        /// What was found.
        found: String,
    },
    /// An artifact that is not in the store.
    #[error("the store `{store}` holds no artifact `{wanted}`")]
    NoSuchArtifact {
        /// The store.
        store: StoreAddress,
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
    #[error("the store `{store}` gave back {found} for {expected}")]
    ReadBack {
        /// The store.
        store: StoreAddress,
        /// What was written.
        expected: Digest,
        /// What was read.
        found: Digest,
    },
}

impl Error {
    /// What a blob or document that could not be used says about its store.
    pub(crate) fn content(store: &StoreAddress, source: ImageError) -> Self {
        let store = store.clone();
        match source {
            ImageError::Digest { .. }
            | ImageError::Size { .. }
            | ImageError::Missing { .. }
            | ImageError::Document { .. }
            | ImageError::LayerCount { .. } => Self::Damaged { store, source },
            _ => Self::Content { store, source },
        }
    }

    /// A pointer that leads to the record of another artifact.
    #[must_use]
    pub fn misled(pointer: &Pointer, record: &Record) -> Self {
        Self::Misled {
            pointer: pointer.to_string(),
            found: format!("{} of run {}", record.artifact, record.source.run),
        }
    }

    pub(crate) fn taken(held: &Pointer, wanted: Digest) -> Self {
        Self::Taken {
            name: held.artifact.clone(),
            run: held.run.clone(),
            held: held.record,
            wanted,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Address(_) => Some(
                "give `dir:FOLDER`, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`, `registry:HOST/REPOSITORY`, `github:` or `github:OWNER/NAME/RUN`"
                    .into(),
            ),
            Self::Repository { source, .. } => source.hint(),
            Self::Vanished { .. } => Some("run the same command again: the layer is packed and sent then".into()),
            Self::NoSuchArtifact { held, .. } if held.is_empty() => {
                Some("it is empty: the job that saves the image was skipped, failed, or used another store".into())
            }
            Self::NoSuchArtifact { held, wanted, .. } => Some(format!("it holds {}", nearest(held, wanted))),
            Self::Ambiguous { name, runs } => Some(format!("say which one: {}", newest(name, runs))),
            Self::Taken { .. } => Some("pointers never move: count the attempt up, or store under another name".into()),
            Self::Damaged { .. } => Some(
                "`barge store fsck` names all damage; save the image again from the job that built it".into(),
            ),
            Self::OtherVersion { .. } => Some(
                "collect with the version of barge that saved it, or remove it with `barge store rm`".into(),
            ),
            Self::Content { source, .. } => source.hint(),
            Self::Pointer { .. } => Some(
                "somebody changed the store by hand: `barge store fsck --repair` removes it; the record's digest, from the job that built the image, leads to the image all the same".into(),
            ),
            Self::Misled { .. } => Some(
                "somebody changed the store by hand; take the record's digest from the job that built the image".into(),
            ),
            Self::Registry { source, .. } => source.hint(),
            Self::GitHub { source, .. } => source.hint(),
            Self::Bucket { source, .. } => source.hint(),
            _ => None,
        }
    }
}

/// How many names a hint gives: a bucket that many share holds thousands.
const SHOWN: usize = 5;

/// Those of what is held that begin most like what was wanted.
fn nearest(held: &[String], wanted: &str) -> String {
    let common = |name: &str| {
        let pairs = name.bytes().zip(wanted.bytes());
        pairs.take_while(|(held, wanted)| held == wanted).count()
    };
    let mut held: Vec<_> = held.iter().map(String::as_str).collect();
    held.sort_unstable();
    held.sort_by_key(|name| Reverse(common(name)));
    let more = held.len().saturating_sub(SHOWN);
    held.truncate(SHOWN);
    let shown = held.join(", ");
    match more {
        0 => shown,
        more => format!("{shown} and {more} more, which `barge store ls` lists"),
    }
}

/// The last runs that used a name, as arguments.
fn newest(name: &ArtifactName, runs: &[Run]) -> String {
    let mut runs: Vec<_> = runs.iter().collect();
    runs.sort_by_key(|run| Reverse((run.id.parse::<u64>().ok(), run.attempt)));
    let shown = runs.iter().take(SHOWN);
    let shown: Vec<_> = shown
        .map(|run| format!("--run {} --attempt {}", run.id, run.attempt))
        .collect();
    let shown = shown.join(", or ");
    match runs.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}, or one of {more} more, which `barge store ls {name}` lists"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_the_nearest_and_stay_short() {
        let held = (0..3000).map(|number| format!("charon-pr-{number} of run 1 attempt 1"));
        let error = Error::NoSuchArtifact {
            store: "dir:/store".parse().unwrap(),
            wanted: "charon-pr-2999".into(),
            held: held.collect(),
        };
        let hint = error.hint().unwrap();
        assert!(hint.starts_with("it holds charon-pr-2999 of"), "{hint}");
        assert!(hint.ends_with("and 2995 more, which `barge store ls` lists"));
        let run = |number: u32| Run {
            id: number.to_string(),
            attempt: 1,
        };
        let error = Error::Ambiguous {
            name: "app".parse().unwrap(),
            runs: (8..108).map(run).collect(),
        };
        let hint = error.hint().unwrap();
        assert!(
            hint.starts_with("say which one: --run 107 --attempt 1, or"),
            "{hint}"
        );
        assert!(hint.ends_with("or one of 95 more, which `barge store ls app` lists"));
    }
}
