//! What daemons answer about themselves and their images.

use std::collections::BTreeMap;

use barge_image::{Digest, Platform, Reference};
use camino::Utf8PathBuf;
use serde::Deserialize;

/// A version of the Docker API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ApiVersion(pub(super) u16, pub(super) u16);

/// What answers at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// Docker, or what cannot be told from it.
    Docker,
    /// Podman's service.
    Podman,
}

impl std::fmt::Display for Product {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        })
    }
}

/// What a daemon says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// What it is.
    pub product: Product,
    /// Its version.
    pub version: String,
    /// What it calls itself: the same as long as it keeps its images. Podman makes a new one for each answer.
    pub id: String,
    /// Whether images lie in a containerd store, where an ID is a manifest's digest and not the config's.
    pub containerd_store: bool,
    /// What keeps its images: `overlay2`, or the name of another graph driver or snapshotter.
    pub driver: String,
    /// Its data folder, as its own machine sees it.
    pub data_root: Option<Utf8PathBuf>,
    /// What it runs.
    pub platform: Platform,
}

/// An image as a daemon describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectedImage {
    /// The engine's ID: the config digest, on containerd stores a manifest's or index's.
    pub id: Digest,
    /// All its names.
    pub references: Vec<Reference>,
    /// The digests by which repositories hold it, as far as it was pulled from or pushed to them.
    pub digests: Vec<Reference>,
    /// The plain layers, base first.
    pub diff_ids: Vec<Digest>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its length in the engine, in bytes.
    pub size: u64,
    /// What it runs on.
    pub platform: Platform,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Info {
    #[serde(default, rename = "ID")]
    id: String,
    #[serde(default)]
    server_version: String,
    #[serde(default)]
    driver: String,
    #[serde(default)]
    driver_status: Option<Vec<Vec<String>>>,
    #[serde(default, rename = "DockerRootDir")]
    data_root: Utf8PathBuf,
    #[serde(default, rename = "OSType")]
    os: String,
    #[serde(default)]
    architecture: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inspect {
    id: Digest,
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    repo_digests: Option<Vec<String>>,
    #[serde(default, rename = "RootFS")]
    root_fs: Option<InspectRootFs>,
    config: Option<InspectConfig>,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    /// From API 1.48 on, when asked for.
    pub(super) manifests: Option<Vec<InspectManifest>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InspectManifest {
    #[serde(rename = "ID")]
    pub(super) id: Digest,
    #[serde(default)]
    pub(super) available: bool,
    pub(super) image_data: Option<InspectImageData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InspectImageData {
    pub(super) platform: Platform,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InspectRootFs {
    layers: Option<Vec<Digest>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InspectConfig {
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    pub(super) id: Digest,
    repo_tags: Option<Vec<String>>,
}

impl Listed {
    /// Its names.
    pub(super) fn references(&self) -> impl Iterator<Item = Reference> + '_ {
        let tags = self.repo_tags.iter().flatten();
        tags.filter_map(|tag| tag.parse().ok())
    }
}

impl std::str::FromStr for ApiVersion {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (major, minor) = text.split_once('.').ok_or(())?;
        Ok(Self(
            major.parse().map_err(drop)?,
            minor.parse().map_err(drop)?,
        ))
    }
}

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "v{}.{}", self.0, self.1)
    }
}

impl Info {
    pub(super) fn of(self, product: Product) -> EngineInfo {
        let containerd = |status: &Vec<String>| {
            status
                .iter()
                .any(|text| text.starts_with("io.containerd.snapshotter"))
        };
        EngineInfo {
            product,
            id: self.id,
            containerd_store: self.driver_status.iter().flatten().any(containerd),
            driver: self.driver,
            data_root: Some(self.data_root).filter(|root| root.is_absolute()),
            version: self.server_version,
            platform: platform(self.os, &self.architecture),
        }
    }
}

impl From<Inspect> for InspectedImage {
    fn from(image: Inspect) -> Self {
        let parsed = |names: Option<Vec<String>>| {
            let names = names.unwrap_or_default().into_iter();
            names.filter_map(|name| name.parse().ok()).collect()
        };
        Self {
            id: image.id,
            references: parsed(image.repo_tags),
            digests: parsed(image.repo_digests),
            diff_ids: image
                .root_fs
                .and_then(|root_fs| root_fs.layers)
                .unwrap_or_default(),
            labels: image
                .config
                .and_then(|config| config.labels)
                .unwrap_or_default(),
            size: image.size,
            platform: platform(image.os, &image.architecture),
        }
    }
}

/// Daemons name their machine as the kernel does, images as Go does.
fn platform(os: String, architecture: &str) -> Platform {
    let architecture = match architecture {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    Platform {
        architecture: architecture.to_owned(),
        os,
        variant: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speaks_the_older_of_two_versions() {
        let old: ApiVersion = "1.41".parse().unwrap();
        let new: ApiVersion = "1.100".parse().unwrap();
        assert_eq!(old.min(ApiVersion(1, 48)).to_string(), "v1.41");
        assert_eq!(new.min(ApiVersion(1, 48)), ApiVersion(1, 48));
        assert!("x".parse::<ApiVersion>().is_err());
    }
}
