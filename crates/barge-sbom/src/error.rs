//! What can go wrong in this crate.

use barge_image::{Digest, layer};

use crate::package_url::ParsePackageUrlError;

/// Why no bill of materials can be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A layer cannot be read.
    #[error("cannot catalogue layer `{diff_id}`")]
    Layer {
        /// Which layer.
        diff_id: Digest,
        /// Why.
        source: layer::Error,
    },
    /// A directory cannot be read.
    #[error("cannot catalogue `{path}`")]
    Directory {
        /// Which directory or file.
        path: String,
        /// Why.
        source: layer::Error,
    },
    /// The path that was asked for is not in the image.
    #[error("there is no `{path}` in `{subject}`")]
    NoSuchPath {
        /// The path.
        path: String,
        /// What was looked at.
        subject: String,
    },
    /// A bill of materials of another tool cannot be read.
    #[error("cannot read the bill of materials: {reason}")]
    Bom {
        /// Why.
        reason: String,
    },
    /// What was named is no package URL.
    #[error(transparent)]
    PackageUrl(#[from] ParsePackageUrlError),
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchPath { .. } => {
                Some("paths are looked up in the squashed image, links followed".to_owned())
            }
            Self::Layer {
                source: layer::Error::DiffId { .. },
                ..
            } => Some("the archive was changed or damaged after it was saved".to_owned()),
            Self::Bom { .. } => Some(
                "CycloneDX 1.2 to 1.7 as JSON or XML and SPDX 2.2 and 2.3 as JSON or tag-value are read".to_owned(),
            ),
            Self::PackageUrl(_) => Some(
                "a package URL looks like `pkg:deb/debian/openssl@3.0.17-1?distro=debian-12`".to_owned(),
            ),
            Self::Layer { .. } | Self::Directory { .. } => None,
        }
    }
}
