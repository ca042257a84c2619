//! What one file of one layer proves, before anything is known of the other files: the currency between catalogers and
//! [`crate::assemble`], and what the cache of a layer holds.

use std::collections::BTreeMap;

use barge_image::layer::Content;
use serde::{Deserialize, Serialize};

use crate::package::{Distro, PackageKind, SourcePackage};

/// The largest text that is evidence, in bytes.
pub(crate) const TEXT_LIMIT: u64 = 64 << 20;
/// The largest piece of a file that is read at once, in bytes.
const PIECE_LIMIT: u64 = 256 << 20;

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which recognizer read it; an index into the catalogers' table.
    pub(crate) role: u16,
    pub(crate) says: Says,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Says {
    /// Packages that are there.
    Packages(Vec<Found>),
    /// The files of a package that the file's own path names.
    Files(Vec<String>),
    /// The licences of a package that the file's own path names.
    Licenses(Vec<String>),
    /// The distribution.
    Distro(Distro),
    /// Lines that another cataloger asks for.
    Lines(Vec<String>),
    /// Packages that are there, and why there may be more.
    Part(Vec<Found>, String),
    /// It is evidence, and cannot be read.
    Unreadable(String),
}

impl Says {
    /// The packages that it names.
    pub(crate) fn packages(&self) -> Option<&[Found]> {
        match self {
            Self::Packages(found) | Self::Part(found, _) => Some(found),
            _ => None,
        }
    }

    /// Why it, or some of it, cannot be read.
    pub(crate) fn unreadable(&self) -> Option<&str> {
        match self {
            Self::Unreadable(reason) | Self::Part(_, reason) => Some(reason),
            _ => None,
        }
    }
}

/// A package as its evidence states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) kind: PackageKind,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) architecture: Option<String>,
    pub(crate) source: Option<SourcePackage>,
    pub(crate) licenses: Vec<String>,
    pub(crate) facts: BTreeMap<String, String>,
    /// Hash algorithm, such as `SHA-1`, to lower-case hexadecimal digits.
    pub(crate) hashes: BTreeMap<String, String>,
    /// What it needs: each need is met by any of its alternatives.
    pub(crate) requires: Vec<Vec<String>>,
    /// Other names by which it is required.
    pub(crate) provides: Vec<String>,
    /// The files that it owns, from the root of the image.
    pub(crate) files: Vec<String>,
    /// Where it lies inside the file, for archives in archives.
    pub(crate) inside: Option<String>,
    /// The package of the same finding that it is part of, by position.
    pub(crate) part_of: Option<u32>,
}

impl Found {
    pub(crate) fn new(
        kind: PackageKind,
        name: impl Into<String>,
        version: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            name: name.into(),
            version: version.into(),
            architecture: None,
            source: None,
            licenses: Vec::new(),
            facts: BTreeMap::new(),
            hashes: BTreeMap::new(),
            requires: Vec::new(),
            provides: Vec::new(),
            files: Vec::new(),
            inside: None,
            part_of: None,
        }
    }

    /// Notes a fact, if there is one.
    pub(crate) fn fact(&mut self, key: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.facts.insert(key.to_owned(), value);
        }
    }
}

/// Why evidence cannot be read.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) String);

impl Refusal {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl<E: std::error::Error> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Bytes at a position, all of them or an error.
pub(crate) fn read_exact(
    content: &dyn Content,
    offset: u64,
    length: u64,
) -> Result<Vec<u8>, Refusal> {
    let cut = || Refusal::new("it is cut");
    if length > PIECE_LIMIT
        || offset
            .checked_add(length)
            .is_none_or(|end| end > content.size())
    {
        return Err(cut());
    }
    let mut bytes = vec![0; usize::try_from(length)?];
    let read = content.read_at(offset, &mut bytes)?;
    if read < bytes.len() {
        Err(cut())
    } else {
        Ok(bytes)
    }
}

/// A file that a cataloger reads.
#[derive(Clone, Copy)]
pub(crate) struct File<'a> {
    /// The path, with non-UTF-8 bytes replaced.
    pub(crate) path: &'a str,
    pub(crate) content: &'a dyn Content,
}

impl File<'_> {
    /// The name in its directory.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The names of its directories, innermost first.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &str> {
        self.path.rsplit('/').skip(1)
    }

    pub(crate) fn text(&self) -> Result<String, Refusal> {
        let bytes = self.content.bytes(TEXT_LIMIT)?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Refusal> {
        let bytes = self.content.bytes(TEXT_LIMIT)?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// What a cataloger makes of a file.
pub(crate) type Examined = Result<Says, Refusal>;
