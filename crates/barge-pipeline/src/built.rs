//! What a build leaves for the steps after it.

use barge_engine::docker::Product;
use barge_image::record::{ArtifactName, BuildFacts, Source};
use barge_image::{Descriptor, Digest, Platform, Reference};
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The shape of what a build leaves for the next step.
pub const SCHEMA: &str = "barge/build/v1";

/// What a build made: the one source of every later step's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Every name of the image, in the order of the plan.
    pub references: Vec<Reference>,
    /// Where the image is.
    pub home: Home,
    /// What it runs on.
    pub platform: Platform,
    /// Where it comes from.
    pub source: Source,
    /// How it was built.
    pub facts: BuildFacts,
}

/// Where a built image is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "lowercase")]
pub enum Home {
    /// In the Docker engine, under all its names.
    Docker {
        /// The engine's ID.
        id: Digest,
    },
    /// In Podman, under all its names.
    Podman {
        /// The engine's ID.
        id: Digest,
    },
    /// In a layout that the builder wrote.
    Layout {
        /// The folder.
        path: Utf8PathBuf,
        /// The manifest.
        manifest: Descriptor,
    },
    /// In an archive or layout that somebody else wrote.
    File {
        /// The file or folder.
        path: Utf8PathBuf,
        /// Which of several images.
        name: Option<String>,
        /// The config digest.
        config: Digest,
    },
}

impl Home {
    pub(crate) fn in_engine(product: Product, id: Digest) -> Self {
        match product {
            Product::Docker => Self::Docker { id },
            Product::Podman => Self::Podman { id },
        }
    }

    /// The ID under which an engine holds the image, if one does.
    #[must_use]
    pub fn engine_id(&self) -> Option<&Digest> {
        match self {
            Self::Docker { id } | Self::Podman { id } => Some(id),
            Self::Layout { .. } | Self::File { .. } => None,
        }
    }
}

impl Built {
    /// What the hand-off of this image is called: its last name part and its first tag, such as `charon-pr-7`.
    ///
    /// # Errors
    /// When the image has no name.
    pub fn artifact(&self) -> Result<ArtifactName, Error> {
        let name = self.references.first().map(|reference| {
            let last = reference
                .name()
                .path()
                .rsplit('/')
                .next()
                .unwrap_or_default();
            let tag = reference.tag().map_or("untagged", barge_image::Tag::as_str);
            let mut name = format!("{last}-{tag}");
            name.truncate(128);
            name
        });
        let name = name.ok_or_else(|| Error::Setting("the image has no name".into()))?;
        name.parse()
            .map_err(|error: barge_image::record::ParseArtifactNameError| {
                Error::Setting(error.to_string())
            })
    }
}
