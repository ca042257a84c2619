//! What every reader makes of a package URL, and of packages together.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::package::{Distro, Package, PackageKind, Sbom, SourcePackage, Subject};
use crate::package_url::{PackageUrl, ParsePackageUrlError};
use crate::purl::pypi_name;

/// A bill of nothing but package URLs.
///
/// # Errors
/// When one is malformed, or has no version to match.
pub fn of_package_urls(purls: &[String]) -> Result<Sbom, Error> {
    let one = |text: &String| -> Result<Package, Error> {
        let purl = PackageUrl::parse(text)?;
        if purl.version.is_empty() {
            let reason = "it has no version to match";
            return Err(ParsePackageUrlError::new(text, reason).into());
        }
        let (kind, name, version) = (purl.package_kind(), purl.full_name(), purl.full_version());
        let mut package = Package::new(kind, name, version, text);
        package.architecture = purl.qualifier("arch").map(str::to_owned);
        Ok(package)
    };
    Ok(Sbom {
        subject: Subject {
            name: purls.first().cloned().unwrap_or_default(),
            ..Subject::default()
        },
        distro: None,
        layers: Vec::new(),
        packages: purls.iter().map(one).collect::<Result<_, _>>()?,
        unknowns: Vec::new(),
    })
}

/// A package by its package URL; `group` and `name` give the spelling that a package URL folds away, `version` what it may
/// lack. `None` when it is none or has no version; an image within an image is no package.
pub(super) fn package(
    purl: &str,
    group: Option<&str>,
    name: &str,
    version: Option<&str>,
) -> Option<Package> {
    let parsed = PackageUrl::parse(purl).ok()?;
    if matches!(&*parsed.kind, "oci" | "docker") {
        return None;
    }
    let kind = parsed.package_kind();
    let stated = parsed.full_version();
    let version = Some(&*stated)
        .filter(|stated| !stated.is_empty())
        .or(version)?;
    let plain = parsed.full_name();
    let separator = if kind == PackageKind::Maven { ":" } else { "/" };
    let full = group.map(|group| format!("{group}{separator}{name}"));
    let mut spellings = [full.as_deref(), Some(name)].into_iter().flatten();
    let normal = |name: &str| match kind {
        PackageKind::Pypi => pypi_name(name),
        _ => name.to_lowercase(),
    };
    let spelled = spellings.find(|name| *name == plain || normal(name) == normal(&plain));
    let mut package = Package::new(kind, spelled.unwrap_or(&plain), version, purl);
    package.architecture = parsed.qualifier("arch").map(str::to_owned);
    if kind.is_distribution() {
        package.source = upstream(&parsed, &package);
    }
    Some(package)
}

/// The source package that qualifier `upstream` names.
fn upstream(purl: &PackageUrl<'_>, package: &Package) -> Option<SourcePackage> {
    let Some(upstream) = purl.qualifier("upstream") else {
        // Left out where it says nothing new.
        return (package.kind != PackageKind::Rpm).then(|| SourcePackage {
            name: package.name.clone(),
            version: package.version.clone(),
        });
    };
    if let Some(stem) = upstream.strip_suffix(".src.rpm") {
        let (rest, release) = stem.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        let epoch = package
            .version
            .split_once(':')
            .map(|(epoch, _)| format!("{epoch}:"));
        return Some(SourcePackage {
            name: name.to_owned(),
            version: format!("{}{version}-{release}", epoch.unwrap_or_default()),
        });
    }
    let (name, version) = upstream
        .split_once('@')
        .unwrap_or((upstream, &package.version));
    Some(SourcePackage {
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

/// The distribution that packages name in qualifier `distro`, when no component says more.
pub(super) fn distro_of(packages: &[Package]) -> Option<Distro> {
    let mut of_distribution = packages
        .iter()
        .filter(|package| package.kind.is_distribution());
    let text = of_distribution.find_map(|package| {
        let purl = PackageUrl::parse(&package.purl).ok()?;
        purl.qualifier("distro").map(str::to_owned)
    })?;
    let (id, version) = match text.rsplit_once('-') {
        Some((id, version)) => (id.to_owned(), Some(version.to_owned())),
        None => (text, None),
    };
    Some(Distro {
        id,
        version_id: version,
        ..Distro::default()
    })
}

/// Tells each package which others it needs, by pairs of their places. What has one package URL needs the same.
pub(super) fn link(packages: &mut [Package], needs: impl Iterator<Item = (usize, usize)>) {
    let mut needed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (package, other) in needs {
        let (package, other) = (&packages[package].purl, &packages[other].purl);
        if package != other {
            needed.entry(package).or_default().insert(other);
        }
    }
    let of_one = |package: &Package| {
        let needed = needed.get(package.purl.as_str()).into_iter().flatten();
        needed.map(|purl| (*purl).to_owned()).collect()
    };
    let depends_on: Vec<Vec<String>> = packages.iter().map(of_one).collect();
    for (package, depends_on) in packages.iter_mut().zip(depends_on) {
        package.depends_on = depends_on;
    }
}

/// Sorts as every bill is sorted.
pub(super) fn sorted(mut packages: Vec<Package>) -> Vec<Package> {
    packages.sort_by(|a, b| {
        (&a.purl, &a.owned_by, &a.evidence).cmp(&(&b.purl, &b.owned_by, &b.evidence))
    });
    packages
}
