//! CycloneDX 1.2 to 1.7, as JSON. What becomes of a component is made while the document is read, so that nothing but
//! packages is kept of a long one.

use std::collections::BTreeMap;

use serde::de::SeqAccess;
use serde::{Deserialize, Deserializer};

use super::lenient::{self, Lenient, List, Object, Text};
use super::package::{distro_of, link, package, sorted};
use crate::dialect::{UNKNOWN, unknown};
use crate::package::{
    Distro, Evidence, Package, PackageKind, Sbom, SourcePackage, Subject, Unknown,
};

/// A document, and what tells those of other standards.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Document<'a> {
    #[serde(borrow)]
    bom_format: Text<'a>,
    #[serde(borrow)]
    spdx_version: Text<'a>,
    #[serde(borrow)]
    schema: Text<'a>,
    #[serde(borrow)]
    metadata: Object<Metadata<'a>>,
    #[serde(borrow)]
    components: Option<Components<'a>>,
    #[serde(borrow)]
    dependencies: List<Object<Dependency<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata<'a> {
    #[serde(borrow)]
    component: Option<Object<Component<'a>>>,
    #[serde(borrow)]
    properties: Properties<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Dependency<'a> {
    #[serde(borrow, rename = "ref")]
    reference: Text<'a>,
    #[serde(borrow)]
    depends_on: List<Text<'a>>,
}

/// Components, those within others as well.
#[derive(Default)]
struct Components<'a> {
    distro: Option<Distro>,
    /// With the references by which dependencies name them.
    packages: Vec<(Text<'a>, Package)>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Component<'a> {
    #[serde(borrow, rename = "bom-ref")]
    reference: Text<'a>,
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    group: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    description: Text<'a>,
    #[serde(borrow)]
    purl: Text<'a>,
    #[serde(borrow)]
    cpe: Text<'a>,
    #[serde(borrow)]
    hashes: List<Object<Hash<'a>>>,
    #[serde(borrow)]
    licenses: List<Object<LicenseChoice<'a>>>,
    #[serde(borrow)]
    evidence: Object<ComponentEvidence<'a>>,
    #[serde(borrow)]
    properties: Properties<'a>,
    #[serde(borrow)]
    components: Components<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Hash<'a> {
    #[serde(borrow)]
    alg: Text<'a>,
    #[serde(borrow)]
    content: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LicenseChoice<'a> {
    #[serde(borrow)]
    expression: Text<'a>,
    #[serde(borrow)]
    license: Object<License<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct License<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ComponentEvidence<'a> {
    #[serde(borrow)]
    occurrences: List<Object<Occurrence<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Occurrence<'a> {
    #[serde(borrow)]
    location: Text<'a>,
}

/// Name and value pairs, in which tools say what the standard has no field for.
#[derive(Default, Deserialize)]
#[serde(transparent)]
struct Properties<'a>(#[serde(borrow)] List<Object<Property<'a>>>);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Property<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    value: Text<'a>,
}

impl Document<'_> {
    /// Whether it says that it is one.
    pub(super) fn is_one(&self) -> bool {
        self.bom_format.get() == Some("CycloneDX")
    }

    /// Whether it says that it is SPDX.
    pub(super) fn is_spdx(&self) -> bool {
        self.spdx_version.get().is_some()
    }

    /// The shape that documents of barge's own name.
    pub(super) fn schema(&self) -> Option<&str> {
        self.schema.get()
    }

    /// The bill, if it has components, or is about one.
    pub(super) fn bill(self) -> Option<Sbom> {
        let Metadata {
            component,
            properties,
        } = self.metadata.0;
        if self.components.is_none() && component.is_none() {
            return None;
        }
        let Components { distro, packages } = self.components.unwrap_or_default();
        let (references, mut packages): (Vec<Text<'_>>, Vec<Package>) =
            packages.into_iter().unzip();
        let places = references.iter().enumerate();
        let by_reference: BTreeMap<&str, usize> = places
            .filter_map(|(index, reference)| Some((reference.get()?, index)))
            .collect();
        let needs = self.dependencies.0.iter().flat_map(|Object(dependency)| {
            let needed = dependency.depends_on.0.iter();
            needed.map(|needed| (&dependency.reference, needed))
        });
        let place = |reference: &Text<'_>| by_reference.get(reference.get()?).copied();
        link(
            &mut packages,
            needs.filter_map(|(one, other)| place(one).zip(place(other))),
        );
        let distro = distro
            .or_else(|| properties.distro())
            .or_else(|| distro_of(&packages));
        Some(Sbom {
            subject: component
                .map(|Object(root)| root.subject())
                .unwrap_or_default(),
            distro,
            layers: Vec::new(),
            packages: sorted(packages),
            unknowns: properties.unknowns(),
        })
    }
}

impl<'de> Lenient<'de> for Components<'de> {
    fn of_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut all = Self::default();
        while let Some(Object(component)) = list.next_element::<Object<Component<'de>>>()? {
            all.add(component);
        }
        Ok(all)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Components<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        lenient::read::<Components<'de>, D>(from)
    }
}

impl<'a> Components<'a> {
    fn add(&mut self, mut component: Component<'a>) {
        let within = std::mem::take(&mut component.components);
        if component.kind.get() == Some("operating-system") {
            self.distro = self.distro.take().or_else(|| component.distro());
        } else if let Some(package) = component.package() {
            self.packages.push((component.reference, package));
        }
        self.packages.extend(within.packages);
        self.distro = self.distro.take().or(within.distro);
    }
}

impl Properties<'_> {
    fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.0.iter();
        all.filter_map(|Object(property)| Some((property.name.get()?, property.value.get()?)))
    }

    /// The first of some properties that is there.
    fn first(&self, names: &[&str]) -> Option<&str> {
        let value = |name: &&str| Some(self.all().find(|(own, _)| own == name)?.1);
        names.iter().find_map(value)
    }

    /// What barge could not read.
    fn unknowns(&self) -> Vec<Unknown> {
        let unknowns = self.all().filter(|(name, _)| *name == UNKNOWN);
        unknowns.map(|(_, value)| unknown(value)).collect()
    }

    /// Some tools name the distribution in the document's properties only.
    fn distro(&self) -> Option<Distro> {
        Some(Distro {
            id: self.first(&["syft:distro:id"])?.to_lowercase(),
            version_id: self.first(&["syft:distro:versionID"]).map(str::to_owned),
            ..Distro::default()
        })
    }
}

impl Component<'_> {
    fn subject(&self) -> Subject {
        let image = ["barge:image:config", "aquasecurity:trivy:ImageID"];
        Subject {
            name: self.name.owned().unwrap_or_default(),
            image: self.properties.first(&image).and_then(|id| id.parse().ok()),
            manifest: self.version.get().and_then(|version| version.parse().ok()),
            ..Subject::default()
        }
    }

    fn distro(&self) -> Option<Distro> {
        let stated = |name: &str| self.properties.first(&[name]);
        let words = |name: &str| -> Vec<String> {
            let words = stated(name).unwrap_or_default().split_whitespace();
            words.map(str::to_owned).collect()
        };
        let mut id_like = words("barge:distro:id-like");
        if id_like.is_empty() {
            id_like.extend(stated("syft:distro:idLike:0").map(str::to_owned));
        }
        let id = stated("syft:distro:id").or_else(|| self.name.get())?;
        let version = stated("syft:distro:versionID").or_else(|| self.version.get());
        Some(Distro {
            id: id.to_lowercase(),
            id_like,
            version_id: version.map(str::to_owned),
            codename: stated("barge:distro:codename").map(str::to_owned),
            build_id: None,
            pretty_name: self.description.owned(),
            repositories: words("barge:distro:repositories"),
        })
    }

    fn package(&self) -> Option<Package> {
        let name = self.name.get()?;
        let mut package = match self.purl.get() {
            Some(purl) => package(purl, self.group.get(), name, self.version.get())?,
            None => self.without_purl(name)?,
        };
        package.licenses = self.licenses();
        package.evidence = self.places();
        package.owned_by = self.stated(&["barge:owned-by"]);
        package.source = self.source(&package).or(package.source);
        for Object(hash) in &self.hashes.0 {
            if let (Some(algorithm), Some(digits)) = (hash.alg.owned(), hash.content.get()) {
                package.hashes.insert(algorithm, digits.to_lowercase());
            }
        }
        let modularity = [
            "aquasecurity:trivy:Modularitylabel",
            "syft:metadata:modularityLabel",
        ];
        let facts = [
            ("cpe", self.cpe.owned()),
            ("modularity", self.stated(&modularity)),
        ];
        let facts = facts.into_iter();
        package
            .facts
            .extend(facts.filter_map(|(fact, value)| Some((fact.to_owned(), value?))));
        Some(package)
    }

    fn stated(&self, names: &[&str]) -> Option<String> {
        self.properties.first(names).map(str::to_owned)
    }

    /// Only a CPE can be compared with anything when there is no package URL.
    fn without_purl(&self, name: &str) -> Option<Package> {
        self.cpe.get()?;
        let version = self.version.get()?;
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

    fn licenses(&self) -> Vec<String> {
        let one = |Object(choice): &Object<LicenseChoice<'_>>| {
            let Object(license) = &choice.license;
            let named = || license.id.owned().or_else(|| license.name.owned());
            choice.expression.owned().or_else(named)
        };
        self.licenses.0.iter().filter_map(one).collect()
    }

    /// Occurrences, or where syft and trivy write locations.
    fn places(&self) -> Vec<Evidence> {
        let layer = ["aquasecurity:trivy:LayerDiffID", "syft:location:0:layerID"];
        let layer = layer
            .into_iter()
            .find_map(|name| self.properties.first(&[name])?.parse().ok());
        let evidence = |path: &str| Evidence {
            path: path.trim_start_matches('/').to_owned(),
            layer,
            layer_index: None,
        };
        let Object(stated) = &self.evidence;
        let occurrences = stated.occurrences.0.iter();
        let mut places: Vec<Evidence> = occurrences
            .filter_map(|Object(occurrence)| occurrence.location.get().map(evidence))
            .collect();
        if places.is_empty() {
            let names = ["aquasecurity:trivy:FilePath", "syft:location:0:path"];
            places.extend(self.properties.first(&names).map(evidence));
        }
        places
    }

    fn source(&self, package: &Package) -> Option<SourcePackage> {
        let stated = |name: &str| self.properties.first(&[name]);
        if let Some(name) = stated("aquasecurity:trivy:SrcName") {
            let version = stated("aquasecurity:trivy:SrcVersion").unwrap_or_default();
            let release = stated("aquasecurity:trivy:SrcRelease");
            let epoch = stated("aquasecurity:trivy:SrcEpoch").filter(|epoch| *epoch != "0");
            let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
            let release = release
                .map(|release| format!("-{release}"))
                .unwrap_or_default();
            return Some(SourcePackage {
                name: name.to_owned(),
                version: format!("{epoch}{version}{release}"),
            });
        }
        let name = self.stated(&["syft:metadata:source", "syft:metadata:originPackage"])?;
        let version = self.stated(&["syft:metadata:sourceVersion"]);
        Some(SourcePackage {
            name,
            version: version.unwrap_or_else(|| package.version.clone()),
        })
    }
}
