//! SPDX 2.2 and 2.3, as JSON.

use std::collections::BTreeMap;

use serde_json_borrow::Value;

use super::{distro_of, list, package, sorted};
use crate::dialect::{INCOMPLETE, unknown};
use crate::package::{Distro, Package, PackageKind, Sbom, SourcePackage, Subject, Unknown};

pub(crate) fn read(json: &Value<'_>) -> Option<Sbom> {
    let entries = json.get("packages").as_array()?;
    let mut distro = None;
    let mut by_id: BTreeMap<&str, String> = BTreeMap::new();
    let mut packages = Vec::new();
    for entry in entries {
        if text(entry, "primaryPackagePurpose") == Some("OPERATING-SYSTEM") {
            distro = text(entry, "name").map(|name| Distro {
                id: name.to_lowercase(),
                version_id: text(entry, "versionInfo").map(str::to_owned),
                ..Distro::default()
            });
        } else if let Some(package) = read_package(entry) {
            if let Some(id) = text(entry, "SPDXID") {
                by_id.insert(id, package.purl.clone());
            }
            packages.push(package);
        }
    }
    link(json, &by_id, &mut packages);
    let distro = distro.or_else(|| distro_of(&packages));
    Some(Sbom {
        subject: Subject {
            name: text(json, "name").unwrap_or_default().to_owned(),
            ..Subject::default()
        },
        distro,
        layers: Vec::new(),
        packages: sorted(packages),
        unknowns: unknowns(json),
    })
}

/// What barge could not read.
fn unknowns(json: &Value<'_>) -> Vec<Unknown> {
    let comment = json.get("creationInfo").get("comment").as_str();
    let lines = comment.and_then(|comment| comment.strip_prefix(INCOMPLETE));
    lines
        .into_iter()
        .flat_map(str::lines)
        .filter(|line| !line.is_empty())
        .map(unknown)
        .collect()
}

/// A text that says something; SPDX has words for nothing.
fn text<'a>(value: &'a Value<'_>, key: &'static str) -> Option<&'a str> {
    super::text(value, key).filter(|text| !matches!(*text, "NOASSERTION" | "NONE"))
}

fn read_package(entry: &Value<'_>) -> Option<Package> {
    let locator = |kinds: &[&str]| {
        list(entry, "externalRefs").find_map(|reference| {
            let kind = text(reference, "referenceType")?;
            text(reference, "referenceLocator").filter(|_| kinds.contains(&kind))
        })
    };
    let purl = locator(&["purl"]).filter(|purl| !purl.starts_with("pkg:oci/"))?;
    let mut package = package(purl, None, text(entry, "name")?)?;
    let license = text(entry, "licenseDeclared").or_else(|| text(entry, "licenseConcluded"));
    package.licenses = license.map(str::to_owned).into_iter().collect();
    if let Some(cpe) = locator(&["cpe23Type"]) {
        package.facts.insert("cpe".into(), cpe.to_owned());
    }
    package.source = stated_source(entry, &package).or(package.source);
    Some(package)
}

/// `built package from: NAME VERSION`, as trivy and barge write it.
fn stated_source(entry: &Value<'_>, package: &Package) -> Option<SourcePackage> {
    let stated = text(entry, "sourceInfo")?
        .lines()
        .find_map(|line| line.strip_prefix("built package from: "))?;
    if !package.kind.is_distribution() || package.kind == PackageKind::Rpm && !stated.contains(' ')
    {
        return None;
    }
    let (name, version) = stated.split_once(' ').unwrap_or((stated, &package.version));
    Some(SourcePackage {
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

fn link(json: &Value<'_>, by_id: &BTreeMap<&str, String>, packages: &mut [Package]) {
    let mut needs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for relationship in list(json, "relationships") {
        let ends =
            text(relationship, "spdxElementId").zip(text(relationship, "relatedSpdxElement"));
        let Some((element, related)) = ends else {
            continue;
        };
        let (from, to) = match text(relationship, "relationshipType") {
            Some("DEPENDS_ON") => (element, related),
            Some("DEPENDENCY_OF") => (related, element),
            _ => continue,
        };
        if let (Some(from), Some(to)) = (by_id.get(from), by_id.get(to)) {
            needs.entry(from).or_default().push(to.clone());
        }
    }
    for package in packages {
        let mut on = needs
            .get(package.purl.as_str())
            .cloned()
            .unwrap_or_default();
        on.retain(|purl| *purl != package.purl);
        on.sort();
        on.dedup();
        package.depends_on = on;
    }
}
