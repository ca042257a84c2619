//! Descriptors, manifests and indexes (OCI image-spec). What was received is kept as bytes: digests are of bytes, and a
//! document that was parsed and written again would have another one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::annotation::{IMAGE_NAME, REF_NAME};
use crate::digest::Digest;
use crate::error::Error;
use crate::media_type::{DocumentKind, MediaType};
use crate::platform::Platform;
use crate::reference::Reference;

/// Names a blob by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob is.
    #[serde(default)]
    pub media_type: MediaType,
    /// The sha256 of the blob.
    pub digest: Digest,
    /// The length of the blob, in bytes.
    pub size: u64,
    /// What the image runs on, in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Further facts by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Describes bytes in memory.
    #[must_use]
    pub fn of(media_type: MediaType, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }

    /// Describes a blob whose digest and length are known.
    #[must_use]
    pub fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self {
            media_type,
            digest,
            size,
            platform: None,
            annotations: BTreeMap::new(),
        }
    }

    /// The same under a name, as tools write it into `index.json`.
    #[must_use]
    pub fn named(&self, reference: &Reference) -> Self {
        let mut named = self.clone();
        for key in [IMAGE_NAME, REF_NAME] {
            named
                .annotations
                .insert(key.to_owned(), reference.to_string());
        }
        named
    }

    /// The full name that `index.json` gives, if it gives one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.annotations.get(IMAGE_NAME).map(String::as_str)
    }

    /// Compares the length of what was found with the length that is stated here.
    pub(crate) fn expect_size(&self, found: u64) -> Result<(), Error> {
        if self.size == found {
            return Ok(());
        }
        Err(Error::Size {
            what: format!("layer {}", self.digest),
            expected: self.size,
            found,
        })
    }

    /// Whether this points to an image or an index of images.
    #[must_use]
    pub fn is_image(&self) -> bool {
        let kind = self.media_type.kind();
        !self.is_attestation() && matches!(kind, DocumentKind::Manifest | DocumentKind::Index)
    }

    /// Whether this points to a buildx attestation instead of an image.
    #[must_use]
    pub fn is_attestation(&self) -> bool {
        self.annotations.contains_key("vnd.docker.reference.type")
            || self.platform.as_ref().is_some_and(Platform::is_unknown)
    }
}

/// One image for one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u8,
    /// The document's own media type; optional in OCI.
    #[serde(default)]
    pub media_type: MediaType,
    /// The image config.
    pub config: Descriptor,
    /// The layers, base first.
    pub layers: Vec<Descriptor>,
    /// Further facts by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// An OCI manifest over a config and its layers.
    #[must_use]
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: MediaType::MANIFEST,
            config,
            layers,
            annotations: BTreeMap::new(),
        }
    }
}

/// A list of manifests, of platforms or of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u8,
    /// The document's own media type; optional in OCI.
    #[serde(default)]
    pub media_type: MediaType,
    /// The manifests.
    pub manifests: Vec<Descriptor>,
}

impl Index {
    /// An OCI index over manifests.
    #[must_use]
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: MediaType::INDEX,
            manifests,
        }
    }

    /// The entries that stand for images or further indexes, not for attestations.
    pub fn images(&self) -> impl Iterator<Item = &Descriptor> {
        self.manifests.iter().filter(|found| found.is_image())
    }

    /// The entry for a platform. Without one it is this machine's, or the only one.
    #[must_use]
    pub fn choose(&self, platform: Option<&Platform>) -> Option<&Descriptor> {
        let host = Platform::host();
        let wanted = platform.unwrap_or(&host);
        let runs = |found: &&Descriptor| found.platform.as_ref().is_some_and(|p| p.runs(wanted));
        self.images().find(runs).or_else(|| {
            let mut images = self.images();
            let only = images.next().filter(|_| platform.is_none());
            only.filter(|_| images.next().is_none())
        })
    }
}

/// A document that is either a manifest or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// One image for one platform.
    Manifest(Manifest),
    /// A list of manifests.
    Index(Index),
}

impl Document {
    /// Parses by what the document holds: its stated media type is optional and sometimes wrong.
    ///
    /// # Errors
    /// When the bytes are not JSON of either form.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape {
            #[serde(default)]
            media_type: MediaType,
            manifests: Option<serde::de::IgnoredAny>,
        }
        let shape: Shape = serde_json::from_slice(bytes)?;
        if shape.manifests.is_some() || shape.media_type.kind() == DocumentKind::Index {
            serde_json::from_slice(bytes).map(Self::Index)
        } else {
            serde_json::from_slice(bytes).map(Self::Manifest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_by_platform() {
        let entry = |platform: &str| Descriptor {
            platform: platform.parse().ok(),
            ..Descriptor::of(MediaType::MANIFEST, platform.as_bytes())
        };
        let names = [
            "unknown/unknown",
            "linux/arm/v6",
            "linux/arm/v7",
            "linux/arm64",
            "windows/amd64",
        ];
        let index = Index::new(names.map(entry).to_vec());
        for (wanted, expected) in [
            ("linux/arm/v7", Some("linux/arm/v7")),
            ("linux/arm", Some("linux/arm/v6")),
            ("linux/arm64/v8", Some("linux/arm64")),
            ("linux/s390x", None),
            ("unknown/unknown", None),
        ] {
            let found = index.choose(Some(&wanted.parse().unwrap()));
            let found = found.and_then(|found| Some(found.platform.as_ref()?.to_string()));
            assert_eq!(found.as_deref(), expected, "{wanted}");
        }
        let only = Index::new(vec![entry("unknown/unknown"), entry("linux/s390x")]);
        assert!(only.choose(None).is_some());
        assert!(only.choose(Some(&"linux/arm64".parse().unwrap())).is_none());
        assert!(Index::new(Vec::new()).choose(None).is_none());
    }

    #[test]
    fn tells_manifests_from_indexes() {
        let index = serde_json::to_vec(&Index::new(Vec::new())).unwrap();
        assert!(matches!(
            Document::parse(&index).unwrap(),
            Document::Index(_)
        ));
        let manifest = Manifest::new(Descriptor::of(MediaType::CONFIG, b"{}"), Vec::new());
        let bytes = serde_json::to_vec(&manifest).unwrap();
        assert_eq!(
            Document::parse(&bytes).unwrap(),
            Document::Manifest(manifest)
        );
        assert!(Document::parse(b"{}").is_err());
    }
}
