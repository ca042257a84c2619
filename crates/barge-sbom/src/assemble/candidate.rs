//! A package on its way from a finding into the bill.

use std::collections::BTreeMap;

use barge_image::rootfs::{NodeId, RootFs};
use rayon::prelude::*;

use super::hits::{Hit, Hits};
use super::origin;
use crate::finding::{Finding, Found, Says};
use crate::license;
use crate::package::{Distro, Evidence, LayerFact, Package, PackageKind};
use crate::purl::{Identity, purl};

/// A package of the image on its way into the bill.
pub(super) struct Candidate<'a> {
    pub(super) found: &'a Found,
    /// The file that proves it.
    pub(super) node: NodeId,
    pub(super) path: String,
    /// Its number in the finding, for what is part of what.
    pub(super) position: u32,
    pub(super) layer: u16,
    pub(super) purl: String,
    pub(super) licenses: Vec<String>,
    pub(super) owned_by: Option<String>,
    pub(super) part_of: Option<String>,
    pub(super) depends_on: Vec<String>,
}

impl Candidate<'_> {
    /// Whether a package manager installed it, and knows its files. A note in a program says where it was built only.
    pub(super) fn is_managed(&self) -> bool {
        self.found.kind.is_distribution() && !self.found.facts.contains_key("note")
    }
}

/// The packages that surviving files tell of.
pub(super) fn of_hits<'a>(
    tree: &RootFs<'a, Finding>,
    hits: &Hits<'a>,
    distro: Option<&Distro>,
) -> Vec<Candidate<'a>> {
    let hits_in_order = hits.iter().as_slice().par_iter();
    let candidates = hits_in_order.flat_map_iter(|hit| of_hit(tree, hits, hit, distro));
    candidates.collect()
}

fn of_hit<'a>(
    tree: &RootFs<'a, Finding>,
    hits: &Hits<'a>,
    hit: &Hit<'a>,
    distro: Option<&Distro>,
) -> Vec<Candidate<'a>> {
    let Some(found) = hit.says.packages() else {
        return Vec::new();
    };
    let path = String::from_utf8_lossy(&tree.path(hit.node)).into_owned();
    let introduced = origin::introduced(tree, hit);
    let mut candidates: Vec<_> = (0u32..)
        .zip(found)
        .map(|(position, found)| Candidate {
            found,
            node: hit.node,
            path: path.clone(),
            position,
            layer: introduced.layer_of(found),
            purl: purl(&identity(found), distro),
            licenses: licenses(tree, hits, hit.node, found),
            owned_by: None,
            part_of: None,
            depends_on: Vec::new(),
        })
        .collect();
    name_containers(&mut candidates);
    candidates
}

/// A package that is a folder of the Nix store.
pub(super) fn of_store<'a>(
    tree: &RootFs<'_, Finding>,
    node: NodeId,
    found: &'a Found,
) -> Candidate<'a> {
    Candidate {
        found,
        node,
        path: String::from_utf8_lossy(&tree.path(node)).into_owned(),
        position: 0,
        layer: tree.origin(node).map_or(0, |origin| origin.layer),
        purl: purl(&identity(found), None),
        licenses: Vec::new(),
        owned_by: None,
        part_of: None,
        depends_on: Vec::new(),
    }
}

fn identity(found: &Found) -> Identity<'_> {
    Identity {
        kind: found.kind,
        name: &found.name,
        version: &found.version,
        architecture: found.architecture.as_deref(),
        source: found.source.as_ref(),
        facts: Some(&found.facts),
    }
}

/// Turns the positions of containers into package URLs.
fn name_containers(candidates: &mut [Candidate<'_>]) {
    if candidates
        .iter()
        .all(|candidate| candidate.found.part_of.is_none())
    {
        return;
    }
    let purls: BTreeMap<u32, String> = candidates
        .iter()
        .map(|candidate| (candidate.position, candidate.purl.clone()))
        .collect();
    for candidate in candidates {
        let container = candidate
            .found
            .part_of
            .and_then(|position| purls.get(&position));
        candidate.part_of = container.filter(|purl| **purl != candidate.purl).cloned();
    }
}

/// As declared; Debian and Gentoo keep licences in files of their own.
fn licenses(
    tree: &RootFs<'_, Finding>,
    hits: &Hits<'_>,
    node: NodeId,
    found: &Found,
) -> Vec<String> {
    let file = match found.kind {
        PackageKind::Deb => {
            let path = format!("usr/share/doc/{}/copyright", found.name);
            tree.resolve(path.as_bytes())
        }
        PackageKind::Ebuild => tree.child_of(tree.parent(node), b"LICENSE"),
        _ => None,
    };
    let stated = match file.and_then(|node| hits.of(node)) {
        Some(Says::Licenses(licenses)) => licenses.clone(),
        _ => found.licenses.clone(),
    };
    stated
        .into_iter()
        .map(|text| license::expression(&text).unwrap_or(text))
        .filter(|text| !text.is_empty())
        .collect()
}

pub(super) fn evidence(candidate: &Candidate<'_>, layers: &[LayerFact]) -> Evidence {
    let path = match &candidate.found.inside {
        Some(inside) => format!("{}!/{inside}", candidate.path),
        None => candidate.path.clone(),
    };
    let layer = layers.get(usize::from(candidate.layer));
    Evidence {
        path,
        layer: layer.map(|layer| layer.diff_id),
        layer_index: layer.map(|_| u32::from(candidate.layer)),
    }
}

pub(super) fn package(candidate: &Candidate<'_>, layers: &[LayerFact]) -> Package {
    let found = candidate.found;
    Package {
        architecture: found.architecture.clone(),
        source: found.source.clone(),
        licenses: candidate.licenses.clone(),
        evidence: vec![evidence(candidate, layers)],
        owned_by: candidate.owned_by.clone(),
        part_of: candidate.part_of.clone(),
        depends_on: candidate.depends_on.clone(),
        hashes: found.hashes.clone(),
        facts: found.facts.clone(),
        ..Package::new(found.kind, &found.name, &found.version, &candidate.purl)
    }
}
