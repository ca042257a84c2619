//! Why a bucket did not give or take what it was asked for.

use std::io;

use crate::http::Error as HttpError;

/// The error of every operation on buckets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is needed to reach the bucket is not set, or wrong.
    #[error("cannot reach the bucket with these settings")]
    Settings(#[source] object_store::Error),
    /// A proxy or a file of certificates cannot be used.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An object could not be read, written or listed.
    #[error("cannot {action} `{key}`")]
    Object {
        /// `read`, `write`, ...
        action: &'static str,
        /// The object, or what the listed ones begin with.
        key: String,
        /// What the bucket or the connection said.
        source: object_store::Error,
    },
    /// An object whose length is not that of what was sent, or of what its name stands for.
    #[error("`{key}` has {found} bytes, not {expected}")]
    Size {
        /// The object.
        key: String,
        /// In bytes.
        expected: u64,
        /// In bytes.
        found: u64,
    },
    /// An object that is longer than barge reads into memory.
    #[error("`{key}` has {size} bytes, more than {limit}")]
    TooLarge {
        /// The object.
        key: String,
        /// In bytes.
        size: u64,
        /// In bytes.
        limit: u64,
    },
    /// A pointer that is not what barge wrote.
    #[error("`{key}` is not a pointer of this store")]
    Pointer {
        /// The object.
        key: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A document that cannot be written.
    #[error("cannot write `{key}`")]
    Document {
        /// The object.
        key: String,
        /// What is wrong with it.
        source: serde_json::Error,
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
            Self::Settings(_) => Some(
                "credentials come from variables: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL; GOOGLE_APPLICATION_CREDENTIALS; AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY".into(),
            ),
            Self::Object { source, .. } => refusal_hint(source),
            Self::Pointer { .. } => Some(
                "somebody put it there by hand: remove the object; the digest of the record, from the job that built the image, leads to the image all the same".into(),
            ),
            Self::Size { .. } => Some(
                "the bucket or a proxy on the way changed the bytes; run the same command again".into(),
            ),
            _ => None,
        }
    }

    /// Whether it is not there, which some questions take for an answer.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(
            self,
            Self::Object {
                source: object_store::Error::NotFound { .. },
                ..
            }
        )
    }

    /// Whether it was to be made only if it was not there.
    pub(super) fn is_taken(&self) -> bool {
        use object_store::Error as Source;
        matches!(
            self,
            Self::Object {
                source: Source::AlreadyExists { .. } | Source::Precondition { .. },
                ..
            }
        )
    }
}

fn refusal_hint(source: &object_store::Error) -> Option<String> {
    use object_store::Error as Source;
    match source {
        Source::PermissionDenied { .. } | Source::Unauthenticated { .. } => Some(
            "the credentials were not accepted or do not reach this far: the bucket's store needs reading, writing and listing; collecting needs deleting".into(),
        ),
        Source::NotFound { .. } => Some("the bucket is not there, or is called otherwise".into()),
        Source::NotImplemented { .. } => Some(
            "the server cannot make an object only if it is not there (`If-None-Match: *`), which pointers need".into(),
        ),
        _ => None,
    }
}
