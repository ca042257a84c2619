//! Where a registry is asked: its own host, or a mirror.

use barge_image::reference::DEFAULT_REGISTRY;

use super::options::Mirror;
use crate::http::{Scheme, Url};

/// Docker's registry is called by one name and lives at another.
const DOCKER_HOST: &str = "registry-1.docker.io";

/// A place that answers for a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Scheme, host, and what stands before `/v2/`.
    pub(super) base: Url,
    /// The name for `docker login` and for credentials.
    pub(super) login: String,
    /// A mirror is asked once, and given up when it fails.
    pub(super) is_mirror: bool,
}

impl Endpoint {
    pub(super) fn of_registry(registry: &str, scheme: Scheme) -> Self {
        Self {
            base: Url::new(scheme, host(registry), String::new()),
            login: registry.to_owned(),
            is_mirror: false,
        }
    }

    pub(super) fn of_mirror(mirror: &Mirror) -> Self {
        Self {
            base: mirror.0.clone(),
            login: mirror.0.authority.clone(),
            is_mirror: true,
        }
    }

    /// An address below `/v2/`.
    pub(super) fn url(&self, path: &str) -> Url {
        let path = format!("{}/v2/{path}", self.base.path);
        Url::new(self.base.scheme, &self.base.authority, path)
    }
}

/// The host that answers for a registry.
pub(super) fn host(registry: &str) -> &str {
    if registry == DEFAULT_REGISTRY {
        DOCKER_HOST
    } else {
        registry
    }
}
