//! Why a build is refused or fails.

use std::fmt;
use std::io;

use camino::Utf8PathBuf;

use crate::dockerfile::ParseError;

/// Where in a Dockerfile something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The Dockerfile.
    pub file: Utf8PathBuf,
    /// The first line of the instruction, from 1.
    pub line: usize,
    /// The instruction, shortened to one line.
    pub text: String,
}

/// An instruction that the embedded builder does not carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where it stands.
    pub place: Place,
    /// Why it is refused.
    pub reason: String,
    /// Who could do it.
    pub engines: Engines,
}

/// The engines that can do what the embedded builder cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engines {
    /// Anything that runs containers.
    Any,
    /// BuildKit and buildah: not docker's classic builder.
    BuildKitOrBuildah,
    /// BuildKit alone.
    BuildKit,
}

/// Why a build is refused or fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The Dockerfile is none.
    #[error("{file}:{}: `{}`: {}", .source.line, .source.text, .source.reason)]
    Parse {
        /// The Dockerfile.
        file: Utf8PathBuf,
        /// What is wrong.
        source: ParseError,
    },
    /// Instructions that the embedded builder does not carry out; at least one.
    #[error("{}", Refusals(.0))]
    Refused(Vec<Refusal>),
    /// An instruction that fails here and would fail anywhere.
    #[error("{place}: {reason}")]
    Instruction {
        /// Where it stands.
        place: Place,
        /// Why it fails.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
    /// `--target` names no stage.
    #[error("`{file}` has no stage `{target}`; it has {}", listed(.stages))]
    Target {
        /// The Dockerfile.
        file: Utf8PathBuf,
        /// What was asked.
        target: String,
        /// The stages there are.
        stages: Vec<String>,
    },
    /// A malformed line of an ignore file.
    #[error("{file}:{line}: `{text}` is not a pattern")]
    Ignore {
        /// The ignore file.
        file: Utf8PathBuf,
        /// The line, from 1.
        line: usize,
        /// The pattern.
        text: String,
    },
    /// A base image cannot be read.
    #[error("{place}: cannot read the base image")]
    Base {
        /// Where it is asked for.
        place: Place,
        /// What is wrong with it.
        source: Box<barge_image::Error>,
    },
    /// Part of the context cannot be read.
    #[error("cannot read `{path}` of the build context")]
    Context {
        /// What was read.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} `{path}`")]
    File {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: Utf8PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A layer cannot be written.
    #[error("{place}: cannot write the layer")]
    Layer {
        /// The instruction that makes it.
        place: Place,
        /// What happened.
        source: io::Error,
    },
    /// Blobs or documents cannot be stored.
    #[error(transparent)]
    Image(Box<barge_image::Error>),
}

impl From<barge_image::Error> for Error {
    fn from(error: barge_image::Error) -> Self {
        Self::Image(Box::new(error))
    }
}

impl Error {
    pub(super) fn file(
        action: &'static str,
        path: impl Into<Utf8PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused(refusals) => refusals
                .iter()
                .map(|refusal| refusal.engines)
                .max_by_key(|engines| *engines as u8)
                .map(|engines| engines.to_string()),
            Self::Instruction { hint, .. } => hint.clone(),
            Self::Base { source, .. } | Self::Image(source) => source.hint(),
            Self::File { source, path, .. } if source.kind() == io::ErrorKind::NotFound => Some(
                format!("name the Dockerfile with `--file`; `{path}` is not there"),
            ),
            _ => None,
        }
    }
}

impl fmt::Display for Engines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "the Docker API, buildx, Podman or buildah can build it",
            Self::BuildKitOrBuildah => {
                "BuildKit (Docker API or buildx), Podman or buildah can build it"
            }
            Self::BuildKit => "BuildKit (Docker API or buildx) can build it",
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: `{}`", self.file, self.line, self.text)
    }
}

struct Refusals<'a>(&'a [Refusal]);

impl fmt::Display for Refusals<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, refusal) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(
                f,
                "{separator}{}: the embedded builder {}",
                refusal.place, refusal.reason
            )?;
        }
        Ok(())
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "no named stages".into();
    }
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
