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
    /// Whether the plan lets it go to its registries under its names.
    #[serde(default)]
    pub publish: bool,
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
        /// The config digest.
        config: Digest,
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

    /// What CI systems call the image's ID: the config digest, or by what an engine holds it.
    #[must_use]
    pub fn image_id(&self) -> &Digest {
        match self {
            Self::Docker { id } | Self::Podman { id } => id,
            Self::Layout { config, .. } | Self::File { config, .. } => config,
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
    /// What the hand-off of this image is called: its last name part and its first tag, such as `charon-pr-7`. What would be
    /// too long is cut, and ends with a part of its digest so that it stays apart from others that begin like it.
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
            let whole = format!("{last}-{tag}");
            if whole.len() <= ArtifactName::LIMIT {
                return whole;
            }
            let digest = Digest::of(whole.as_bytes());
            let end = format!("-{}", &digest.hex()[..12]);
            format!("{}{end}", &whole[..ArtifactName::LIMIT - end.len()])
        });
        let name = name.ok_or_else(|| Error::Setting("the image has no name".into()))?;
        name.parse()
            .map_err(|error: barge_image::record::ParseArtifactNameError| {
                Error::Setting(error.to_string())
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(reference: &str) -> String {
        let built = Built {
            schema: SCHEMA.into(),
            references: vec![reference.parse().unwrap()],
            home: Home::Docker {
                id: Digest::of(b"image"),
            },
            platform: Platform::host(),
            source: Source::default(),
            facts: BuildFacts::default(),
            publish: false,
        };
        built.artifact().unwrap().as_str().to_owned()
    }

    #[test]
    fn long_names_that_begin_alike_stay_apart() {
        assert_eq!(artifact("ghcr.io/wikid82/charon:pr-7"), "charon-pr-7");
        let tag = format!("feature-{}", "x".repeat(115));
        let [one, two] = ["1", "2"].map(|end| artifact(&format!("ghcr.io/a/charon:{tag}-{end}")));
        assert_eq!((one.len(), two.len()), (128, 128));
        assert_ne!(one, two);
        assert!(one.starts_with("charon-feature-xxx"), "{one}");
    }
}
