//! What every step is handed: environment, time, folder, settings.

use std::sync::Arc;

use barge_ci::Environment;
use barge_engine::docker::{DockerHost, DockerVariables};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::error::Error;
use crate::observer::Observer;
use crate::settings::{BuildSettings, StoreSettings};
use crate::workspace::Workspace;

/// The surroundings of a pipeline.
#[derive(Clone)]
pub struct Surroundings {
    /// The process's environment.
    pub environment: Environment,
    /// The time of the run.
    pub now: Timestamp,
    /// The time that outputs carry, if one was fixed.
    pub source_date: Option<Timestamp>,
    /// The working directory.
    pub folder: Utf8PathBuf,
    /// Planning.
    pub planning: barge_ci::Settings,
    /// Building.
    pub build: BuildSettings,
    /// Storing.
    pub store: StoreSettings,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
}

impl Surroundings {
    /// The folder in which barge works.
    #[must_use]
    pub fn workspace(&self) -> Workspace {
        Workspace::of(&self.folder)
    }

    /// The time that an image and its reports carry.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.source_date.unwrap_or(self.now)
    }

    /// A path of the settings, seen from the working directory; `.` is that directory itself.
    #[must_use]
    pub fn path(&self, path: &Utf8Path) -> Utf8PathBuf {
        if path == "." {
            self.folder.clone()
        } else {
            self.folder.join(path)
        }
    }

    /// Where the Docker daemon listens.
    ///
    /// # Errors
    /// When what is set for docker's own client is not an address.
    pub fn docker_host(&self) -> Result<DockerHost, Error> {
        let variable = |name| self.environment.non_empty(name);
        Ok(DockerHost::locate(&DockerVariables {
            host: variable("DOCKER_HOST").map(str::to_owned),
            context: variable("DOCKER_CONTEXT").map(str::to_owned),
            config: self.docker_config(),
            tls_verify: variable("DOCKER_TLS_VERIFY").is_some(),
            cert_path: variable("DOCKER_CERT_PATH").map(Utf8PathBuf::from),
            runtime_folder: variable("XDG_RUNTIME_DIR").map(Utf8PathBuf::from),
        })?)
    }

    /// The folder of docker's settings; `None` for a user without a home.
    pub(crate) fn docker_config(&self) -> Option<Utf8PathBuf> {
        let variable = |name| self.environment.non_empty(name).map(Utf8PathBuf::from);
        variable("DOCKER_CONFIG").or_else(|| Some(variable("HOME")?.join(".docker")))
    }

    /// Where Podman's service listens.
    ///
    /// # Errors
    /// When `CONTAINER_HOST` is not an address.
    pub fn podman_host(&self) -> Result<DockerHost, Error> {
        let host = self.environment.non_empty("CONTAINER_HOST");
        Ok(DockerHost::locate_podman(
            host,
            self.environment.non_empty("XDG_RUNTIME_DIR"),
        )?)
    }

    /// Where barge keeps what it remembers between runs on this machine, by the XDG base directory specification; `None`
    /// for a user without a home.
    #[must_use]
    pub fn state(&self) -> Option<Utf8PathBuf> {
        let home = || {
            let home = self.environment.non_empty("HOME")?;
            Some(Utf8PathBuf::from(home).join(".local/state"))
        };
        let state = self.environment.non_empty("XDG_STATE_HOME");
        let state = state.map(Utf8PathBuf::from).or_else(home)?;
        Some(state.join("barge"))
    }
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Surroundings({})", self.folder)
    }
}
