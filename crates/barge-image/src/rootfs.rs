//! The root file system that a stack of layers makes (OCI image-spec, layer).
//!
//! One tree for the whole image, whatever the number of layers. Entries are placed by real path: a link of a lower
//! layer is never followed to place an entry, only to look a path up. Contents are not held here.

mod squash;

use std::hash::{BuildHasher as _, Hash as _, Hasher as _};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::layer::path;
use crate::layer::{EntryId, EntryKind, EntryView, LayerIndex};

const NONE: u32 = u32::MAX;
const ROOT: u32 = 0;

/// A file, directory or link in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

/// One entry of one layer, layers counted from the bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The layer.
    pub layer: u16,
    /// The entry in it.
    pub entry: EntryId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    /// A directory that no entry names.
    Implied,
    Present(Origin),
}

#[derive(Debug, Clone, Copy)]
struct Name {
    layer: u16,
    length: u16,
    start: u32,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    name: Name,
    first_child: u32,
    next_sibling: u32,
    /// The youngest overwritten version of this path, in `RootFs::overwritten`.
    history: u32,
    state: State,
}

/// The files of an image.
#[derive(Debug)]
pub struct RootFs<'a, F> {
    layers: Vec<&'a LayerIndex<F>>,
    nodes: Vec<Node>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Versions of paths that a higher layer wrote again without removing them first, each with the one before it.
    overwritten: Vec<(Origin, u32)>,
    /// Hard links to files of lower layers: link and content, sorted.
    bound: Vec<(Origin, Origin)>,
    /// Hard links whose target is nowhere.
    dangling: Vec<Origin>,
    /// Which entries of each layer have findings.
    found: Vec<Marks>,
}

/// A bit for each entry of a layer: most files have no finding, and need not be looked for among those that have.
#[derive(Debug)]
struct Marks(Vec<u64>);

impl Marks {
    fn of<F>(layer: &LayerIndex<F>) -> Self {
        let mut bits = vec![0; layer.len().div_ceil(64)];
        for (entry, _) in &layer.findings {
            if let Some(word) = bits.get_mut(*entry as usize / 64) {
                *word |= 1 << (entry % 64);
            }
        }
        Self(bits)
    }

    fn has(&self, entry: EntryId) -> bool {
        let word = self.0.get(entry as usize / 64);
        word.is_some_and(|word| word >> (entry % 64) & 1 == 1)
    }
}

impl<'a, F> RootFs<'a, F> {
    fn is_directory(&self, node: u32) -> bool {
        match self.nodes[node as usize].state {
            State::Absent => false,
            State::Implied => true,
            State::Present(origin) => self.kind_of(origin) == Some(EntryKind::Directory),
        }
    }

    fn kind_of(&self, origin: Origin) -> Option<EntryKind> {
        let layer = *self.layers.get(usize::from(origin.layer))?;
        layer.kind(origin.entry)
    }

    fn name(&self, name: Name) -> &'a [u8] {
        self.layers
            .get(usize::from(name.layer))
            .map_or(&[], |layer| layer.name_bytes(name.start, name.length))
    }

    fn hash(&self, parent: u32, name: &[u8]) -> u64 {
        hash_name(&self.hasher, parent, name)
    }

    /// A child by name, whether present or not.
    fn slot(&self, parent: u32, name: &[u8]) -> Option<u32> {
        let is_it = |node: &u32| {
            let node = &self.nodes[*node as usize];
            node.parent == parent && self.name(node.name) == name
        };
        self.table.find(self.hash(parent, name), is_it).copied()
    }

    fn child(&self, parent: u32, name: &[u8]) -> Option<u32> {
        self.slot(parent, name)
            .filter(|node| self.nodes[*node as usize].state != State::Absent)
    }

    /// A path without following any link.
    #[must_use]
    pub fn lookup(&self, path: &[u8]) -> Option<NodeId> {
        let mut node = ROOT;
        for part in path::components(path).filter(|part| !part.is_empty()) {
            node = self.child(node, part)?;
        }
        Some(NodeId(node))
    }

    /// A path as a process in the image would find it: links followed, absolute ones from the image's root, `..` stops
    /// there, at most 40 links.
    #[must_use]
    pub fn resolve(&self, path: &[u8]) -> Option<NodeId> {
        let mut links = 0;
        let mut node = ROOT;
        let mut pending: Vec<Vec<u8>> = path::reversed(path);
        while let Some(part) = pending.pop() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    node = self.nodes[node as usize].parent;
                    continue;
                }
                _ => {}
            }
            let child = self.child(node, &part)?;
            match self.link(NodeId(child)) {
                Some(target) => {
                    links += 1;
                    if links > path::LINK_LIMIT || pending.len() > path::PENDING_LIMIT {
                        return None;
                    }
                    if target.first() == Some(&b'/') {
                        node = ROOT;
                    }
                    pending.extend(path::reversed(target));
                }
                None => node = child,
            }
        }
        Some(NodeId(node))
    }

    /// The real path of a node.
    #[must_use]
    pub fn path(&self, node: NodeId) -> Vec<u8> {
        let mut parts = Vec::new();
        let mut at = node.0;
        while at != ROOT {
            let node = &self.nodes[at as usize];
            parts.push(self.name(node.name));
            at = node.parent;
        }
        parts.reverse();
        parts.join(&b'/')
    }

    /// What lies in a directory under a name, links not followed.
    #[must_use]
    pub fn child_of(&self, directory: NodeId, name: &[u8]) -> Option<NodeId> {
        self.child(directory.0, name).map(NodeId)
    }

    /// The name of a node in its directory.
    #[must_use]
    pub fn file_name(&self, node: NodeId) -> &'a [u8] {
        self.name(self.nodes[node.0 as usize].name)
    }

    /// The directory that a node lies in.
    #[must_use]
    pub fn parent(&self, node: NodeId) -> NodeId {
        NodeId(self.nodes[node.0 as usize].parent)
    }

    /// The target of a symbolic link, as written.
    #[must_use]
    pub fn link(&self, node: NodeId) -> Option<&'a [u8]> {
        let view = self.entry(self.origin(node)?)?;
        view.link.filter(|_| view.kind == EntryKind::Symlink)
    }

    /// What a node is.
    #[must_use]
    pub fn kind(&self, node: NodeId) -> EntryKind {
        match self.origin(node).and_then(|origin| self.kind_of(origin)) {
            None => EntryKind::Directory,
            // Bound to a lower layer, else without content.
            Some(EntryKind::HardLink) => self
                .content_of(node)
                .and_then(|origin| self.kind_of(origin))
                .filter(|kind| *kind == EntryKind::File)
                .unwrap_or(EntryKind::Special),
            Some(kind) => kind,
        }
    }

    /// The entry that last wrote a node; none for a directory that no entry names.
    #[must_use]
    pub fn origin(&self, node: NodeId) -> Option<Origin> {
        match self.nodes.get(node.0 as usize)?.state {
            State::Present(origin) => Some(origin),
            State::Absent | State::Implied => None,
        }
    }

    /// The entry that holds a node's content: its own, or for a hard link to a lower layer that of its target.
    #[must_use]
    pub fn content_of(&self, node: NodeId) -> Option<Origin> {
        self.origin(node).map(|origin| self.content_origin(origin))
    }

    fn content_origin(&self, origin: Origin) -> Origin {
        let at = self.bound.binary_search_by_key(&origin, |(link, _)| *link);
        at.ok()
            .and_then(|at| self.bound.get(at))
            .map_or(origin, |(_, content)| *content)
    }

    /// Older versions of a path that were overwritten, not removed: youngest first.
    pub fn history(&self, node: NodeId) -> impl Iterator<Item = Origin> {
        let first = self
            .nodes
            .get(node.0 as usize)
            .map_or(NONE, |node| node.history);
        let step = |at: &u32| {
            self.overwritten
                .get(*at as usize)
                .map(|(_, before)| *before)
        };
        std::iter::successors(Some(first), step)
            .map_while(|at| self.overwritten.get(at as usize).map(|(origin, _)| *origin))
    }

    /// One entry of one layer.
    #[must_use]
    pub fn entry(&self, origin: Origin) -> Option<EntryView<'a>> {
        let layer = *self.layers.get(usize::from(origin.layer))?;
        layer.entry(origin.entry)
    }

    /// What examining an entry gave.
    #[must_use]
    pub fn finding(&self, origin: Origin) -> Option<&'a F> {
        let at = usize::from(origin.layer);
        let layer = *self.layers.get(at)?;
        if !self.found.get(at)?.has(origin.entry) {
            return None;
        }
        layer.finding(origin.entry)
    }

    /// Everything that is a hard link to a lower layer, or to nothing.
    pub fn hard_links(&self) -> impl Iterator<Item = NodeId> {
        let are_any = !self.bound.is_empty() || !self.dangling.is_empty();
        self.nodes().take_while(move |_| are_any).filter(|node| {
            let origin = self.origin(*node);
            origin.and_then(|origin| self.kind_of(origin)) == Some(EntryKind::HardLink)
        })
    }

    /// Everything that is there and that an entry names, in no particular order.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        (0u32..)
            .zip(&self.nodes)
            .filter(|(_, node)| matches!(node.state, State::Present(_)))
            .map(|(id, _)| NodeId(id))
    }

    /// What lies in a directory, in no particular order.
    pub fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let next = |at: &u32| Some(self.nodes.get(*at as usize)?.next_sibling);
        let first = self
            .nodes
            .get(node.0 as usize)
            .map_or(NONE, |node| node.first_child);
        std::iter::successors(Some(first), next)
            .take_while(|child| *child != NONE)
            .filter(|child| self.nodes[*child as usize].state != State::Absent)
            .map(NodeId)
    }

    /// Hard links whose target is in no layer below: paths as their layers name them.
    pub fn dangling(&self) -> impl Iterator<Item = Vec<u8>> {
        self.dangling
            .iter()
            .filter_map(|origin| self.entry(*origin))
            .map(|view| path::join(view.directory, view.name))
    }
}

fn hash_name(hasher: &DefaultHashBuilder, parent: u32, name: &[u8]) -> u64 {
    let mut hasher = hasher.build_hasher();
    parent.hash(&mut hasher);
    hasher.write(name);
    hasher.finish()
}

#[cfg(test)]
mod tests;
