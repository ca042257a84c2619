//! Contexts of docker's own client: named endpoints, kept in the folder of its settings.
//!
//! `config.json` names the current one; `contexts/meta/ID/meta.json` describes each, and `contexts/tls/ID/docker` holds its
//! certificates, where ID is the SHA-256 of its name (docker/cli, `cli/context/store`).

use std::collections::BTreeMap;
use std::fs;
use std::io;

use barge_image::Digest;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::host::DockerHost;
use crate::error::Error;

/// The context that stands for no context.
const DEFAULT: &str = "default";

/// A context that was chosen.
#[derive(Debug)]
pub(super) struct DockerContext {
    name: String,
    /// Of docker's settings.
    folder: Utf8PathBuf,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default, rename = "currentContext")]
    current_context: String,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default, rename = "Endpoints")]
    endpoints: BTreeMap<String, Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(default, rename = "Host")]
    host: String,
    #[serde(default, rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

impl DockerContext {
    /// The context that is chosen by name, else the current one of the settings; `None` for the default.
    pub(super) fn chosen(
        name: Option<&str>,
        folder: Option<&Utf8Path>,
    ) -> Result<Option<Self>, Error> {
        let Some(folder) = folder else {
            return Ok(None);
        };
        let current = || {
            let config = read::<Config>(&folder.join("config.json"));
            // Settings that cannot be read choose nothing, to docker as well.
            let config = config.unwrap_or_default();
            Some(config?.current_context)
        };
        let name = name.map(str::to_owned).or_else(current);
        let chosen = name.filter(|name| !name.is_empty() && name != DEFAULT);
        Ok(chosen.map(|name| Self {
            name,
            folder: folder.to_owned(),
        }))
    }

    /// Where its daemon listens.
    pub(super) fn host(&self) -> Result<DockerHost, Error> {
        let place = |kind: &str| {
            let id = Digest::of(self.name.as_bytes());
            self.folder.join("contexts").join(kind).join(id.hex())
        };
        let meta = read::<Meta>(&place("meta").join("meta.json"));
        let meta = meta.map_err(|error| self.unusable(error.to_string()))?;
        let mut meta = meta.ok_or_else(|| self.unusable("it is not there".into()))?;
        let endpoint = meta.endpoints.remove("docker");
        let endpoint = endpoint.ok_or_else(|| self.unusable("it has no docker endpoint".into()))?;
        if endpoint.skip_tls_verify {
            return Err(self.unusable("it does not verify its daemon's certificate".into()));
        }
        let certificates = Some(place("tls").join("docker")).filter(|folder| folder.is_dir());
        let host: DockerHost = endpoint.host.parse()?;
        Ok(host.with_tls(certificates.as_deref()))
    }

    fn unusable(&self, problem: String) -> Error {
        Error::DockerContext {
            name: self.name.clone(),
            folder: self.folder.clone(),
            problem,
        }
    }
}

/// Reads a document; `None` when it is not there.
fn read<T: DeserializeOwned>(path: &Utf8Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        bytes => serde_json::from_slice(&bytes?)
            .map(Some)
            .map_err(Into::into),
    }
}
