//! Bills of materials of other tools, in: CycloneDX JSON and XML, SPDX JSON and tag-value, and barge's own JSON.
//!
//! Readers are tolerant: unknown fields are passed over, and what has neither a package URL nor a version is left out.
//! Source packages are found under the names that syft and trivy give them.

mod cyclonedx;
mod cyclonedx_xml;
mod spdx;
mod spdx_tags;

use packageurl::PackageUrl;
use serde_json_borrow::Value;

use crate::dialect;
use crate::error::Error;
use crate::package::{Distro, Package, PackageKind, Sbom, SourcePackage};

/// Reads a bill of any known format.
///
/// # Errors
/// When it is of none, or broken.
pub fn read(bytes: &[u8]) -> Result<Sbom, Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii_start().starts_with(b"<") {
        return cyclonedx_xml::to_json(bytes)
            .and_then(|json| cyclonedx::read(&Value::from(&json)))
            .ok_or_else(|| broken("it is XML, but no CycloneDX"));
    }
    if spdx_tags::is_one(bytes) {
        return spdx::read(&Value::from(&spdx_tags::to_json(bytes)))
            .ok_or_else(|| broken("SPDX without packages"));
    }
    // Texts stay where they are: a bill has a hundred of them for each package that comes of it.
    let json: Value<'_> =
        serde_json::from_slice(bytes).map_err(|error| broken(&error.to_string()))?;
    if text(&json, "bomFormat") == Some("CycloneDX") {
        return cyclonedx::read(&json).ok_or_else(|| broken("CycloneDX without components"));
    }
    if !json.get("spdxVersion").is_null() {
        return spdx::read(&json).ok_or_else(|| broken("SPDX without packages"));
    }
    if text(&json, "schema") == Some(dialect::JSON_SCHEMA) {
        return serde_json::from_slice(bytes).map_err(|error| broken(&error.to_string()));
    }
    Err(broken("neither CycloneDX, nor SPDX, nor barge's JSON"))
}

/// The items of a list, none where there is no list.
fn list<'a>(
    value: &'a Value<'_>,
    key: &'static str,
) -> impl Iterator<Item = &'a Value<'a>> + use<'a> {
    value.get(key).as_array().unwrap_or_default().iter()
}

/// A text that is there and says something.
fn text<'a>(value: &'a Value<'_>, key: &'static str) -> Option<&'a str> {
    value.get(key).as_str().filter(|text| !text.is_empty())
}

fn broken(reason: &str) -> Error {
    Error::Bom {
        reason: reason.to_owned(),
    }
}

/// A package by its package URL; `group` and `name` give the spelling that a package URL folds away.
fn package(purl: &str, group: Option<&str>, name: &str) -> Option<Package> {
    let (kind, plain, version, parsed) = crate::purl::parse(purl)?;
    let separator = kind.separator().unwrap_or('/');
    let full = group.map(|group| format!("{group}{separator}{name}"));
    let spellings = [full.as_deref(), Some(name)].into_iter().flatten();
    let normal = |name: &str| match kind {
        PackageKind::Pypi => crate::purl::pypi_name(name),
        _ => name.to_lowercase(),
    };
    let spelled = spellings
        .into_iter()
        .find(|name| normal(name) == normal(&plain));
    let mut package = Package::new(kind, spelled.unwrap_or(&plain), version, purl);
    package.architecture = parsed.qualifiers().get("arch").map(ToString::to_string);
    if kind.is_distribution() {
        package.source = upstream(&parsed, &package);
    }
    Some(package)
}

/// The source package that qualifier `upstream` names.
fn upstream(purl: &PackageUrl<'_>, package: &Package) -> Option<SourcePackage> {
    let upstream = purl.qualifiers().get("upstream");
    let Some(upstream) = upstream else {
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
fn distro_of(packages: &[Package]) -> Option<Distro> {
    let text = packages
        .iter()
        .filter(|package| package.kind.is_distribution())
        .find_map(|package| {
            let purl: PackageUrl<'_> = package.purl.parse().ok()?;
            purl.qualifiers().get("distro").map(ToString::to_string)
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

/// Sorts as every bill is sorted.
fn sorted(mut packages: Vec<Package>) -> Vec<Package> {
    packages.sort_by(|a, b| {
        (&a.purl, &a.owned_by, &a.evidence).cmp(&(&b.purl, &b.owned_by, &b.evidence))
    });
    packages
}

#[cfg(test)]
mod tests;
