//! The root file system that a stack of layers makes (OCI image-spec, layer; sbom.md section 2).
//!
//! One tree for the whole image, whatever the number of layers. Entries are placed by real path: a link of a lower
//! layer is never followed to place an entry, only to look a path up. Contents are not held here.

use std::hash::{BuildHasher as _, Hash as _, Hasher as _};

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::layer::path::{self, Marker};
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
}

impl<'a, F> RootFs<'a, F> {
    /// Puts layers on top of each other, the lowest first.
    #[must_use]
    pub fn squash(layers: &[&'a LayerIndex<F>]) -> Self {
        let capacity = layers.iter().map(|layer| layer.len()).sum();
        let mut tree = Self {
            layers: layers.to_vec(),
            nodes: Vec::with_capacity(capacity + 1),
            table: HashTable::with_capacity(capacity),
            hasher: DefaultHashBuilder::default(),
            overwritten: Vec::new(),
            bound: Vec::new(),
            dangling: Vec::new(),
        };
        tree.nodes.push(Node {
            parent: ROOT,
            name: Name {
                layer: 0,
                length: 0,
                start: 0,
            },
            first_child: NONE,
            next_sibling: NONE,
            history: NONE,
            state: State::Implied,
        });
        for (number, layer) in (0u16..).zip(layers) {
            let mut directories = vec![NONE; layer.directories.len()];
            tree.bind_to_lower_layers(number, layer);
            tree.hide(number, layer, &mut directories);
            tree.place(number, layer, &mut directories);
        }
        tree
    }

    /// Applies the whiteouts of a layer to what lies below, before any entry of the layer is placed.
    fn hide(&mut self, number: u16, layer: &LayerIndex<F>, directories: &mut [u32]) {
        for (id, view) in layer.entries() {
            let hidden = match path::marker(view.name) {
                Marker::Whiteout(name) => Some(name),
                Marker::Opaque => None,
                Marker::Ordinary | Marker::Ignored => continue,
            };
            if in_bookkeeping(view.directory) {
                continue;
            }
            // The marker needs its directory, as every entry does: it replaces what was there and is none.
            let Some(directory) = self.make_directory(number, id, directories) else {
                continue;
            };
            match hidden {
                Some(name) => {
                    if let Some(child) = self.child(directory, name) {
                        self.remove(child);
                    }
                }
                None => self.remove_children(directory),
            }
        }
    }

    fn place(&mut self, number: u16, layer: &'a LayerIndex<F>, directories: &mut [u32]) {
        for (id, view) in layer.entries() {
            if path::marker(view.name) != Marker::Ordinary || in_bookkeeping(view.directory) {
                continue;
            }
            let Some(directory) = self.make_directory(number, id, directories) else {
                continue;
            };
            let origin = Origin {
                layer: number,
                entry: id,
            };
            if view.name.is_empty() {
                self.set(ROOT, origin);
                continue;
            }
            let Some((_, start, length)) = layer.location(id) else {
                continue;
            };
            let name = Name {
                layer: number,
                length,
                start,
            };
            let node = self.child_or_new(directory, name);
            if view.kind != EntryKind::Directory {
                self.remove_children(node);
            }
            self.set(node, origin);
        }
    }

    /// Binds hard links whose targets are not in their own layer, before the layer hides anything.
    fn bind_to_lower_layers(&mut self, number: u16, layer: &LayerIndex<F>) {
        let links = layer
            .entries()
            .filter(|(_, view)| view.kind == EntryKind::HardLink);
        for (entry, view) in links {
            let link = Origin {
                layer: number,
                entry,
            };
            let target = path::clean(view.link.unwrap_or_default());
            let content = self
                .lookup(&target)
                .and_then(|node| self.content_of(node))
                .filter(|origin| self.kind_of(*origin) == Some(EntryKind::File));
            match content {
                Some(content) => self.bound.push((link, content)),
                None => self.dangling.push(link),
            }
        }
        self.bound.sort_unstable_by_key(|(link, _)| *link);
    }

    fn set(&mut self, node: u32, origin: Origin) {
        let place = &mut self.nodes[node as usize];
        if let State::Present(before) = place.state
            && before.layer != origin.layer
        {
            self.overwritten.push((before, place.history));
            place.history = u32::try_from(self.overwritten.len() - 1).unwrap_or(NONE);
        }
        place.state = State::Present(origin);
    }

    /// The node of the directory that an entry lies in, made if need be.
    fn make_directory(&mut self, number: u16, id: EntryId, directories: &mut [u32]) -> Option<u32> {
        let layer = *self.layers.get(usize::from(number))?;
        let (directory, _, _) = layer.location(id)?;
        let known = directories.get_mut(directory as usize)?;
        // A later entry of the same layer may have replaced the directory.
        if *known != NONE && self.is_directory(*known) {
            return Some(*known);
        }
        let (start, length) = layer.directory_span(directory)?;
        let mut node = ROOT;
        let mut at = 0;
        while at < length {
            let rest = layer.name_bytes(start + at, u16::try_from(length - at).unwrap_or(u16::MAX));
            let end = rest
                .iter()
                .position(|byte| *byte == b'/')
                .unwrap_or(rest.len());
            let name_length = u16::try_from(end).ok()?;
            let name = Name {
                layer: number,
                length: name_length,
                start: start + at,
            };
            node = self.child_or_new(node, name);
            if let Some(target) = self.linked_directory(number, node) {
                node = target;
            } else if !self.is_directory(node) {
                let place = &mut self.nodes[node as usize];
                place.state = State::Implied;
                place.history = NONE;
            }
            at += u32::from(name_length) + 1;
        }
        *known = node;
        Some(node)
    }

    /// Where a link of the same layer leads: a layer is unpacked on its own, and there its own links are followed.
    fn linked_directory(&self, number: u16, node: u32) -> Option<u32> {
        let origin = self
            .origin(NodeId(node))
            .filter(|origin| origin.layer == number)?;
        let is_link = self.kind_of(origin) == Some(EntryKind::Symlink);
        let target = is_link
            .then(|| self.resolve(&self.path(NodeId(node))))
            .flatten()?;
        Some(target.0).filter(|target| self.is_directory(*target))
    }

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

    fn child_or_new(&mut self, parent: u32, name: Name) -> u32 {
        let text = self.name(name);
        let hash = self.hash(parent, text);
        let (nodes, layers, hasher) = (&self.nodes, &self.layers, &self.hasher);
        let name_of = |node: &Node| {
            let layer = layers.get(usize::from(node.name.layer));
            layer.map_or(&[][..], |layer| {
                layer.name_bytes(node.name.start, node.name.length)
            })
        };
        let is_it = |node: &u32| {
            let node = &nodes[*node as usize];
            node.parent == parent && name_of(node) == text
        };
        let hash_of = |node: &u32| {
            let node = &nodes[*node as usize];
            hash_name(hasher, node.parent, name_of(node))
        };
        let vacant = match self.table.entry(hash, is_it, hash_of) {
            Entry::Occupied(known) => return *known.get(),
            Entry::Vacant(vacant) => vacant,
        };
        let node = u32::try_from(self.nodes.len()).unwrap_or(NONE);
        vacant.insert(node);
        let next_sibling = self.nodes[parent as usize].first_child;
        self.nodes.push(Node {
            parent,
            name,
            first_child: NONE,
            next_sibling,
            history: NONE,
            state: State::Absent,
        });
        self.nodes[parent as usize].first_child = node;
        node
    }

    fn remove(&mut self, node: u32) {
        self.remove_children(node);
        let node = &mut self.nodes[node as usize];
        node.state = State::Absent;
        node.history = NONE;
    }

    fn remove_children(&mut self, node: u32) {
        let mut pending = vec![self.nodes[node as usize].first_child];
        while let Some(mut child) = pending.pop() {
            while child != NONE {
                let place = &mut self.nodes[child as usize];
                if place.state != State::Absent {
                    place.state = State::Absent;
                    place.history = NONE;
                    pending.push(place.first_child);
                }
                child = place.next_sibling;
            }
        }
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
        let layer = *self.layers.get(usize::from(origin.layer))?;
        layer.finding(origin.entry)
    }

    /// Everything that is a hard link to a lower layer, or to nothing.
    pub fn hard_links(&self) -> impl Iterator<Item = NodeId> {
        self.nodes().filter(|node| {
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

/// Whether a directory belongs to the bookkeeping of AUFS.
fn in_bookkeeping(directory: &[u8]) -> bool {
    directory.starts_with(b".wh..wh.")
}

#[cfg(test)]
mod tests;
