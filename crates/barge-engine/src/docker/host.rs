//! Where a daemon listens.

use std::fmt;
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};

use super::context::DockerContext;
use crate::error::Error;

/// The address of a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DockerHost {
    /// A socket file.
    Unix(Utf8PathBuf),
    /// A host and port, without encryption: loopback and trusted networks only.
    Tcp(String),
    /// A host and port with TLS, both sides showing certificates.
    Tls {
        /// `HOST:PORT`.
        address: String,
        /// The folder of `ca.pem`, `cert.pem` and `key.pem`.
        certificates: Utf8PathBuf,
    },
}

/// What tells docker's own client where its daemon listens.
#[derive(Debug, Clone, Default)]
pub struct DockerVariables {
    /// `DOCKER_HOST`.
    pub host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub context: Option<String>,
    /// The folder of docker's settings: `DOCKER_CONFIG`, or `.docker` of the home.
    pub config: Option<Utf8PathBuf>,
    /// Whether `DOCKER_TLS_VERIFY` is set.
    pub tls_verify: bool,
    /// `DOCKER_CERT_PATH`.
    pub cert_path: Option<Utf8PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_folder: Option<Utf8PathBuf>,
}

impl DockerHost {
    /// Where docker's own client would look: `DOCKER_HOST`, else the endpoint of the context that `DOCKER_CONTEXT` or docker's
    /// settings choose, else a rootless socket in `XDG_RUNTIME_DIR`, else the system's.
    ///
    /// # Errors
    /// When one that is set is something that barge does not speak, or a context cannot be read.
    pub fn locate(variables: &DockerVariables) -> Result<Self, Error> {
        let folder = variables.config.as_deref();
        if let Some(host) = &variables.host {
            let certificates = variables.cert_path.as_deref().or(folder);
            let host: Self = host.parse()?;
            return Ok(host.with_tls(certificates.filter(|_| variables.tls_verify)));
        }
        if let Some(context) = DockerContext::chosen(variables.context.as_deref(), folder)? {
            return context.host();
        }
        let runtime = variables.runtime_folder.as_ref();
        let rootless = runtime.map(|folder| folder.join("docker.sock"));
        let socket = rootless.filter(|socket| socket.exists());
        Ok(Self::Unix(
            socket.unwrap_or_else(|| "/var/run/docker.sock".into()),
        ))
    }

    /// What docker's client needs besides the address to speak TLS.
    pub(crate) fn tls_variables(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Tls { certificates, .. } => vec![
                ("DOCKER_TLS_VERIFY", "1"),
                ("DOCKER_CERT_PATH", certificates.as_str()),
            ],
            _ => Vec::new(),
        }
    }

    /// The same daemon, spoken to with TLS where it is behind a port.
    pub(super) fn with_tls(self, certificates: Option<&Utf8Path>) -> Self {
        match (self, certificates) {
            (Self::Tcp(address), Some(certificates)) => Self::Tls {
                address,
                certificates: certificates.to_owned(),
            },
            (other, _) => other,
        }
    }
}

impl DockerHost {
    /// Where Podman's own client would look: `CONTAINER_HOST`, else the user's socket in `XDG_RUNTIME_DIR`, else the
    /// system's.
    ///
    /// # Errors
    /// When `CONTAINER_HOST` is set to something that barge does not speak.
    pub fn locate_podman(
        container_host: Option<&str>,
        runtime_folder: Option<&str>,
    ) -> Result<Self, Error> {
        if let Some(host) = container_host.filter(|host| !host.is_empty()) {
            return host.parse();
        }
        let of_user =
            runtime_folder.map(|folder| Utf8PathBuf::from(folder).join("podman/podman.sock"));
        let socket = of_user.filter(|socket| socket.exists());
        Ok(Self::Unix(
            socket.unwrap_or_else(|| "/run/podman/podman.sock".into()),
        ))
    }
}

impl FromStr for DockerHost {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(("tcp" | "http", address)) if address.contains(':') => {
                Ok(Self::Tcp(address.trim_end_matches('/').to_owned()))
            }
            _ => Err(Error::Host(text.to_owned())),
        }
    }
}

impl fmt::Display for DockerHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{path}"),
            Self::Tcp(address) | Self::Tls { address, .. } => write!(f, "tcp://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses() {
        for text in ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2375"] {
            assert_eq!(text.parse::<DockerHost>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "docker.sock",
            "ssh://host",
            "unix://relative",
            "tcp://host",
        ] {
            assert!(text.parse::<DockerHost>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_environment_decides() {
        let variables = DockerVariables {
            runtime_folder: Some("/nowhere".into()),
            tls_verify: true,
            cert_path: Some("/certs".into()),
            ..DockerVariables::default()
        };
        let at = |host: &str| {
            let host = Some(host.to_owned());
            DockerHost::locate(&DockerVariables {
                host,
                ..variables.clone()
            })
            .unwrap()
        };
        assert_eq!(at("unix:///x.sock"), DockerHost::Unix("/x.sock".into()));
        let tls = DockerHost::Tls {
            address: "docker:2376".into(),
            certificates: "/certs".into(),
        };
        assert_eq!(at("tcp://docker:2376"), tls);
        let nothing = DockerHost::locate(&variables).unwrap();
        assert_eq!(nothing, DockerHost::Unix("/var/run/docker.sock".into()));
        let podman = DockerHost::locate_podman(None, Some("/nowhere")).unwrap();
        assert_eq!(podman, DockerHost::Unix("/run/podman/podman.sock".into()));
    }
}
