//! SPDX 2.2 and 2.3, as JSON.

use std::collections::BTreeMap;

use serde::de::SeqAccess;
use serde::{Deserialize, Deserializer};

use super::lenient::{self, Lenient, List, Object, Text};
use super::package::{distro_of, link, package, sorted};
use crate::dialect::{INCOMPLETE, unknown};
use crate::package::{Distro, Package, PackageKind, Sbom, SourcePackage, Subject, Unknown};

/// A document.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Document<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    creation_info: Object<CreationInfo<'a>>,
    #[serde(borrow)]
    packages: Option<Packages<'a>>,
    #[serde(borrow)]
    relationships: List<Object<Relationship<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CreationInfo<'a> {
    #[serde(borrow)]
    comment: Text<'a>,
}

/// Packages, made while the document is read.
#[derive(Default)]
struct Packages<'a> {
    distro: Option<Distro>,
    /// With the ids by which relationships name them.
    packages: Vec<(Text<'a>, Package)>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow, rename = "SPDXID")]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version_info: Text<'a>,
    #[serde(borrow)]
    primary_package_purpose: Text<'a>,
    #[serde(borrow)]
    license_declared: Text<'a>,
    #[serde(borrow)]
    license_concluded: Text<'a>,
    #[serde(borrow)]
    source_info: Text<'a>,
    #[serde(borrow)]
    external_refs: List<Object<ExternalReference<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ExternalReference<'a> {
    #[serde(borrow, rename = "referenceType")]
    kind: Text<'a>,
    #[serde(borrow, rename = "referenceLocator")]
    locator: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Relationship<'a> {
    #[serde(borrow, rename = "spdxElementId")]
    element: Text<'a>,
    #[serde(borrow, rename = "relationshipType")]
    kind: Text<'a>,
    #[serde(borrow, rename = "relatedSpdxElement")]
    related: Text<'a>,
}

impl Document<'_> {
    /// The bill, if it has packages.
    pub(super) fn bill(self) -> Option<Sbom> {
        let Packages { distro, packages } = self.packages?;
        let (ids, mut packages): (Vec<Text<'_>>, Vec<Package>) = packages.into_iter().unzip();
        let places = ids.iter().enumerate();
        let by_id: BTreeMap<&str, usize> = places
            .filter_map(|(index, id)| Some((stated(id)?, index)))
            .collect();
        let place = |id: &Text<'_>| by_id.get(stated(id)?).copied();
        let needs = self.relationships.0.iter();
        let needs = needs.filter_map(
            |Object(Relationship {
                 element,
                 kind,
                 related,
             })| {
                match kind.get()? {
                    "DEPENDS_ON" => place(element).zip(place(related)),
                    "DEPENDENCY_OF" => place(related).zip(place(element)),
                    _ => None,
                }
            },
        );
        link(&mut packages, needs);
        Some(Sbom {
            subject: Subject {
                name: stated(&self.name).unwrap_or_default().to_owned(),
                ..Subject::default()
            },
            distro: distro.or_else(|| distro_of(&packages)),
            layers: Vec::new(),
            packages: sorted(packages),
            unknowns: unknowns(&self.creation_info.0),
        })
    }
}

/// What barge could not read.
fn unknowns(information: &CreationInfo<'_>) -> Vec<Unknown> {
    let comment = information.comment.get();
    let lines = comment.and_then(|comment| comment.strip_prefix(INCOMPLETE));
    lines
        .into_iter()
        .flat_map(str::lines)
        .filter(|line| !line.is_empty())
        .map(unknown)
        .collect()
}

/// A text that says something; SPDX has words for nothing.
fn stated<'t>(text: &'t Text<'_>) -> Option<&'t str> {
    text.get()
        .filter(|text| !matches!(*text, "NOASSERTION" | "NONE"))
}

impl<'de> Lenient<'de> for Packages<'de> {
    fn of_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut all = Self::default();
        while let Some(Object(entry)) = list.next_element::<Object<Entry<'de>>>()? {
            if stated(&entry.primary_package_purpose) == Some("OPERATING-SYSTEM") {
                all.distro = entry.distro();
            } else if let Some(package) = entry.package() {
                all.packages.push((entry.id, package));
            }
        }
        Ok(all)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Packages<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        lenient::read::<Packages<'de>, D>(from)
    }
}

impl Entry<'_> {
    fn distro(&self) -> Option<Distro> {
        Some(Distro {
            id: stated(&self.name)?.to_lowercase(),
            version_id: stated(&self.version_info).map(str::to_owned),
            ..Distro::default()
        })
    }

    fn package(&self) -> Option<Package> {
        let purl = self.locator("purl")?;
        let version = stated(&self.version_info);
        let mut package = package(purl, None, stated(&self.name)?, version)?;
        let license = stated(&self.license_declared).or_else(|| stated(&self.license_concluded));
        package.licenses = license.map(str::to_owned).into_iter().collect();
        if let Some(cpe) = self.locator("cpe23Type") {
            package.facts.insert("cpe".into(), cpe.to_owned());
        }
        package.source = self.source(&package).or(package.source);
        Some(package)
    }

    fn locator(&self, kind: &str) -> Option<&str> {
        let mut references = self.external_refs.0.iter();
        references.find_map(|Object(reference)| {
            stated(&reference.locator).filter(|_| reference.kind.get() == Some(kind))
        })
    }

    /// `built package from: NAME VERSION`, as trivy and barge write it.
    fn source(&self, package: &Package) -> Option<SourcePackage> {
        let mut lines = stated(&self.source_info)?.lines();
        let stated = lines.find_map(|line| line.strip_prefix("built package from: "))?;
        let is_bare = package.kind == PackageKind::Rpm && !stated.contains(' ');
        if !package.kind.is_distribution() || is_bare {
            return None;
        }
        let (name, version) = stated.split_once(' ').unwrap_or((stated, &package.version));
        Some(SourcePackage {
            name: name.to_owned(),
            version: version.to_owned(),
        })
    }
}
