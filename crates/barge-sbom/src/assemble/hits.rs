//! The findings that count: those of files that survived, in places where they mean something.

use std::collections::{HashMap, HashSet};

use barge_image::layer::path::{Marker, marker};
use barge_image::layer::{FileHead, Interest as _, LayerIndex};
use barge_image::rootfs::{NodeId, Origin, RootFs};

use crate::catalog::{Catalogers, Place, path_ends_with, recognizer};
use crate::finding::{Finding, Says};
use crate::package::Unknown;

/// A surviving file that says something.
pub(super) struct Hit<'a> {
    pub(super) node: NodeId,
    pub(super) origin: Origin,
    pub(super) role: u16,
    pub(super) says: &'a Says,
}

pub(super) struct Hits<'a> {
    hits: Vec<Hit<'a>>,
    by_node: HashMap<NodeId, usize>,
}

/// What hard links to files of lower layers say: their names are known in one layer, their contents in another.
#[derive(Default)]
pub(super) struct Late {
    findings: HashMap<NodeId, Finding>,
    /// Links of interest whose content cannot be had any more.
    pub(super) lost: Vec<Unknown>,
}

impl<'a> Hits<'a> {
    /// `late` are the findings of hard links that only the whole image shows; see [`late`].
    pub(super) fn collect(tree: &RootFs<'a, Finding>, late: &'a Late) -> Self {
        let mut places = Places::new(tree);
        let mut hits = Vec::new();
        for node in tree.nodes() {
            let (Some(origin), Some(content)) = (tree.origin(node), tree.content_of(node)) else {
                continue;
            };
            let finding = late.findings.get(&node).or_else(|| tree.finding(content));
            if let Some(finding) = finding
                && places.count(node, finding.role)
            {
                hits.push(Hit {
                    node,
                    origin,
                    role: finding.role,
                    says: &finding.says,
                });
            }
        }
        hits.sort_by_cached_key(|hit| tree.path(hit.node));
        let by_node = hits
            .iter()
            .enumerate()
            .map(|(at, hit)| (hit.node, at))
            .collect();
        Self { hits, by_node }
    }

    /// In the order of their paths.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Hit<'a>> {
        self.hits.iter()
    }

    /// What a file says.
    pub(super) fn of(&self, node: NodeId) -> Option<&'a Says> {
        let at = *self.by_node.get(&node)?;
        self.hits.get(at).map(|hit| hit.says)
    }
}

/// Examines hard links to lower layers under their own names.
pub(super) fn late(
    tree: &RootFs<'_, Finding>,
    layers: &[&LayerIndex<Finding>],
    declared: bool,
) -> Late {
    let mut late = Late::default();
    for node in tree.hard_links() {
        let Some(content) = tree.content_of(node) else {
            continue;
        };
        let layer = layers.get(usize::from(content.layer));
        let held = layer.and_then(|layer| layer.content(content.entry));
        let mut head = [0; 512];
        let read = held
            .as_ref()
            .map_or(0, |held| held.read_at(0, &mut head).unwrap_or_default());
        let Some(role) = role(tree, node, head.get(..read).unwrap_or_default(), declared) else {
            continue;
        };
        let path = tree.path(node);
        let known = tree.finding(content).filter(|finding| finding.role == role);
        let examined = held.and_then(|held| Catalogers { declared }.examine(role, &path, &*held));
        match known.cloned().or(examined) {
            Some(finding) => drop(late.findings.insert(node, finding)),
            None => late.lost.push(Unknown {
                path: String::from_utf8_lossy(&path).into_owned(),
                reason: "a hard link whose content cannot be had".to_owned(),
            }),
        }
    }
    late
}

fn role(tree: &RootFs<'_, Finding>, node: NodeId, head: &[u8], declared: bool) -> Option<u16> {
    let directory = tree.path(tree.parent(node));
    let name = tree.file_name(node);
    if marker(name) != Marker::Ordinary {
        return None;
    }
    Catalogers { declared }.role(&FileHead {
        directory: &directory,
        name,
        size: 1,
        mode: 0o644,
        head,
    })
}

/// Decides whether a file lies where it counts, links considered.
struct Places<'t, 'a> {
    tree: &'t RootFs<'a, Finding>,
    /// What each known place leads to.
    resolved: HashMap<u16, HashSet<NodeId>>,
}

impl<'t, 'a> Places<'t, 'a> {
    fn new(tree: &'t RootFs<'a, Finding>) -> Self {
        Self {
            tree,
            resolved: HashMap::new(),
        }
    }

    fn has_beside(&self, node: NodeId, path: &str) -> bool {
        let mut at = Some(self.tree.parent(node));
        for part in path.split('/') {
            at = at.and_then(|directory| self.tree.child_of(directory, part.as_bytes()));
        }
        at.is_some()
    }

    fn count(&mut self, node: NodeId, role: u16) -> bool {
        let Some(recognizer) = recognizer(role) else {
            return false;
        };
        if !recognizer.beside.is_empty() && !self.has_beside(node, recognizer.beside) {
            return false;
        }
        let (suffixes, subject) = match recognizer.place {
            Place::Anywhere => return true,
            Place::Files(suffixes) => (suffixes, node),
            Place::In(suffixes) => (suffixes, self.tree.parent(node)),
        };
        let path = self.tree.path(subject);
        if suffixes
            .iter()
            .any(|suffix| path_ends_with(&path, suffix.as_bytes()))
        {
            return true;
        }
        let tree = self.tree;
        let resolved = self.resolved.entry(role).or_insert_with(|| {
            let prefixes = ["", "var/", "usr/"];
            let paths = suffixes
                .iter()
                .flat_map(|suffix| prefixes.map(|prefix| format!("{prefix}{suffix}")));
            paths
                .filter_map(|path| tree.resolve(path.as_bytes()))
                .collect()
        });
        resolved.contains(&subject)
    }
}
