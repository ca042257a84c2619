//! The findings that count: those of files that survived, in places where they mean something.

use std::collections::{HashMap, HashSet};

use barge_image::layer::path::{Marker, marker};
use barge_image::layer::{EntryKind, FileHead, Interest as _, LayerIndex};
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
    /// Hard links of interest whose content cannot be had.
    pub(super) dangling: Vec<Unknown>,
}

impl<'a> Hits<'a> {
    pub(super) fn collect(
        tree: &RootFs<'a, Finding>,
        layers: &[&'a LayerIndex<Finding>],
        declared: bool,
    ) -> Self {
        let mut places = Places::new(tree);
        let mut hits = Vec::new();
        let mut dangling = Vec::new();
        for node in tree.nodes() {
            let (Some(origin), Some(content)) = (tree.origin(node), tree.content_of(node)) else {
                continue;
            };
            if let Some(finding) = tree.finding(content)
                && places.count(node, finding.role)
            {
                hits.push(Hit {
                    node,
                    origin,
                    role: finding.role,
                    says: &finding.says,
                });
            } else if is_unbound_link(tree, origin)
                && (origin == content || is_lost(tree, layers, node, content, declared))
            {
                dangling.extend(wanted_by_name(tree, node, declared));
            }
        }
        hits.sort_by_cached_key(|hit| tree.path(hit.node));
        let by_node = hits
            .iter()
            .enumerate()
            .map(|(at, hit)| (hit.node, at))
            .collect();
        Self {
            hits,
            by_node,
            dangling,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Hit<'a>> {
        self.hits.iter()
    }

    /// What a file says.
    pub(super) fn of(&self, node: NodeId) -> Option<&'a Says> {
        let at = *self.by_node.get(&node)?;
        self.hits.get(at).map(|hit| hit.says)
    }
}

fn is_unbound_link(tree: &RootFs<'_, Finding>, origin: Origin) -> bool {
    tree.entry(origin)
        .is_some_and(|entry| entry.kind == EntryKind::HardLink)
}

/// A hard link to a file of a lower layer that nobody examined under its first name, but would under this one.
fn is_lost(
    tree: &RootFs<'_, Finding>,
    layers: &[&LayerIndex<Finding>],
    node: NodeId,
    content: Origin,
    declared: bool,
) -> bool {
    let held = layers
        .get(usize::from(content.layer))
        .and_then(|layer| layer.content(content.entry));
    let mut head = [0; 512];
    let read = held.map_or(0, |held| held.read_at(0, &mut head).unwrap_or_default());
    role(tree, node, head.get(..read).unwrap_or_default(), declared).is_some()
}

fn wanted_by_name(tree: &RootFs<'_, Finding>, node: NodeId, declared: bool) -> Option<Unknown> {
    role(tree, node, &[], declared)?;
    Some(Unknown {
        path: String::from_utf8_lossy(&tree.path(node)).into_owned(),
        reason: "a hard link whose content is in no layer below".to_owned(),
    })
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
