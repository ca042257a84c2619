//! Why an engine could not do what it was asked.

use std::io;
use std::time::Duration;

use barge_image::{Digest, Reference};
use camino::Utf8PathBuf;

use crate::docker::DockerHost;
use crate::nearest::Near;

/// The error of every engine operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is no address of a daemon.
    #[error("`{0}` is not a daemon address that barge speaks")]
    Host(String),
    /// A context of docker's own client that does not lead to a daemon.
    #[error("the docker context `{name}` in `{folder}` cannot be used: {problem}")]
    DockerContext {
        /// Its name.
        name: String,
        /// The folder of docker's settings.
        folder: Utf8PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Nothing answers at the address.
    #[error("no daemon answers at {host}")]
    Unreachable {
        /// Where.
        host: DockerHost,
        /// What the system said.
        source: io::Error,
    },
    /// The daemon cut the connection or spoke something else than its API.
    #[error("the connection to {host} broke while barge was asked to {action}")]
    Broken {
        /// Where.
        host: DockerHost,
        /// What was going on.
        action: String,
        /// What was said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The daemon went silent.
    #[error("{host} sent nothing for {} s while barge was asked to {action}", .after.as_secs())]
    Silent {
        /// Where.
        host: DockerHost,
        /// What was going on.
        action: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The daemon refused.
    #[error("the daemon refused to {action}: it answered {status}: {message}")]
    Refused {
        /// What was asked.
        action: String,
        /// The HTTP status.
        status: u16,
        /// The daemon's own words.
        message: String,
    },
    /// The answer lacks something that barge needs.
    #[error("the daemon's answer to {action} is not understood: {problem}")]
    Answer {
        /// What was asked.
        action: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A reference that is not in the engine.
    #[error("{engine} holds no image `{wanted}`")]
    NotFound {
        /// Which engine, with its address.
        engine: String,
        /// What was asked for.
        wanted: Reference,
        /// What it holds, nearest first.
        near: Vec<Near>,
        /// The very image, if it is there and has lost this name.
        unnamed: Option<Digest>,
        /// Builders beside it that keep what they build to themselves.
        builders: Vec<String>,
    },
    /// A reference that names another image than it did.
    #[error("`{reference}` names another image now: {found} instead of {expected}")]
    Moved {
        /// The name.
        reference: Reference,
        /// What it named when it was recorded.
        expected: Digest,
        /// What it names now.
        found: Digest,
    },
    /// A build step failed.
    #[error("the build failed: {message}")]
    Build {
        /// The builder's own words.
        message: String,
        /// The step that failed, as the Dockerfile writes it.
        step: Option<String>,
        /// The last lines that the step wrote.
        log: Vec<String>,
    },
    /// The build took longer than allowed.
    #[error("the build was stopped after {} s", .after.as_secs())]
    Deadline {
        /// The limit.
        after: Duration,
    },
    /// A load that the daemon called done and that left something else than it should.
    #[error("the daemon loaded the archive, and {problem}")]
    Loaded {
        /// What is wrong.
        problem: String,
    },
    /// The image could not be read or written.
    #[error(transparent)]
    Image(#[from] barge_image::Error),
    /// The embedded builder refused or failed.
    #[error(transparent)]
    Embedded(#[from] crate::embedded::Error),
    /// The build context could not be read.
    #[error("cannot read the build context")]
    Context(#[source] io::Error),
}

impl Error {
    /// Whether an engine said or did it, and not the image that it was given.
    pub(crate) fn is_engines(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. } | Self::Answer { .. } | Self::Loaded { .. } | Self::Broken { .. }
        )
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Host(_) => Some("give `unix:///path/to/docker.sock` or `tcp://host:port`".into()),
            Self::DockerContext { .. } => Some(
                "`docker context ls` lists them, `docker context use default` chooses none; DOCKER_HOST goes before every context".into(),
            ),
            Self::Unreachable {
                host: DockerHost::Tls { certificates, .. },
                ..
            }
            | Self::Broken {
                host: DockerHost::Tls { certificates, .. },
                ..
            } => Some(format!(
                "is it started, and are `ca.pem`, `cert.pem` and `key.pem` in `{certificates}` those for this daemon? DOCKER_CERT_PATH names another folder"
            )),
            Self::Refused { message, .. } if message.contains("HTTP request to an HTTPS server") => Some(
                "it speaks TLS: set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of `ca.pem`, `cert.pem` and `key.pem`".into(),
            ),
            Self::Unreachable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("this user may not open the socket: join its group, or use rootless docker".into())
            }
            Self::Unreachable { .. } => {
                Some("start the daemon, or set DOCKER_HOST, or build with `--engine embedded`".into())
            }
            Self::NotFound {
                wanted,
                unnamed: Some(id),
                ..
            } => Some(format!(
                "the image itself is still there, and something took the name away, such as a clean-up: `docker tag {} {}` \
                 gives it back",
                id.short(),
                wanted.familiar()
            )),
            Self::NotFound {
                near,
                wanted,
                builders,
                ..
            } => Some(crate::nearest::hint(wanted, near, builders)),
            Self::Moved { .. } => Some(
                "something tagged over it between build and now, such as a parallel build; build again, or give each run \
                 its own tag"
                    .into(),
            ),
            Self::Image(error) => error.hint(),
            Self::Embedded(error) => error.hint(),
            _ => None,
        }
    }
}
