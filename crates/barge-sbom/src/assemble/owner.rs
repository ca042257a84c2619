//! Which packages are part of a distribution package: those whose evidence is among its files.
//!
//! Lists of files are older than today's links (`/lib/x` where `/lib` is `usr/lib`), so paths are resolved first.

use std::collections::{HashMap, HashSet};

use barge_image::rootfs::{NodeId, RootFs};

use super::candidate::Candidate;
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
    let lists = Lists::of(tree, candidates);
    for hit in hits.iter() {
        if let Says::Files(files) = hit.says
            && let Some(purl) = lists.owner(tree, hit.node)
        {
            owners.claim(files, purl);
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

/// Which package a list of files belongs to.
struct Lists<'c> {
    /// dpkg and opkg name the list after the package.
    by_name: HashMap<String, &'c str>,
    /// Package managers with a folder for each package keep the list in it.
    by_folder: HashMap<NodeId, &'c str>,
}

impl<'c> Lists<'c> {
    fn of(tree: &RootFs<'_, Finding>, candidates: &'c [Candidate<'_>]) -> Self {
        let mut lists = Self {
            by_name: HashMap::new(),
            by_folder: HashMap::new(),
        };
        for candidate in candidates.iter().filter(|candidate| candidate.is_managed()) {
            let (found, purl) = (candidate.found, candidate.purl.as_str());
            match found.kind {
                PackageKind::Deb | PackageKind::Opkg => {
                    let architecture = found.architecture.as_deref().unwrap_or_default();
                    let qualified = format!("{}:{architecture}", found.name);
                    lists.by_name.insert(found.name.clone(), purl);
                    lists.by_name.insert(qualified, purl);
                }
                PackageKind::Alpm | PackageKind::Ebuild => {
                    lists.by_folder.insert(tree.parent(candidate.node), purl);
                }
                _ => {}
            }
        }
        lists
    }

    fn owner(&self, tree: &RootFs<'_, Finding>, list: NodeId) -> Option<&'c str> {
        if let Some(purl) = self.by_folder.get(&tree.parent(list)) {
            return Some(purl);
        }
        let name = String::from_utf8_lossy(tree.file_name(list));
        let package = name.rsplit_once('.').map_or(&*name, |(package, _)| package);
        self.by_name.get(package).copied()
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
