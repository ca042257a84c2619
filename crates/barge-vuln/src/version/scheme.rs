//! The choice of an order by name, and the comparison of two texts by it.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{alpm, apk, composer, deb, gem, maven, nuget, numeric, pep440, rpm, semver};

/// No version that anyone publishes is longer; a longer text is refused before any work is done on it.
const LONGEST: usize = 1024;

/// A way to order versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// Pacman.
    Alpm,
    /// Alpine, Wolfi, Chainguard.
    Apk,
    /// Composer and PHP.
    Composer,
    /// R.
    Cran,
    /// Debian, Ubuntu.
    Deb,
    /// RubyGems.
    Gem,
    /// Go modules and releases.
    Go,
    /// Haskell.
    Hackage,
    /// Maven.
    Maven,
    /// npm.
    Npm,
    /// NuGet.
    Nuget,
    /// OCaml.
    Opam,
    /// Python.
    Pep440,
    /// Dart.
    Pub,
    /// Red Hat, SUSE and relatives.
    Rpm,
    /// Semantic versions, read leniently.
    Semver,
}

/// All schemes with their names, those of ecosystems and programs included; the first of each is the one that is printed.
const NAMES: [(Scheme, &str); 16] = [
    (Scheme::Alpm, "alpm archlinux arch pacman vercmp"),
    (
        Scheme::Apk,
        "apk alpine alpaquita bellsofthardenedcontainers chainguard cleanstart minimos postmarketos wolfi",
    ),
    (Scheme::Composer, "composer packagist php drupal"),
    (Scheme::Cran, "cran bioconductor r"),
    (Scheme::Deb, "deb debian dpkg echo raspbian ubuntu"),
    (Scheme::Gem, "gem ruby rubygem rubygems"),
    (Scheme::Go, "go golang"),
    (Scheme::Hackage, "hackage ghc haskell"),
    (Scheme::Maven, "maven java mvn"),
    (Scheme::Npm, "npm javascript node nodesemver npmjs"),
    (Scheme::Nuget, "nuget dotnet"),
    (Scheme::Opam, "opam ocaml"),
    (Scheme::Pep440, "pep440 pypi pip python"),
    (Scheme::Pub, "pub dart"),
    (
        Scheme::Rpm,
        "rpm almalinux amazonlinux azurelinux centos fedora mageia mariner openeuler opensuse oraclelinux photon photonos \
         redhat rhel rockylinux rpmvercmp suse tuxcare",
    ),
    (
        Scheme::Semver,
        "semver bitnami cargo conan conancenter cratesio dockerhardenedimages elixir erlang github githubactions hex julia \
         kubernetes rust swift swifturl vscode",
    ),
];

impl Scheme {
    /// All schemes, in the order of their names.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(scheme, _)| *scheme)
    }

    /// The name of the scheme.
    #[must_use]
    pub fn name(self) -> &'static str {
        let names = NAMES.iter().find(|(scheme, _)| *scheme == self);
        names
            .and_then(|(_, names)| names.split(' ').next())
            .unwrap_or_default()
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Scheme {
    type Err = UnknownScheme;

    /// Takes the name of a scheme or of an ecosystem, which may have a suffix: `deb`, `crates.io`, `Rocky Linux:9`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted: String = text
            .split(':')
            .next()
            .unwrap_or_default()
            .chars()
            .filter(|next| !matches!(next, ' ' | '-' | '_' | '.'))
            .map(|next| next.to_ascii_lowercase())
            .collect();
        let found = NAMES
            .iter()
            .find(|(_, names)| names.split(' ').any(|name| name == wanted));
        found
            .map(|(scheme, _)| *scheme)
            .ok_or_else(|| UnknownScheme(text.to_owned()))
    }
}

/// A name that no scheme has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown version scheme `{0}`")]
pub struct UnknownScheme(pub String);

impl UnknownScheme {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let names: Vec<&str> = Scheme::all().map(Scheme::name).collect();
        Some(format!("the schemes are {}", names.join(", ")))
    }
}

/// A text that is no version of its scheme.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no {scheme} version: {reason}")]
pub struct VersionError {
    /// The order that was asked for.
    pub scheme: Scheme,
    /// The text, cut if it is long.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// A text read by one scheme, ready to be compared with others of the same scheme.
#[derive(Debug, Clone)]
pub struct Version<'a>(Order<'a>);

#[derive(Debug, Clone)]
enum Order<'a> {
    Alpm(alpm::Version<'a>),
    Apk(apk::Version<'a>),
    Composer(composer::Version),
    Deb(deb::Version<'a>),
    Gem(gem::Version<'a>),
    Maven(maven::Version),
    Nuget(nuget::Version<'a>),
    Numeric(numeric::Version<'a>),
    Opam(&'a str),
    Pep440(pep440::Version<'a>),
    Pub(semver::Version<'a>),
    Rpm(rpm::Version<'a>),
    Semver(semver::Version<'a>),
}

impl<'a> Version<'a> {
    /// Reads a text as a version of the scheme.
    pub fn parse(scheme: Scheme, text: &'a str) -> Result<Self, VersionError> {
        let error = |reason| VersionError {
            scheme,
            text: text.chars().take(80).collect(),
            reason,
        };
        if text.len() > LONGEST {
            return Err(error("it is too long"));
        }
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(error("it is empty"));
        }
        Order::parse(scheme, trimmed).map(Self).map_err(error)
    }

    /// Compares two versions; `None` if they were read by different schemes.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        Some(match (&self.0, &other.0) {
            (Order::Alpm(left), Order::Alpm(right)) => left.compare(right),
            (Order::Apk(left), Order::Apk(right)) => left.compare(right),
            (Order::Composer(left), Order::Composer(right)) => left.compare(right),
            (Order::Deb(left), Order::Deb(right)) => left.compare(right),
            (Order::Gem(left), Order::Gem(right)) => left.compare(right),
            (Order::Maven(left), Order::Maven(right)) => left.compare(right),
            (Order::Nuget(left), Order::Nuget(right)) => left.compare(right),
            (Order::Numeric(left), Order::Numeric(right)) => left.compare(right),
            (Order::Opam(left), Order::Opam(right)) => deb::compare_part(left, right),
            (Order::Pep440(left), Order::Pep440(right)) => left.compare(right),
            (Order::Pub(left), Order::Pub(right)) => left.compare_with_build(right),
            (Order::Rpm(left), Order::Rpm(right)) => left.compare(right),
            (Order::Semver(left), Order::Semver(right)) => left.compare(right),
            _ => return None,
        })
    }
}

impl<'a> Order<'a> {
    fn parse(scheme: Scheme, text: &'a str) -> Result<Self, &'static str> {
        match scheme {
            Scheme::Alpm => alpm::Version::parse(text).map(Self::Alpm),
            Scheme::Apk => apk::Version::parse(text).map(Self::Apk),
            Scheme::Composer => composer::Version::parse(text).map(Self::Composer),
            Scheme::Cran => numeric::Version::parse_cran(text).map(Self::Numeric),
            Scheme::Deb => deb::Version::parse(text).map(Self::Deb),
            Scheme::Gem => gem::Version::parse(text).map(Self::Gem),
            Scheme::Go => semver::Version::parse_go(text).map(Self::Semver),
            Scheme::Hackage => numeric::Version::parse_hackage(text).map(Self::Numeric),
            Scheme::Maven => Ok(Self::Maven(maven::Version::parse(text))),
            Scheme::Npm | Scheme::Semver => semver::Version::parse(text).map(Self::Semver),
            Scheme::Nuget => nuget::Version::parse(text).map(Self::Nuget),
            Scheme::Opam => Ok(Self::Opam(text)),
            Scheme::Pep440 => pep440::Version::parse(text).map(Self::Pep440),
            Scheme::Pub => semver::Version::parse(text).map(Self::Pub),
            Scheme::Rpm => rpm::Version::parse(text).map(Self::Rpm),
        }
    }
}

/// Compares two texts as versions of a scheme.
pub fn compare(scheme: Scheme, left: &str, right: &str) -> Result<Ordering, VersionError> {
    let (left, right) = (
        Version::parse(scheme, left)?,
        Version::parse(scheme, right)?,
    );
    Ok(left.compare(&right).unwrap_or(Ordering::Equal))
}
