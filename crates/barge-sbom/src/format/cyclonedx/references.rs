//! The `bom-ref` of every component, and the edges between them.

use std::collections::BTreeMap;

use crate::package::{Package, Sbom};

/// The reference of what the document is about.
pub(super) const SUBJECT: &str = "subject";
/// The reference of the operating system.
pub(super) const OPERATING_SYSTEM: &str = "operating-system";

/// References in the order of the packages.
pub(super) struct References<'a> {
    all: Vec<String>,
    /// Positions of the packages with a package URL: more than one when an owner makes the difference.
    by_purl: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> References<'a> {
    pub(super) fn new(sbom: &'a Sbom) -> Self {
        let mut by_purl: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, package) in sbom.packages.iter().enumerate() {
            by_purl.entry(&package.purl).or_default().push(at);
        }
        let mut taken = std::collections::BTreeSet::new();
        let unique = |package: &Package| {
            let mut reference = match &package.owned_by {
                None => package.purl.clone(),
                Some(owner) => format!("{}#owned-by={owner}", package.purl),
            };
            while !taken.insert(reference.clone()) {
                reference.push('+');
            }
            reference
        };
        Self {
            all: sbom.packages.iter().map(unique).collect(),
            by_purl,
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(String::as_str)
    }

    /// The package with this URL that has the same owner, else any.
    fn find(&self, sbom: &Sbom, purl: &str, owner: Option<&str>) -> Option<&str> {
        let positions = self.by_purl.get(purl)?;
        let owned_alike = |at: &&usize| {
            sbom.packages
                .get(**at)
                .is_some_and(|package| package.owned_by.as_deref() == owner)
        };
        let at = positions.iter().find(owned_alike).or(positions.first())?;
        self.all.get(*at).map(String::as_str)
    }

    /// Every component once, with what it depends on: the subject on the operating system and on what no package
    /// manager of a distribution installed, the operating system on its packages, a package on what it needs and holds.
    pub(super) fn dependencies(&self, sbom: &Sbom) -> Vec<(String, Vec<String>)> {
        let mut edges: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        edges.insert(SUBJECT, Vec::new());
        if sbom.distro.is_some() {
            edges.insert(OPERATING_SYSTEM, Vec::new());
            edges
                .entry(SUBJECT)
                .or_default()
                .push(OPERATING_SYSTEM.to_owned());
        }
        for (package, reference) in sbom.packages.iter().zip(self.all()) {
            let owner = package.owned_by.as_deref();
            let needs = package.depends_on.iter();
            let needs = needs.filter_map(|purl| self.find(sbom, purl, owner));
            edges
                .entry(reference)
                .or_default()
                .extend(needs.map(str::to_owned));
            let holder = match &package.part_of {
                Some(container) => self.find(sbom, container, owner),
                None if package.kind.is_distribution() && sbom.distro.is_some() => {
                    Some(OPERATING_SYSTEM)
                }
                None => Some(SUBJECT),
            };
            edges
                .entry(holder.unwrap_or(SUBJECT))
                .or_default()
                .push(reference.to_owned());
        }
        edges
            .into_iter()
            .map(|(from, mut to)| {
                to.retain(|to| to != from);
                to.sort();
                to.dedup();
                (from.to_owned(), to)
            })
            .collect()
    }
}
