//! Puts the findings of a squashed image together: what survives, where it was introduced, who owns it, what it needs.

mod depends;
mod hits;
mod merge;
mod nix;
mod origin;
mod owner;

use std::collections::{BTreeMap, HashSet};

use barge_image::layer::LayerIndex;
use barge_image::rootfs::{NodeId, RootFs};

use crate::error::Error;
use crate::finding::{Finding, Found, Says};
use crate::license;
use crate::package::{Distro, Evidence, LayerFact, Package, PackageKind, Sbom, Subject, Unknown};
use crate::purl::{Identity, purl};
use hits::Hits;

/// What a bill is restricted or extended to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) path: Option<&'a str>,
    pub(crate) declared: bool,
}

/// A package of the image on its way into the bill.
struct Candidate<'a> {
    found: &'a Found,
    /// The file that proves it.
    node: NodeId,
    path: String,
    /// Its number in the finding, for what is part of what.
    position: u32,
    layer: u16,
    purl: String,
    licenses: Vec<String>,
    owned_by: Option<String>,
    part_of: Option<String>,
    depends_on: Vec<String>,
}

impl Candidate<'_> {
    /// Whether a package manager installed it, and knows its files. A note in a program says where it was built only.
    fn is_managed(&self) -> bool {
        self.found.kind.is_distribution() && !self.found.facts.contains_key("note")
    }
}

/// Makes the bill of an image from its layers, lowest first. `facts` names them, in the same order.
pub(crate) fn assemble(
    subject: Subject,
    facts: Vec<LayerFact>,
    layers: &[&LayerIndex<Finding>],
    scope: Scope<'_>,
) -> Result<Sbom, Error> {
    let tree = RootFs::squash(layers);
    let within = restriction(&tree, scope, &subject)?;
    let late = hits::late(&tree, layers, scope.declared);
    let hits = Hits::collect(&tree, &late);
    let distro = distro(&tree, &hits);
    let store = nix::packages(&tree);
    let mut candidates = candidates(&tree, &hits, distro.as_ref());
    candidates.extend(
        store
            .iter()
            .map(|(node, found)| store_candidate(&tree, *node, found)),
    );
    drop_modules_of_distributions(&mut candidates);
    drop_states_of_controls(&mut candidates);
    drop_programs_of_runtimes(&mut candidates);
    owner::mark(&tree, &hits, &mut candidates);
    depends::link(&mut candidates);
    candidates.retain(|candidate| !is_copy_of_owner(candidate));
    if let Some(within) = within {
        candidates.retain(|candidate| is_within(&tree, candidate.node, within));
    }
    let unknowns = unknowns(&tree, &hits, &late, layers, &facts, within);
    let mut sbom = Sbom {
        subject,
        distro,
        layers: facts,
        packages: Vec::new(),
        unknowns,
    };
    sbom.packages = merge::merge(&candidates, &sbom.layers);
    Ok(sbom)
}

fn restriction(
    tree: &RootFs<'_, Finding>,
    scope: Scope<'_>,
    subject: &Subject,
) -> Result<Option<NodeId>, Error> {
    let Some(path) = scope.path else {
        return Ok(None);
    };
    match tree.resolve(path.as_bytes()) {
        Some(node) => Ok(Some(node)),
        None => Err(Error::NoSuchPath {
            path: path.to_owned(),
            subject: subject.name.clone(),
        }),
    }
}

fn is_within(tree: &RootFs<'_, Finding>, node: NodeId, ancestor: NodeId) -> bool {
    let mut at = node;
    loop {
        if at == ancestor {
            return true;
        }
        let parent = tree.parent(at);
        if parent == at {
            return false;
        }
        at = parent;
    }
}

/// The file that `etc/os-release` leads to, else that of `usr/lib`.
fn distro(tree: &RootFs<'_, Finding>, hits: &Hits<'_>) -> Option<Distro> {
    let says = |path: &[u8]| hits.of(tree.resolve(path)?);
    let paths: [&[u8]; 2] = [b"etc/os-release", b"usr/lib/os-release"];
    let mut distro = paths.into_iter().find_map(|path| match says(path)? {
        Says::Distro(distro) => Some(distro.clone()),
        _ => None,
    })?;
    if let Some(Says::Lines(repositories)) = says(b"etc/apk/repositories") {
        distro.repositories.clone_from(repositories);
    }
    Some(distro)
}

fn candidates<'a>(
    tree: &RootFs<'a, Finding>,
    hits: &Hits<'a>,
    distro: Option<&Distro>,
) -> Vec<Candidate<'a>> {
    let mut candidates = Vec::new();
    for hit in hits.iter() {
        let Some(found) = hit.says.packages() else {
            continue;
        };
        let path = String::from_utf8_lossy(&tree.path(hit.node)).into_owned();
        let introduced = origin::introduced(tree, hit);
        let first = candidates.len();
        for (position, found) in (0u32..).zip(found) {
            let purl = purl(&identity(found), distro);
            candidates.push(Candidate {
                found,
                node: hit.node,
                path: path.clone(),
                position,
                layer: introduced.layer_of(found),
                purl,
                licenses: licenses(tree, hits, hit.node, found),
                owned_by: None,
                part_of: None,
                depends_on: Vec::new(),
            });
        }
        name_containers(&mut candidates[first..]);
    }
    candidates
}

/// A package that is a folder of the Nix store.
fn store_candidate<'a>(
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

/// A program that a classifier or a note in it recognised, and that a distribution package owns, is that package, said
/// twice.
fn is_copy_of_owner(candidate: &Candidate<'_>) -> bool {
    let facts = &candidate.found.facts;
    candidate.owned_by.is_some() && (facts.contains_key("classifier") || facts.contains_key("note"))
}

/// A module of Perl that a distribution with its author was installed for is the same, said with less.
fn drop_modules_of_distributions(candidates: &mut Vec<Candidate<'_>>) {
    let is_module =
        |found: &Found| found.kind == PackageKind::Cpan && !found.facts.contains_key("namespace");
    let distributions: HashSet<(String, String)> = candidates
        .iter()
        .map(|candidate| candidate.found)
        .filter(|found| found.kind == PackageKind::Cpan && !is_module(found))
        .map(|found| (found.name.clone(), found.version.clone()))
        .collect();
    candidates.retain(|candidate| {
        let found = candidate.found;
        let distribution = (found.name.replace("::", "-"), found.version.clone());
        !is_module(found) || !distributions.contains(&distribution)
    });
}

/// opkg notes the state of a package in one file and what it is in another, which says more.
fn drop_states_of_controls(candidates: &mut Vec<Candidate<'_>>) {
    let is_control = |candidate: &Candidate<'_>| candidate.path.ends_with(".control");
    let known: HashSet<(&str, &str)> = candidates
        .iter()
        .filter(|candidate| candidate.found.kind == PackageKind::Opkg && is_control(candidate))
        .map(|candidate| {
            (
                candidate.found.name.as_str(),
                candidate.found.version.as_str(),
            )
        })
        .collect();
    candidates.retain(|candidate| {
        let found = candidate.found;
        found.kind != PackageKind::Opkg
            || is_control(candidate)
            || !known.contains(&(found.name.as_str(), found.version.as_str()))
    });
}

/// The programs of a Java runtime are that runtime, of which the file `release` at its root says more.
fn drop_programs_of_runtimes(candidates: &mut Vec<Candidate<'_>>) {
    let is = |candidate: &Candidate<'_>, classifier: &str| {
        candidate.found.facts.get("classifier").map(String::as_str) == Some(classifier)
    };
    let roots: HashSet<String> = candidates
        .iter()
        .filter(|candidate| is(candidate, "java-release"))
        .filter_map(|candidate| candidate.path.strip_suffix("release").map(str::to_owned))
        .collect();
    let has_root = |path: &str| {
        let mut ends = path.match_indices('/');
        ends.any(|(end, _)| path.get(..=end).is_some_and(|above| roots.contains(above)))
    };
    candidates.retain(|candidate| !is(candidate, "openjdk") || !has_root(&candidate.path));
}

fn unknowns(
    tree: &RootFs<'_, Finding>,
    hits: &Hits<'_>,
    late: &hits::Late,
    layers: &[&LayerIndex<Finding>],
    facts: &[LayerFact],
    within: Option<NodeId>,
) -> Vec<Unknown> {
    let mut unknowns: Vec<_> = hits
        .iter()
        .filter(|hit| within.is_none_or(|within| is_within(tree, hit.node, within)))
        .filter_map(|hit| {
            Some(Unknown {
                path: String::from_utf8_lossy(&tree.path(hit.node)).into_owned(),
                reason: hit.says.unreadable()?.to_owned(),
            })
        })
        .collect();
    for (number, layer) in layers.iter().enumerate() {
        unknowns.extend(layer.broken.as_ref().map(|reason| {
            Unknown {
                path: facts
                    .get(number)
                    .map_or_else(String::new, |fact| format!("layer {}", fact.diff_id)),
                reason: format!("only a part could be read: {reason}"),
            }
        }));
    }
    let files = layers.iter().flat_map(|layer| &layer.unreadable);
    let files = files.map(|file| Unknown {
        path: String::from_utf8_lossy(&file.path).into_owned(),
        reason: file.reason.clone(),
    });
    let is_wanted = |unknown: &Unknown| {
        within.is_none_or(|within| {
            let node = tree.resolve(unknown.path.as_bytes());
            node.is_some_and(|node| is_within(tree, node, within))
        })
    };
    unknowns.extend(files.chain(late.lost.iter().cloned()).filter(is_wanted));
    unknowns.sort();
    unknowns.dedup();
    unknowns
}

fn evidence(candidate: &Candidate<'_>, layers: &[LayerFact]) -> Evidence {
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

fn package(candidate: &Candidate<'_>, layers: &[LayerFact]) -> Package {
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
