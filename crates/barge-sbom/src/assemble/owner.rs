//! Which packages are part of a distribution package: those whose evidence is among its files.
//!
//! Lists of files are older than today's links (`/lib/x` where `/lib` is `usr/lib`), so paths are resolved first.

use std::collections::{HashMap, HashSet};

use barge_image::rootfs::{NodeId, RootFs};

use super::Candidate;
use super::hits::Hits;
use crate::finding::{Finding, Says};
use crate::package::PackageKind;

/// Marks every package whose evidence a distribution package owns.
pub(super) fn mark(tree: &RootFs<'_, Finding>, hits: &Hits<'_>, candidates: &mut [Candidate<'_>]) {
    let wanted: HashSet<NodeId> = candidates
        .iter()
        .filter(|candidate| !candidate.is_managed())
        .map(|candidate| candidate.node)
        .collect();
    if wanted.is_empty() {
        return;
    }
    let mut owners = Owners {
        tree,
        names: wanted.iter().map(|node| tree.file_name(*node)).collect(),
        wanted,
        directories: HashMap::new(),
        owners: HashMap::new(),
    };
    // dpkg and opkg name the list after the package.
    let by_name: HashMap<String, &str> = candidates
        .iter()
        .filter(|candidate| {
            let kind = candidate.found.kind;
            matches!(kind, PackageKind::Deb | PackageKind::Opkg) && candidate.is_managed()
        })
        .flat_map(|candidate| {
            let name = candidate.found.name.clone();
            let architecture = candidate.found.architecture.as_deref().unwrap_or_default();
            let qualified = format!("{name}:{architecture}");
            [
                (name, candidate.purl.as_str()),
                (qualified, candidate.purl.as_str()),
            ]
        })
        .collect();
    // Package managers with a folder for each package keep the list of files in it.
    let by_folder: HashMap<NodeId, &str> = candidates
        .iter()
        .filter(|candidate| {
            matches!(
                candidate.found.kind,
                PackageKind::Alpm | PackageKind::Ebuild
            )
        })
        .map(|candidate| (tree.parent(candidate.node), candidate.purl.as_str()))
        .collect();
    for hit in hits.iter() {
        if let Says::Files(files) = hit.says {
            if let Some(purl) = by_folder.get(&tree.parent(hit.node)) {
                owners.claim(files, purl);
                continue;
            }
            let name = String::from_utf8_lossy(tree.file_name(hit.node)).into_owned();
            let package = name
                .rsplit_once('.')
                .map_or(name.as_str(), |(package, _)| package);
            if let Some(purl) = by_name.get(package) {
                owners.claim(files, purl);
            }
        }
    }
    for candidate in candidates.iter() {
        owners.claim(&candidate.found.files, &candidate.purl);
    }
    let owners = owners.owners;
    for candidate in candidates {
        if !candidate.is_managed() {
            candidate.owned_by = owners.get(&candidate.node).cloned();
        }
    }
}

struct Owners<'t, 'a> {
    tree: &'t RootFs<'a, Finding>,
    wanted: HashSet<NodeId>,
    /// Names of wanted files: most files of a package are none of them.
    names: HashSet<&'a [u8]>,
    directories: HashMap<String, Option<NodeId>>,
    owners: HashMap<NodeId, String>,
}

impl Owners<'_, '_> {
    fn claim(&mut self, files: &[String], purl: &str) {
        for file in files {
            let file = file.trim_start_matches('/');
            let (directory, name) = file.rsplit_once('/').unwrap_or(("", file));
            if !self.names.contains(name.as_bytes()) {
                continue;
            }
            let tree = self.tree;
            let directory = *self
                .directories
                .entry(directory.to_owned())
                .or_insert_with(|| tree.resolve(directory.as_bytes()));
            let node = directory.and_then(|directory| tree.child_of(directory, name.as_bytes()));
            if let Some(node) = node.filter(|node| self.wanted.contains(node)) {
                self.owners.entry(node).or_insert_with(|| purl.to_owned());
            }
        }
    }
}
