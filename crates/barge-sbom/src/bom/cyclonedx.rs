//! CycloneDX 1.2 to 1.7, as JSON.

use std::collections::BTreeMap;

use serde_json_borrow::Value;

use super::{distro_of, list, package, sorted, text};
use crate::dialect::{UNKNOWN, unknown};
use crate::package::{
    Distro, Evidence, Package, PackageKind, Sbom, SourcePackage, Subject, Unknown,
};

pub(super) fn read(json: &Value<'_>) -> Option<Sbom> {
    let metadata = json.get("metadata");
    let root = Some(metadata.get("component")).filter(|root| !root.is_null());
    let mut distro = None;
    let mut by_reference: BTreeMap<String, String> = BTreeMap::new();
    let mut packages = Vec::new();
    let mut pending: Vec<&Value<'_>> = list(json, "components").collect();
    if json.get("components").is_null() && root.is_none() {
        return None;
    }
    // Components hold components: a stack of our own, whatever their depth.
    while let Some(component) = pending.pop() {
        pending.extend(list(component, "components"));
        if text(component, "type") == Some("operating-system") {
            distro = operating_system(component);
        } else if let Some(package) = read_component(component) {
            if let Some(reference) = text(component, "bom-ref") {
                by_reference.insert(reference.to_owned(), package.purl.clone());
            }
            packages.push(package);
        }
    }
    link(json, &by_reference, &mut packages);
    let distro = distro
        .or_else(|| distro_from_metadata(json))
        .or_else(|| distro_of(&packages));
    Some(Sbom {
        subject: subject(root),
        distro,
        layers: Vec::new(),
        packages: sorted(packages),
        unknowns: unknowns(json),
    })
}

/// What barge could not read.
fn unknowns(json: &Value<'_>) -> Vec<Unknown> {
    list(json.get("metadata"), "properties")
        .filter(|property| text(property, "name") == Some(UNKNOWN))
        .filter_map(|property| text(property, "value").map(unknown))
        .collect()
}

fn property<'a>(component: &'a Value<'_>, name: &str) -> Option<&'a str> {
    let found = list(component, "properties").find(|entry| text(entry, "name") == Some(name));
    found.and_then(|entry| text(entry, "value"))
}

fn subject(component: Option<&Value<'_>>) -> Subject {
    let Some(component) = component else {
        return Subject::default();
    };
    let digest = ["barge:image:config", "aquasecurity:trivy:ImageID"];
    let version = text(component, "version").and_then(|version| version.parse().ok());
    Subject {
        name: text(component, "name").unwrap_or_default().to_owned(),
        image: digest
            .iter()
            .find_map(|name| property(component, name)?.parse().ok()),
        manifest: version,
        ..Subject::default()
    }
}

fn operating_system(component: &Value<'_>) -> Option<Distro> {
    let id = property(component, "syft:distro:id").or_else(|| text(component, "name"))?;
    let version =
        property(component, "syft:distro:versionID").or_else(|| text(component, "version"));
    let list = |name: &str| -> Vec<String> {
        let words = property(component, name)
            .unwrap_or_default()
            .split_whitespace();
        words.map(str::to_owned).collect()
    };
    let mut id_like = list("barge:distro:id-like");
    if id_like.is_empty() {
        id_like.extend(property(component, "syft:distro:idLike:0").map(str::to_owned));
    }
    Some(Distro {
        id: id.to_lowercase(),
        id_like,
        version_id: version.map(str::to_owned),
        codename: property(component, "barge:distro:codename").map(str::to_owned),
        build_id: None,
        pretty_name: text(component, "description").map(str::to_owned),
        repositories: list("barge:distro:repositories"),
    })
}

/// Some tools name the distribution in the document's properties only.
fn distro_from_metadata(json: &Value<'_>) -> Option<Distro> {
    let metadata = json.get("metadata");
    Some(Distro {
        id: property(metadata, "syft:distro:id")?.to_lowercase(),
        version_id: property(metadata, "syft:distro:versionID").map(str::to_owned),
        ..Distro::default()
    })
}

fn read_component(component: &Value<'_>) -> Option<Package> {
    let name = text(component, "name")?;
    let mut package = match text(component, "purl") {
        Some(purl) => package(purl, text(component, "group"), name)?,
        None => without_purl(component, name)?,
    };
    package.licenses = licenses(component);
    package.evidence = evidence(component);
    package.owned_by = property(component, "barge:owned-by").map(str::to_owned);
    package.source = source(component, &package).or(package.source);
    for hash in list(component, "hashes") {
        if let (Some(algorithm), Some(digits)) = (text(hash, "alg"), text(hash, "content")) {
            package
                .hashes
                .insert(algorithm.to_owned(), digits.to_lowercase());
        }
    }
    let modularity = [
        "aquasecurity:trivy:Modularitylabel",
        "syft:metadata:modularityLabel",
    ];
    let modularity = modularity
        .into_iter()
        .find_map(|name| property(component, name));
    for (fact, value) in [("cpe", text(component, "cpe")), ("modularity", modularity)] {
        if let Some(value) = value {
            package.facts.insert(fact.to_owned(), value.to_owned());
        }
    }
    Some(package)
}

/// Only a CPE can be compared with anything when there is no package URL.
fn without_purl(component: &Value<'_>, name: &str) -> Option<Package> {
    text(component, "cpe")?;
    let version = text(component, "version")?;
    let identity = crate::purl::Identity {
        kind: PackageKind::Generic,
        name,
        version,
        architecture: None,
        source: None,
        facts: None,
    };
    let purl = crate::purl::purl(&identity, None);
    Some(Package::new(PackageKind::Generic, name, version, purl))
}

fn licenses(component: &Value<'_>) -> Vec<String> {
    let one = |entry: &Value<'_>| {
        let license = entry.get("license");
        let named = text(license, "id").or_else(|| text(license, "name"));
        text(entry, "expression").or(named).map(str::to_owned)
    };
    list(component, "licenses").filter_map(one).collect()
}

/// Occurrences, or where syft and trivy write locations.
fn evidence(component: &Value<'_>) -> Vec<Evidence> {
    let layer = ["aquasecurity:trivy:LayerDiffID", "syft:location:0:layerID"];
    let layer = layer
        .into_iter()
        .find_map(|name| property(component, name)?.parse().ok());
    let mut paths: Vec<&str> = list(component.get("evidence"), "occurrences")
        .filter_map(|entry| text(entry, "location"))
        .collect();
    if paths.is_empty() {
        let properties = ["aquasecurity:trivy:FilePath", "syft:location:0:path"];
        paths.extend(
            properties
                .into_iter()
                .find_map(|name| property(component, name)),
        );
    }
    let evidence = |path: &str| Evidence {
        path: path.trim_start_matches('/').to_owned(),
        layer,
        layer_index: None,
    };
    paths.into_iter().map(evidence).collect()
}

fn source(component: &Value<'_>, package: &Package) -> Option<SourcePackage> {
    if let Some(name) = property(component, "aquasecurity:trivy:SrcName") {
        let version = property(component, "aquasecurity:trivy:SrcVersion").unwrap_or_default();
        let release = property(component, "aquasecurity:trivy:SrcRelease");
        let epoch =
            property(component, "aquasecurity:trivy:SrcEpoch").filter(|epoch| *epoch != "0");
        let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        let release = release
            .map(|release| format!("-{release}"))
            .unwrap_or_default();
        return Some(SourcePackage {
            name: name.to_owned(),
            version: format!("{epoch}{version}{release}"),
        });
    }
    let name = ["syft:metadata:source", "syft:metadata:originPackage"];
    let name = name
        .into_iter()
        .find_map(|name| property(component, name))?;
    let version = property(component, "syft:metadata:sourceVersion").unwrap_or(&package.version);
    Some(SourcePackage {
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

fn link(json: &Value<'_>, by_reference: &BTreeMap<String, String>, packages: &mut [Package]) {
    let mut needs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for dependency in list(json, "dependencies") {
        let purl = text(dependency, "ref").and_then(|reference| by_reference.get(reference));
        if let Some(purl) = purl {
            let on = list(dependency, "dependsOn").filter_map(Value::as_str);
            let on = on.filter_map(|reference| by_reference.get(reference).cloned());
            needs.entry(purl).or_default().extend(on);
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
