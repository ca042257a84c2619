//! What can go wrong with advisory data, and what to do about it.

use std::io;
use std::path::PathBuf;

use barge_image::Digest;
use thiserror::Error;

use crate::index::VERSION;
use crate::output::age;
use crate::version::{UnknownScheme, VersionError};

/// A failure of this crate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// `read`, `write`, ...
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An archive could not be read.
    #[error("cannot read the archive `{}`: {reason}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file of side data (KEV, EPSS, CVSS) could not be read.
    #[error("cannot read the side data `{name}`: {reason}")]
    SideData {
        /// The file.
        name: String,
        /// Why.
        reason: String,
    },
    /// A file cannot be used as an index.
    #[error("cannot use `{}` as advisory data", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<Self>,
    },
    /// A file is no advisory index.
    #[error("this is no advisory index: {0}")]
    NotAnIndex(&'static str),
    /// The index was written by another version of barge.
    #[error("the advisory index has format {found}, this barge reads format {VERSION}")]
    OtherFormat {
        /// The format of the file.
        found: u32,
    },
    /// An index is cut short or damaged.
    #[error("the advisory index is damaged: {0}")]
    Damaged(&'static str),
    /// The index is not the one that was asked for.
    #[error("the advisory index is `{found}`, not `{wanted}` as pinned")]
    OtherDigest {
        /// The digest that was asked for.
        wanted: Digest,
        /// The digest of the index.
        found: Digest,
    },
    /// There are no advisories at all.
    #[error("no advisory data in `{}`", .0.display())]
    NoRecords(PathBuf),
    /// There is nothing to scan.
    #[error("`{0}` has no packages: there is nothing that a scan could vouch for")]
    NoPackages(String),
    /// The data says nothing about what was scanned.
    #[error("the advisory data has nothing about {}", if ecosystems.is_empty() { "any package".to_owned() } else { ecosystems.join(", ") })]
    NoCoverage {
        /// The ecosystems that are missing.
        ecosystems: Vec<String>,
        /// Why a package could not be asked about, if none could.
        reason: Option<String>,
    },
    /// Evidence of packages could not be read.
    #[error("the bill is incomplete: {} could not be read: {}", match .0.len() { 1 => "one piece of evidence".to_owned(), count => format!("{count} pieces of evidence") }, .0.iter().take(3).cloned().collect::<Vec<_>>().join("; "))]
    Unread(
        /// Each one, with the reason.
        Vec<String>,
    ),
    /// The data is older than the policy lets it be.
    #[error("the advisory data{} is {}, the policy takes at most {limit} days", ecosystem.as_ref().map(|name| format!(" about {name}")).unwrap_or_default(), age(*days))]
    TooOld {
        /// The ecosystem whose data it is, if not all.
        ecosystem: Option<String>,
        /// Its age, if it can be told.
        days: Option<i64>,
        /// The limit.
        limit: u32,
    },
    /// The data grew beyond what the index can address.
    #[error("the advisory data is too big for one index: {0}")]
    TooBig(&'static str),
    /// A version cannot be read.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// A scheme is not known.
    #[error(transparent)]
    Scheme(#[from] UnknownScheme),
    /// A VEX document cannot be read.
    #[error("`{name}` is no VEX document: {reason}")]
    Vex {
        /// The file.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A text names no release of a distribution.
    #[error("`{0}` is no release of a distribution that advisories are about")]
    Release(String),
    /// The release that was asked for is of another distribution than what was scanned.
    #[error("the release to go by is of {asked}, the packages are of {}", found.join(", "))]
    ForeignRelease {
        /// The distribution that was asked for.
        asked: String,
        /// Those of the packages.
        found: Vec<String>,
    },
    /// A policy setting makes no sense.
    #[error("the policy is malformed: {0}")]
    Policy(String),
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Index { source, .. } => return source.hint(),
            Self::NotAnIndex(_) => "give a file that `barge db build` wrote, or a folder of OSV records or archives".to_owned(),
            Self::OtherFormat { found } if *found > VERSION => "use a newer barge, or compile the data again with this one: `barge db build`".to_owned(),
            Self::OtherFormat { .. } | Self::Damaged(_) => "compile the data again: `barge db build --from DIR --output FILE`".to_owned(),
            Self::OtherDigest { .. } => "remove the pin, or fetch the index that it names".to_owned(),
            Self::NoRecords(_) => "fetch OSV's archives with `barge db update`, or name a folder that holds `<Ecosystem>/all.zip`".to_owned(),
            Self::NoPackages(_) => "name an image or bill with packages; an image made from scratch has none to match".to_owned(),
            Self::NoCoverage { reason: Some(reason), .. } => format!("the first package was left out because {reason}"),
            Self::NoCoverage { .. } => "fetch the data of these ecosystems with `barge db update`".to_owned(),
            Self::Unread(_) => "what cannot be read cannot be scanned: mend it in the image, or set `fail-on-unread` to `never` to scan the rest".to_owned(),
            Self::TooOld { .. } => "fetch newer data with `barge db update`, or raise `max-age`".to_owned(),
            Self::Release(_) => "a release looks like `debian-12`, `bookworm`, `ubuntu-24.04`, `alpine-3.20`, `rhel-9`, `rocky-9` or `sles-15.6`".to_owned(),
            Self::ForeignRelease { .. } => "leave `--distro` out to go by the release of the bill".to_owned(),
            Self::Scheme(error) => return error.hint(),
            _ => return None,
        })
    }

    /// Whether the scan lacks evidence, rather than having failed: no packages, no data, data too old.
    #[must_use]
    pub fn is_missing_evidence(&self) -> bool {
        matches!(
            self,
            Self::NoPackages(_)
                | Self::NoCoverage { .. }
                | Self::TooOld { .. }
                | Self::Unread(_)
                | Self::NoRecords(_)
        )
    }

    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
