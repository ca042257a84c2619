//! Components: the subject, the operating system, the packages.

use serde::Serialize;

use crate::format::{hash, is_cpe, is_web_address};
use crate::license::{self, one_line};
use crate::package::{Distro, LayerFact, Package, PackageKind, Sbom};

use super::references::{OPERATING_SYSTEM, SUBJECT};

/// A component, in the order of the schema. Its JSON is what the fields say; XML is written by hand.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Component {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(rename = "bom-ref")]
    pub(super) reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) supplier: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<String>,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) licenses: Vec<License>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpe: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) external_references: Vec<ExternalReference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) properties: Vec<Property>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evidence: Option<Evidence>,
}

/// An organisation or a person.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Hash {
    #[serde(rename = "alg")]
    pub(super) algorithm: String,
    pub(super) content: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct ExternalReference {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) url: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Evidence {
    pub(super) occurrences: Vec<Occurrence>,
}

/// Where the component was found, and what introduced it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Occurrence {
    pub(super) location: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) additional_context: Option<String>,
}

/// One of any number of single licences, or the only expression: the schema allows no mixture.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum License {
    Expression(String),
    License(Single),
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Single {
    Id(&'static str),
    Name(String),
}

fn licenses(declared: &[String]) -> Vec<License> {
    let single = |text: &String| {
        let single = license::id(text).map_or_else(|| Single::Name(one_line(text)), Single::Id);
        License::License(single)
    };
    match declared {
        [only] if license::id(only).is_none() && license::expression(only).is_some() => {
            vec![License::Expression(only.clone())]
        }
        _ => declared
            .iter()
            .filter(|text| !text.trim().is_empty())
            .map(single)
            .collect(),
    }
}

/// What the document is about: an image by its digest, or a directory.
pub(super) fn subject(sbom: &Sbom) -> Component {
    let subject = &sbom.subject;
    let digest = subject.manifest.or(subject.image);
    let mut properties = Vec::new();
    if let Some(image) = subject.image {
        properties.push(property("barge:image:config", image.to_string()));
    }
    for reference in &subject.references {
        properties.push(property("barge:image:reference", reference.to_string()));
    }
    for (number, layer) in sbom.layers.iter().enumerate() {
        let name = format!("barge:layer:{number}:diff-id");
        properties.push(property(&name, layer.diff_id.to_string()));
        if let Some(instruction) = &layer.instruction {
            let name = format!("barge:layer:{number}:instruction");
            properties.push(property(&name, one_line(instruction)));
        }
    }
    Component {
        kind: if subject.image.is_some() {
            "container"
        } else {
            "file"
        },
        reference: SUBJECT.to_owned(),
        name: subject.name.clone(),
        version: digest.map(|digest| digest.to_string()),
        purl: crate::purl::image(subject),
        properties,
        ..Component::default()
    }
}

pub(super) fn operating_system(sbom: &Sbom) -> Option<Component> {
    let distro = sbom.distro.as_ref()?;
    Some(Component {
        kind: "operating-system",
        reference: OPERATING_SYSTEM.to_owned(),
        name: distro.id.clone(),
        version: distro
            .version_id
            .clone()
            .or_else(|| distro.build_id.clone()),
        description: distro.pretty_name.clone(),
        properties: distro_properties(distro),
        ..Component::default()
    })
}

/// A fact under a name.
pub(super) fn property(name: &str, value: impl Into<String>) -> Property {
    Property {
        name: name.to_owned(),
        value: value.into(),
    }
}

fn distro_properties(distro: &Distro) -> Vec<Property> {
    let property = |(name, value): (&str, Option<String>)| Some(property(name, value?));
    let some = |list: &[String]| (!list.is_empty()).then(|| list.join(" "));
    [
        ("syft:distro:id", Some(distro.id.clone())),
        ("syft:distro:versionID", distro.version_id.clone()),
        ("syft:distro:idLike:0", distro.id_like.first().cloned()),
        ("aquasecurity:trivy:Class", Some("os-pkgs".to_owned())),
        ("aquasecurity:trivy:Type", Some(distro.id.clone())),
        ("barge:distro:id-like", some(&distro.id_like)),
        ("barge:distro:codename", distro.codename.clone()),
        ("barge:distro:repositories", some(&distro.repositories)),
    ]
    .into_iter()
    .filter_map(property)
    .collect()
}

pub(super) fn package(package: &Package, reference: &str, layers: &[LayerFact]) -> Component {
    let (group, name) = group_and_name(package);
    let fact = |name: &str| package.facts.get(name).cloned();
    let supplier = ["maintainer", "vendor", "author"]
        .into_iter()
        .find_map(fact);
    let is_program = package.facts.contains_key("classifier");
    let occurrences = package.evidence.iter().map(|evidence| {
        let layer = evidence
            .layer_index
            .and_then(|at| Some((at, layers.get(at as usize)?)));
        Occurrence {
            location: evidence.path.clone(),
            additional_context: layer
                .map(|(at, layer)| format!("introduced by layer {at}, {}", layer.diff_id)),
        }
    });
    let occurrences: Vec<_> = occurrences.collect();
    let hashes = package.hashes.iter().filter_map(|(algorithm, digits)| {
        hash::spdx_name(algorithm, digits)?;
        Some(Hash {
            algorithm: algorithm.clone(),
            content: digits.clone(),
        })
    });
    Component {
        kind: if is_program { "application" } else { "library" },
        reference: reference.to_owned(),
        supplier: supplier
            .map(|name| one_line(&name))
            .filter(|name| !name.is_empty())
            .map(|name| Named { name }),
        group,
        name,
        version: Some(package.version.clone()),
        description: None,
        hashes: hashes.collect(),
        licenses: licenses(&package.licenses),
        cpe: fact("cpe").filter(|cpe| is_cpe(cpe)),
        purl: Some(package.purl.clone()),
        external_references: fact("homepage")
            .filter(|address| is_web_address(address))
            .map(|url| ExternalReference {
                kind: "website",
                url,
            })
            .into_iter()
            .collect(),
        properties: properties(package),
        evidence: (!occurrences.is_empty()).then_some(Evidence { occurrences }),
    }
}

/// npm's scope and Maven's group have a field of their own.
fn group_and_name(package: &Package) -> (Option<String>, String) {
    let split = match package.kind {
        PackageKind::Npm | PackageKind::Composer => package.name.rsplit_once('/'),
        PackageKind::Maven => package.name.split_once(':'),
        _ => None,
    };
    match split {
        Some((group, name)) => (Some(group.to_owned()), name.to_owned()),
        None => (None, package.name.clone()),
    }
}

fn properties(package: &Package) -> Vec<Property> {
    let mut properties = Vec::new();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            properties.push(property(name, one_line(value)));
        }
    };
    if let Some(source) = &package.source {
        let (epoch, version, release) = version_parts(package.kind, &source.version);
        add("aquasecurity:trivy:PkgType", trivy_type(package.kind));
        add("aquasecurity:trivy:SrcName", &source.name);
        add("aquasecurity:trivy:SrcVersion", version);
        add("aquasecurity:trivy:SrcRelease", release);
        add("aquasecurity:trivy:SrcEpoch", epoch);
    }
    if let Some(evidence) = package.evidence.first() {
        if !package.kind.is_distribution() {
            add("aquasecurity:trivy:FilePath", &evidence.path);
        }
        if let Some(layer) = evidence.layer {
            add("aquasecurity:trivy:LayerDiffID", &layer.to_string());
        }
    }
    if let Some(modularity) = package.facts.get("modularity") {
        add("aquasecurity:trivy:Modularitylabel", modularity);
    }
    if let Some(owner) = &package.owned_by {
        add("barge:owned-by", owner);
    }
    for (name, value) in &package.facts {
        if !matches!(
            name.as_str(),
            "maintainer" | "vendor" | "author" | "homepage" | "cpe"
        ) {
            add(&format!("barge:{name}"), value);
        }
    }
    properties
}

fn trivy_type(kind: PackageKind) -> &'static str {
    match kind {
        PackageKind::Deb => "debian",
        PackageKind::Apk => "alpine",
        PackageKind::Rpm => "redhat",
        _ => "",
    }
}

/// Epoch, version and release, as the tools of the distribution part them.
fn version_parts(kind: PackageKind, version: &str) -> (&str, &str, &str) {
    if !matches!(kind, PackageKind::Deb | PackageKind::Rpm) {
        return ("", version, "");
    }
    let (epoch, rest) = version.split_once(':').unwrap_or(("", version));
    let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, version, release)
}
