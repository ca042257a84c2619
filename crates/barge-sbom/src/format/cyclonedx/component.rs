//! Components: the subject, the operating system, the packages.

use crate::format::is_web_address;
use crate::license;
use crate::package::{Distro, LayerFact, Package, PackageKind, Sbom};

use super::references::{OPERATING_SYSTEM, SUBJECT};

/// A component, in the order of the schema.
#[derive(Debug, Clone, Default)]
pub(super) struct Component {
    pub(super) kind: &'static str,
    pub(super) reference: String,
    pub(super) supplier: Option<String>,
    pub(super) group: Option<String>,
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) description: Option<String>,
    /// Algorithm and digits.
    pub(super) hashes: Vec<(String, String)>,
    pub(super) licenses: Licenses,
    pub(super) cpe: Option<String>,
    pub(super) purl: Option<String>,
    /// Type and address.
    pub(super) links: Vec<(&'static str, String)>,
    pub(super) properties: Vec<(String, String)>,
    /// Location and what introduced it.
    pub(super) occurrences: Vec<(String, Option<String>)>,
}

/// Either any number of single licences or exactly one expression: the schema allows no mixture.
#[derive(Debug, Clone, Default)]
pub(super) enum Licenses {
    #[default]
    None,
    Expression(String),
    Single(Vec<License>),
}

#[derive(Debug, Clone)]
pub(super) enum License {
    Id(&'static str),
    Name(String),
}

impl Licenses {
    fn new(declared: &[String]) -> Self {
        let single = |text: &String| {
            license::id(text).map_or_else(|| License::Name(text.clone()), License::Id)
        };
        match declared {
            [] => Self::None,
            [only] if license::id(only).is_none() && license::expression(only).is_some() => {
                Self::Expression(only.clone())
            }
            _ => Self::Single(declared.iter().map(single).collect()),
        }
    }
}

/// What the document is about: an image by its digest, or a directory.
pub(super) fn subject(sbom: &Sbom) -> Component {
    let subject = &sbom.subject;
    let digest = subject.manifest.or(subject.image);
    let mut properties = Vec::new();
    if let Some(image) = subject.image {
        properties.push(("barge:image:config".to_owned(), image.to_string()));
    }
    for reference in &subject.references {
        properties.push(("barge:image:reference".to_owned(), reference.to_string()));
    }
    for (number, layer) in sbom.layers.iter().enumerate() {
        let name = format!("barge:layer:{number}:diff-id");
        properties.push((name, layer.diff_id.to_string()));
        if let Some(instruction) = &layer.instruction {
            let name = format!("barge:layer:{number}:instruction");
            properties.push((name, one_line(instruction)));
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

fn distro_properties(distro: &Distro) -> Vec<(String, String)> {
    let property = |(name, value): (&str, Option<String>)| Some((name.to_owned(), value?));
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
        let context =
            layer.map(|(at, layer)| format!("introduced by layer {at}, {}", layer.diff_id));
        (evidence.path.clone(), context)
    });
    Component {
        kind: if is_program { "application" } else { "library" },
        reference: reference.to_owned(),
        supplier: supplier
            .map(|name| one_line(&name))
            .filter(|name| !name.is_empty()),
        group,
        name,
        version: Some(package.version.clone()),
        description: None,
        hashes: package.hashes.clone().into_iter().collect(),
        licenses: Licenses::new(&package.licenses),
        cpe: fact("cpe"),
        purl: Some(package.purl.clone()),
        links: fact("homepage")
            .filter(|address| is_web_address(address))
            .map(|address| ("website", address))
            .into_iter()
            .collect(),
        properties: properties(package),
        occurrences: occurrences.collect(),
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

fn properties(package: &Package) -> Vec<(String, String)> {
    let mut properties = Vec::new();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            properties.push((name.to_owned(), one_line(value)));
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

/// White space is one blank: schemas refuse line ends in one-line texts, and XML folds them.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
