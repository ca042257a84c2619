//! The model of a bill of materials: what every cataloger fills, every format writes and the matcher reads.
//!
//! It holds facts as the evidence states them; escaping and naming rules of the formats live with the formats.

use std::collections::BTreeMap;

use barge_image::{Digest, Reference};
use serde::{Deserialize, Serialize};

pub use crate::kind::PackageKind;

/// Everything found in one image, directory or file. Packages are sorted, so equal images give equal values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sbom {
    /// What was looked at.
    pub subject: Subject,
    /// The distribution, if an `os-release` was found.
    pub distro: Option<Distro>,
    /// The layers, lowest first; none for a directory or file.
    pub layers: Vec<LayerFact>,
    /// The packages, sorted by package URL, then by location.
    pub packages: Vec<Package>,
    /// Evidence that could not be read, each with its reason: a bill with any is incomplete.
    pub unknowns: Vec<Unknown>,
}

/// A layer that evidence points to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFact {
    /// The sha256 of the unpacked layer.
    pub diff_id: Digest,
    /// The instruction that made it, as the image's history states it.
    pub instruction: Option<String>,
}

/// What a bill of materials is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The image reference, or the path of the directory or file.
    pub name: String,
    /// All references of the image.
    pub references: Vec<Reference>,
    /// The config digest, which identifies an image on every engine.
    pub image: Option<Digest>,
    /// The manifest digest, for an image that a registry or layout holds.
    pub manifest: Option<Digest>,
    /// `amd64`, `arm64`, ... as the image config names it.
    pub architecture: Option<String>,
}

/// The distribution that an image is made from (`os-release`, freedesktop.org).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distro {
    /// `ID`, such as `debian`.
    pub id: String,
    /// `ID_LIKE`, nearest first.
    pub id_like: Vec<String>,
    /// `VERSION_ID`, such as `12`; absent on rolling releases.
    pub version_id: Option<String>,
    /// `VERSION_CODENAME`, such as `bookworm`.
    pub codename: Option<String>,
    /// `BUILD_ID`, of rolling releases.
    pub build_id: Option<String>,
    /// `PRETTY_NAME`.
    pub pretty_name: Option<String>,
    /// Versions that `/etc/apk/repositories` names (`v3.19`, `edge`), which say more than `VERSION_ID`.
    pub repositories: Vec<String>,
}

/// One package at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// What kind of package it is; decides the package URL type and the order of versions.
    pub kind: PackageKind,
    /// The name as the ecosystem writes it: `@scope/name`, `group:artifact`, a Go module path.
    pub name: String,
    /// The version as the ecosystem writes it, epoch included (`1:3.2-3`). Never empty, never a placeholder.
    pub version: String,
    /// The canonical package URL (purl-spec), without `bom-ref` decorations.
    pub purl: String,
    /// The architecture of the package, for distribution packages.
    pub architecture: Option<String>,
    /// The source package that advisories name, for distribution packages.
    pub source: Option<SourcePackage>,
    /// Licences as declared; SPDX expressions where they parse.
    pub licenses: Vec<String>,
    /// The files that prove it, nearest first; at least one except for bills read from other tools.
    pub evidence: Vec<Evidence>,
    /// The package URL of the distribution package whose files these are, if any.
    pub owned_by: Option<String>,
    /// The package URL of the package that it is packed into, such as the jar around a jar.
    pub part_of: Option<String>,
    /// Package URLs of the packages in this bill that it depends on, sorted.
    pub depends_on: Vec<String>,
    /// Hash algorithm, as CycloneDX spells it (`SHA-1`, `SHA-256`), to lower-case hexadecimal digits.
    pub hashes: BTreeMap<String, String>,
    /// Further facts by name, such as `modularity` or `vendor` of an rpm.
    pub facts: BTreeMap<String, String>,
}

impl Package {
    /// A package of which nothing else is known.
    #[must_use]
    pub fn new(
        kind: PackageKind,
        name: impl Into<String>,
        version: impl Into<String>,
        purl: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            name: name.into(),
            version: version.into(),
            purl: purl.into(),
            architecture: None,
            source: None,
            licenses: Vec::new(),
            evidence: Vec::new(),
            owned_by: None,
            part_of: None,
            depends_on: Vec::new(),
            hashes: BTreeMap::new(),
            facts: BTreeMap::new(),
        }
    }
}

/// The source that a distribution package was built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcePackage {
    /// Its name.
    pub name: String,
    /// Its version, epoch included where the evidence states one.
    pub version: String,
}

/// A file that proves a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
    /// The real path inside the image, without a leading `/`; non-UTF-8 bytes are replaced.
    pub path: String,
    /// The layer that introduced the package, not the last one that touched its database.
    pub layer: Option<Digest>,
    /// The position of that layer from the bottom, from 0.
    pub layer_index: Option<u32>,
}

/// Evidence that was found but could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unknown {
    /// Where it is.
    pub path: String,
    /// Why it could not be read.
    pub reason: String,
}
