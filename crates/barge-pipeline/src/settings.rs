//! The sections of `barge.toml` that the pipeline owns.

use std::collections::BTreeMap;
use std::time::Duration;

use barge_store::{Lifetime, StoreAddress};
use camino::Utf8PathBuf;
use jiff::SignedDuration;
use serde::Deserialize;

/// The section `[store]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// Where artifacts live; by default `.barge/store` of the checkout.
    pub address: Option<StoreAddress>,
    /// What new layers are packed as.
    pub compression: StoreCompression,
    /// How long they are kept.
    pub retention: RetentionSettings,
}

/// What a store packs new layers as. Layers that come as gzip stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreCompression {
    /// Smaller and much faster; barge loads it everywhere, but Docker before 23 cannot pull it from a registry by itself.
    #[default]
    Zstd,
    /// What every engine pulls.
    Gzip,
}

/// How long artifacts are kept, by what they are of.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RetentionSettings {
    /// Of pull requests.
    pub pull_request: Lifetime,
    /// Of branches, and of what is of nothing else.
    pub branch: Lifetime,
    /// Of the branch that the others are merged into.
    pub default_branch: Lifetime,
    /// Of tags.
    pub release: Lifetime,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        let days = |days: i64| Lifetime::For(SignedDuration::from_hours(24 * days));
        Self {
            pull_request: days(7),
            branch: days(14),
            default_branch: days(30),
            release: Lifetime::Forever,
        }
    }
}

/// The section `[build]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct BuildSettings {
    /// What builds.
    pub engine: EngineChoice,
    /// The folder that the Dockerfile copies from.
    pub context: Utf8PathBuf,
    /// The Dockerfile, relative to the working directory.
    pub dockerfile: Option<Utf8PathBuf>,
    /// The stage to stop at.
    pub target: Option<String>,
    /// Values of `ARG`s. `VERSION`, `BUILD_DATE` and `VCS_REF` are set where these do not.
    pub args: BTreeMap<String, String>,
    /// Where images that the Dockerfile names lie, for the embedded builder: `oci-layout:DIR`, `docker-archive:FILE`.
    pub contexts: BTreeMap<String, String>,
    /// The network of `RUN` steps.
    pub network: Option<String>,
    /// Whether to use nothing of earlier builds.
    #[serde(alias = "no_cache")]
    pub no_cache: bool,
    /// Whether to ask registries for newer bases.
    pub pull: bool,
    /// How long a build may take, in seconds.
    pub timeout: u64,
    /// Whether to take images by the daemon's export even where its data folder can be read.
    #[serde(alias = "always_export")]
    pub always_export: bool,
}

/// Which engine builds and holds images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// Docker if its daemon answers, by buildx where that can leave the image as a layout; else Podman; else the embedded
    /// builder.
    #[default]
    Auto,
    /// The Docker API.
    Docker,
    /// The buildx plugin of the docker client.
    Buildx,
    /// Podman's service.
    Podman,
    /// The builder inside barge, for Dockerfiles without `RUN`.
    Embedded,
}

impl Default for BuildSettings {
    fn default() -> Self {
        Self {
            engine: EngineChoice::Auto,
            context: ".".into(),
            dockerfile: None,
            target: None,
            args: BTreeMap::new(),
            contexts: BTreeMap::new(),
            network: None,
            no_cache: false,
            pull: false,
            timeout: 30 * 60,
            always_export: false,
        }
    }
}

impl BuildSettings {
    /// The Dockerfile, by default the one in the context.
    #[must_use]
    pub fn dockerfile(&self) -> Utf8PathBuf {
        let in_context = || match self.context.as_str() {
            "." => "Dockerfile".into(),
            _ => self.context.join("Dockerfile"),
        };
        self.dockerfile.clone().unwrap_or_else(in_context)
    }

    /// How long a build may take.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}
