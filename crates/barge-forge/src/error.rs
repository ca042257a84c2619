//! Why results could not be shown.

use std::io;

use camino::Utf8PathBuf;

/// The error of every forge operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be written.
    #[error("cannot write `{path}`")]
    Write {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A report could not be written whole.
    #[error(transparent)]
    Report(#[from] barge_image::Error),
}
