//! Why a step of the pipeline fails.

use std::io;

use barge_image::{Digest, Reference};
use camino::Utf8PathBuf;

/// The error of every step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("cannot {action} `{path}`")]
    File {
        /// `read`, `write`, ...
        action: &'static str,
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A step was asked for whose forerunner left nothing.
    #[error("there is nothing to {step}: {missing}")]
    Missing {
        /// The step.
        step: &'static str,
        /// What was not found.
        missing: String,
        /// What to do.
        hint: String,
    },
    /// A setting that does not go with another.
    #[error("{0}")]
    Setting(String),
    /// An archive or layout whose image has no name.
    #[error("the image in `{path}` has no name")]
    Nameless {
        /// The archive or layout.
        path: Utf8PathBuf,
    },
    /// An image of an engine that was asked for by its digest alone.
    #[error("`{reference}` says which image it is, and not by which name it shall be loaded")]
    ByDigest {
        /// What was asked for.
        reference: Reference,
        /// The names that the engine has for it in that repository.
        names: Vec<Reference>,
    },
    /// An archive or export does not carry the names of the record.
    #[error("the engine exported the names {found:?}, not {expected:?}")]
    Names {
        /// What the build recorded.
        expected: Vec<Reference>,
        /// What the export carries.
        found: Vec<Reference>,
    },
    /// The engine exported another image than was built.
    #[error("the engine exported the image {found}, not {expected}")]
    Identity {
        /// The image that was built.
        expected: Digest,
        /// The image of the export.
        found: Digest,
    },
    /// A record that belongs to another event than the one at hand.
    #[error("the record is of another {what}: {found}, and this is {expected}")]
    Foreign {
        /// `run`, `commit`, ...
        what: &'static str,
        /// What this event says.
        expected: String,
        /// What the record says.
        found: String,
    },
    /// A push of something that the plan does not let out.
    #[error("this image is not published: {}", why(.event))]
    Unpublished {
        /// The event that it was built for.
        event: String,
    },
    /// A bare word that is neither a file nor an image anywhere.
    #[error("`{word}` is no file here, {engine}, and its registry did not give it")]
    Nowhere {
        /// What was typed, as a reference.
        word: String,
        /// Why it is not an engine's.
        engine: Box<barge_engine::Error>,
        /// Why it is not the registry's.
        source: Box<barge_store::registry::Error>,
    },
    /// Nothing to match packages against.
    #[error("there is no advisory data")]
    NoAdvisoryData,
    /// The image could not be catalogued.
    #[error(transparent)]
    Sbom(#[from] barge_sbom::Error),
    /// Advisories could not be read or matched, or there is no evidence to judge by.
    #[error(transparent)]
    Scan(#[from] barge_vuln::Error),
    /// A text is no image reference.
    #[error(transparent)]
    Reference(#[from] barge_image::reference::ParseReferenceError),
    /// No event could be read.
    #[error(transparent)]
    Event(#[from] barge_ci::EventError),
    /// No names could be made.
    #[error(transparent)]
    Meta(#[from] barge_ci::meta::MetaError),
    /// An image could not be read or written.
    #[error(transparent)]
    Image(#[from] barge_image::Error),
    /// An engine failed.
    #[error(transparent)]
    Engine(#[from] barge_engine::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] barge_store::Error),
    /// A registry failed.
    #[error(transparent)]
    Registry(#[from] barge_store::registry::Error),
    /// Results could not be shown.
    #[error(transparent)]
    Forge(#[from] barge_forge::Error),
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { hint, .. } => Some(hint.clone()),
            Self::Nameless { .. } => Some("give it one with `--tag REFERENCE`".into()),
            Self::ByDigest { reference, names } => Some(match &names[..] {
                [] => format!("tag it first: `docker tag {reference} {}:TAG`", reference.name()),
                [name, ..] => format!("the engine has it as `{name}`: save that"),
            }),
            Self::Names { .. } | Self::Identity { .. } => {
                Some("another build changed the names while this one was saved; build again".into())
            }
            Self::Foreign { .. } => Some(
                "take the record's digest from the job that built the image in this run".into(),
            ),
            Self::Unpublished { .. } => Some(
                "only images of pushes, tags and their like are, as `barge plan` and `[publish]` of barge.toml say".into(),
            ),
            // An engine that does not answer is no mistake where a registry would have done.
            Self::Nowhere { engine, source, .. } => match **engine {
                barge_engine::Error::NotFound { .. } => engine.hint(),
                _ => source.hint(),
            },
            Self::NoAdvisoryData => Some(
                "fetch it with `barge db update`, or name a folder of OSV records or archives with `--db FOLDER` or `[db] path`"
                    .into(),
            ),
            Self::Sbom(error) => error.hint(),
            Self::Scan(error) => error.hint(),
            Self::Reference(error) => error.hint(),
            Self::Event(error) => error.hint(),
            Self::Meta(error) => error.hint(),
            Self::Image(error) => error.hint(),
            Self::Engine(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            _ => None,
        }
    }
}

fn why(event: &str) -> String {
    match event {
        "local" | "none" | "checkout" => "it was built outside of any CI system".into(),
        event => format!("the plan for `{event}` keeps it in the store"),
    }
}
