//! From a package of a bill of materials to the keys of the index that may speak about it.

use std::collections::BTreeSet;
use std::sync::Arc;

use barge_sbom::PackageUrl;
use barge_sbom::package::{Distro, Package, Sbom};

use crate::distribution::{Distribution, family};
use crate::ecosystem;
use crate::error::Error;
use crate::index::Database;
use crate::release;

/// One key to ask, and the version to compare there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) ecosystem: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) version: Arc<str>,
    /// Whether name and version are those of the source package.
    pub(crate) source: bool,
}

/// What tells the release of a distribution's packages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Releases<'a> {
    /// What the user says; it rules over all else for packages of that family.
    pub(crate) asked: Option<&'a Distro>,
    /// What the bill says of the whole image.
    pub(crate) of_bill: Option<&'a Distro>,
}

/// The ecosystems, without suffixes, whose data the packages of a bill need.
#[must_use]
pub fn needed_ecosystems(sbom: &Sbom) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let releases = Releases {
        asked: None,
        of_bill: sbom.distro.as_ref(),
    };
    for package in &sbom.packages {
        let Ok(purl) = PackageUrl::parse(&package.purl) else {
            continue;
        };
        let name = if is_of_release(&purl) {
            family(&distro_of(&purl, releases))
        } else {
            language_ecosystem(&purl)
        };
        names.extend(name.map(str::to_owned));
    }
    names
}

/// Refuses a release that is of another distribution than all packages: scanning by the bill's instead would surprise.
pub(crate) fn check_release(asked: &Distro, sbom: &Sbom) -> Result<(), Error> {
    let releases = Releases {
        asked: None,
        of_bill: sbom.distro.as_ref(),
    };
    let purls = sbom
        .packages
        .iter()
        .filter_map(|package| PackageUrl::parse(&package.purl).ok());
    let found: BTreeSet<_> = purls
        .filter(is_of_release)
        .map(|purl| family(&distro_of(&purl, releases)))
        .collect();
    if found.is_empty() || found.contains(&None) || found.contains(&family(asked)) {
        return Ok(());
    }
    Err(Error::ForeignRelease {
        asked: asked.id.clone(),
        found: found.into_iter().flatten().map(str::to_owned).collect(),
    })
}

/// Whether the advisories about a package are those of a distribution's release.
fn is_of_release(purl: &PackageUrl<'_>) -> bool {
    matches!(&*purl.kind, "deb" | "rpm" | "apk" | "alpm")
}

/// What to ask about a package, or why nothing can be asked.
pub(crate) fn queries(
    database: &Database,
    package: &Package,
    releases: Releases<'_>,
) -> Result<Vec<Query>, String> {
    let purl = PackageUrl::parse(&package.purl).map_err(|error| error.to_string())?;
    let is_distribution = is_of_release(&purl) || matches!(&*purl.kind, "ebuild" | "opkg");
    let queries = if is_distribution {
        distribution_queries(database, package, &purl, releases)?
    } else {
        language_queries(database, package, &purl)
    };
    if queries.is_empty() {
        return Err(format!(
            "no ecosystem of advisories covers packages of type `{}`",
            purl.kind
        ));
    }
    Ok(queries)
}

fn language_queries(database: &Database, package: &Package, purl: &PackageUrl<'_>) -> Vec<Query> {
    let Some(base) = language_ecosystem(purl) else {
        return Vec::new();
    };
    let ecosystem = with_repository(database, base, purl);
    vec![Query {
        name: name(database, &ecosystem, package, purl).into(),
        ecosystem: ecosystem.into(),
        version: package.version.as_str().into(),
        source: false,
    }]
}

fn language_ecosystem(purl: &PackageUrl<'_>) -> Option<&'static str> {
    Some(match &*purl.kind {
        "bioconductor" => "Bioconductor",
        "bitnami" => "Bitnami",
        "cargo" => "crates.io",
        "composer" => "Packagist",
        "conan" => "ConanCenter",
        "cran" => "CRAN",
        "gem" => "RubyGems",
        "generic" if purl.name == "ghc" => "GHC",
        "ghc" => "GHC",
        "github" | "githubactions" => "GitHub Actions",
        "golang" => "Go",
        "hackage" => "Hackage",
        "hex" => "Hex",
        "julia" => "Julia",
        "maven" => "Maven",
        "npm" => "npm",
        "nuget" => "NuGet",
        "opam" => "opam",
        "pub" => "Pub",
        "pypi" => "PyPI",
        "swift" => "SwiftURL",
        _ => return None,
    })
}

/// A repository that has an ecosystem of its own is asked there; any other is taken for a mirror of the usual one.
fn with_repository(database: &Database, base: &str, purl: &PackageUrl<'_>) -> String {
    let Some(url) = purl.qualifier("repository_url") else {
        return base.to_owned();
    };
    let url = url.trim_end_matches('/');
    let spellings = [
        url.to_owned(),
        format!("{url}/"),
        format!("https://{url}"),
        format!("https://{url}/"),
    ];
    let ecosystems = spellings.iter().map(|url| format!("{base}:{url}"));
    ecosystems
        .into_iter()
        .find(|name| database.has_ecosystem(name))
        .unwrap_or_else(|| base.to_owned())
}

/// The name by its package URL. Where the data has none of that name and the package's own only differs in case, that one:
/// package URLs of some types are in lower case although the names are not.
fn name(database: &Database, ecosystem: &str, package: &Package, purl: &PackageUrl<'_>) -> String {
    let full = match (ecosystem, purl.full_name()) {
        // cyclonedx-gomod names the standard library as the go command does.
        ("Go", name) if name == "std" => "stdlib".into(),
        (_, name) => name,
    };
    let has =
        |name: &str| database.has_package(ecosystem, &ecosystem::normal_name(ecosystem, name));
    let differs = package.name != full && package.name.eq_ignore_ascii_case(&full);
    if differs && !has(&full) {
        package.name.clone()
    } else {
        full.into_owned()
    }
}

fn distribution_queries(
    database: &Database,
    package: &Package,
    purl: &PackageUrl<'_>,
    releases: Releases<'_>,
) -> Result<Vec<Query>, String> {
    let distro = distro_of(purl, releases);
    if let Some(vendor) = foreign_vendor(package, &distro) {
        return Err(format!(
            "it comes from `{vendor}`, not from the distribution"
        ));
    }
    let known = database
        .meta()
        .ecosystems
        .iter()
        .map(|ecosystem| ecosystem.name.as_str());
    let ecosystems = release::ecosystems(&distro, known);
    if ecosystems.is_empty() {
        let version = distro.version_id.as_deref().unwrap_or("unknown");
        return Err(format!(
            "no advisories are known by distribution `{}` release `{version}`",
            distro.id
        ));
    }
    let binary: (Arc<str>, Arc<str>) = (
        distribution_name(purl).into(),
        package.version.as_str().into(),
    );
    let source = source(package, purl);
    let source = source.map(|(name, version)| (Arc::from(name), Arc::from(version)));
    let mut queries = Vec::new();
    for ecosystem in ecosystems {
        let (ask_binary, ask_source) = asked_names(&ecosystem);
        let ecosystem: Arc<str> = ecosystem.into();
        let ask_binary = ask_binary || source.is_none();
        if let Some((name, version)) = source.clone().filter(|_| ask_source) {
            queries.push(Query {
                ecosystem: Arc::clone(&ecosystem),
                name,
                version,
                source: true,
            });
        }
        let known = queries
            .iter()
            .any(|query| query.ecosystem == ecosystem && query.name == binary.0);
        if ask_binary && !known {
            queries.push(Query {
                ecosystem,
                name: binary.0.clone(),
                version: binary.1.clone(),
                source: false,
            });
        }
    }
    Ok(queries)
}

/// The name of a distribution's package; in these types it is in lower case, however somebody writes it.
fn distribution_name(purl: &PackageUrl<'_>) -> String {
    match &*purl.kind {
        "deb" | "apk" | "alpm" => purl.name.to_lowercase(),
        _ => purl.name.to_string(),
    }
}

/// The release that the user asked for, else the one that a package URL names, else the bill's, each if it is of the same
/// family, else what the namespace tells.
fn distro_of(purl: &PackageUrl<'_>, releases: Releases<'_>) -> Distro {
    let of_namespace = release::from_qualifier(&purl.namespace, &purl.namespace);
    let own = family(&of_namespace);
    let fits = |distro: &&Distro| own.is_none() || own == family(distro);
    if let Some(asked) = releases.asked.filter(fits) {
        return asked.clone();
    }
    let named = purl
        .qualifier("distro")
        .map(|text| release::from_qualifier(text, &purl.namespace));
    if let Some(named) = named.filter(|named| named.version_id.is_some()) {
        return named;
    }
    releases
        .of_bill
        .filter(fits)
        .cloned()
        .unwrap_or(of_namespace)
}

/// Whether the ecosystem's records name binary packages, source packages, or both.
fn asked_names(ecosystem: &str) -> (bool, bool) {
    match ecosystem::base(ecosystem) {
        "Debian" | "Ubuntu" | "Echo" => (false, true),
        "AlmaLinux" | "Photon OS" => (true, false),
        _ => (true, true),
    }
}

/// The source package: from the bill, else from the `upstream` qualifier that other tools write.
fn source(package: &Package, purl: &PackageUrl<'_>) -> Option<(String, String)> {
    if let Some(source) = &package.source {
        let version = if source.version.is_empty() {
            &package.version
        } else {
            &source.version
        };
        return Some((source.name.clone(), version.clone()));
    }
    let upstream = purl.qualifier("upstream")?;
    if let Some(archive) = upstream
        .strip_suffix(".src.rpm")
        .or_else(|| upstream.strip_suffix(".nosrc.rpm"))
    {
        let (rest, release) = archive.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        return Some((name.to_owned(), format!("{version}-{release}")));
    }
    let (name, version) = upstream
        .split_once('@')
        .unwrap_or((upstream, &package.version));
    Some((name.to_owned(), version.to_owned()))
}

/// The vendor of an rpm that is not its distribution's: the distribution's advisories say nothing about it.
fn foreign_vendor<'a>(package: &'a Package, distro: &Distro) -> Option<&'a str> {
    let vendor = package
        .facts
        .get("vendor")
        .map(String::as_str)
        .filter(|vendor| !vendor.is_empty())?;
    let own = Distribution::of(distro)?.vendor;
    (!vendor.to_lowercase().contains(own)).then_some(vendor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded_where_their_type_says_so() {
        let name = |purl: &str| distribution_name(&PackageUrl::parse(purl).unwrap());
        assert_eq!(name("pkg:deb/debian/OpenSSL@3"), "openssl");
        assert_eq!(name("pkg:rpm/fedora/ImageMagick@7"), "ImageMagick");
    }

    #[test]
    fn a_release_that_is_asked_for_rules_over_what_package_urls_name() {
        let asked = release::distro_release("debian-12").unwrap();
        let of_bill = release::distro_release("debian-13").unwrap();
        let version = |purl: &str, asked| {
            let releases = Releases {
                asked,
                of_bill: Some(&of_bill),
            };
            distro_of(&PackageUrl::parse(purl).unwrap(), releases).version_id
        };
        let debian = "pkg:deb/debian/bash@5.2-1?distro=debian-11";
        assert_eq!(version(debian, Some(&asked)).as_deref(), Some("12"));
        assert_eq!(version(debian, None).as_deref(), Some("11"));
        let bare = "pkg:deb/debian/bash@5.2-1";
        assert_eq!(version(bare, None).as_deref(), Some("13"));
        let other = "pkg:rpm/rocky/bash@5.2-1?distro=rocky-9";
        assert_eq!(version(other, Some(&asked)).as_deref(), Some("9"));
    }
}
