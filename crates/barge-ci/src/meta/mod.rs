//! Names of images: tags, labels and annotations.

pub mod strict;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The section `[meta]`: what images are called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetaSettings {
    /// Repositories that the image is named in; without any, the one that the forge keeps for the repository.
    pub images: Vec<String>,
    /// Labels beside the standard ones.
    pub labels: BTreeMap<String, String>,
}

/// Why no names could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetaError {
    /// An image name that is no repository.
    #[error("`meta.images` names an image that no registry accepts")]
    Image(#[source] barge_image::reference::ParseReferenceError),
    /// No rule gave a tag.
    #[error("no rule gives a tag for this event:\n{0}")]
    NoTag(String),
    /// A rule gave a tag that no registry accepts.
    #[error("a rule gives a tag that no registry accepts: {0}")]
    Tag(barge_image::reference::Reason),
}

impl MetaError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Image(source) => source.hint(),
            Self::NoTag(_) => Some("add a rule under `meta.tags` that acts on this event".into()),
            Self::Tag(_) => None,
        }
    }
}
