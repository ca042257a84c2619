//! Where a daemon listens.

use std::fmt;
use std::str::FromStr;

use camino::Utf8PathBuf;

use crate::error::Error;

/// The address of a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DockerHost {
    /// A socket file.
    Unix(Utf8PathBuf),
    /// A host and port, without encryption: loopback and trusted networks only.
    Tcp(String),
}

impl DockerHost {
    /// Where docker's own client would look: `DOCKER_HOST`, else a rootless socket in `XDG_RUNTIME_DIR`, else the system's.
    ///
    /// # Errors
    /// When `DOCKER_HOST` is set to something that barge does not speak.
    pub fn locate(docker_host: Option<&str>, runtime_folder: Option<&str>) -> Result<Self, Error> {
        if let Some(host) = docker_host.filter(|host| !host.is_empty()) {
            return host.parse();
        }
        let rootless = runtime_folder.map(|folder| Utf8PathBuf::from(folder).join("docker.sock"));
        let socket = rootless.filter(|socket| socket.exists());
        Ok(Self::Unix(
            socket.unwrap_or_else(|| "/var/run/docker.sock".into()),
        ))
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
            Self::Tcp(address) => write!(f, "tcp://{address}"),
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
        assert_eq!(
            DockerHost::locate(Some("unix:///x.sock"), None).unwrap(),
            DockerHost::Unix("/x.sock".into())
        );
        let nothing = DockerHost::locate(None, Some("/nowhere")).unwrap();
        assert_eq!(nothing, DockerHost::Unix("/var/run/docker.sock".into()));
        let podman = DockerHost::locate_podman(None, Some("/nowhere")).unwrap();
        assert_eq!(podman, DockerHost::Unix("/run/podman/podman.sock".into()));
    }
}
