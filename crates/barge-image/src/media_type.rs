//! Media types of manifests, configs and layers (OCI image-spec, "media-types"; docker distribution, schema 2).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A media type as a descriptor states it. Unknown ones pass through unchanged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MediaType(Cow<'static, str>);

/// What kind of document a media type stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// One image for one platform.
    Manifest,
    /// A list of manifests.
    Index,
    /// A layer's tar, compressed or not.
    Layer,
    /// Anything else.
    Other,
}

impl MediaType {
    /// An OCI image index.
    pub const INDEX: Self = Self::known("application/vnd.oci.image.index.v1+json");
    /// An OCI image manifest.
    pub const MANIFEST: Self = Self::known("application/vnd.oci.image.manifest.v1+json");
    /// An OCI image config.
    pub const CONFIG: Self = Self::known("application/vnd.oci.image.config.v1+json");
    /// A plain layer.
    pub const LAYER: Self = Self::known("application/vnd.oci.image.layer.v1.tar");
    /// A gzip-compressed layer.
    pub const LAYER_GZIP: Self = Self::known("application/vnd.oci.image.layer.v1.tar+gzip");
    /// A zstd-compressed layer.
    pub const LAYER_ZSTD: Self = Self::known("application/vnd.oci.image.layer.v1.tar+zstd");
    /// The hand-off record.
    pub const RECORD: Self = Self::known("application/vnd.barge.record.v1+json");

    /// The config of an artifact that has none: `{}`.
    pub const EMPTY: Self = Self::known("application/vnd.oci.empty.v1+json");

    const fn known(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The text of the media type.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What kind of document it is.
    #[must_use]
    pub fn kind(&self) -> DocumentKind {
        match &*self.0 {
            "application/vnd.oci.image.index.v1+json"
            | "application/vnd.docker.distribution.manifest.list.v2+json" => DocumentKind::Index,
            "application/vnd.oci.image.manifest.v1+json"
            | "application/vnd.docker.distribution.manifest.v2+json" => DocumentKind::Manifest,
            text if text.contains(".image.layer.") || text.contains(".image.rootfs.") => {
                DocumentKind::Layer
            }
            _ => DocumentKind::Other,
        }
    }
}

impl From<String> for MediaType {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl Default for MediaType {
    fn default() -> Self {
        Self::known("")
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
