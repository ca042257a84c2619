//! Puts layer on layer: whiteouts, replaced files and directories, hard links to lower layers.

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::{Marks, NONE, Name, Node, NodeId, Origin, ROOT, RootFs, State, hash_name};
use crate::layer::path::{self, Marker};
use crate::layer::{EntryId, EntryKind, LayerIndex};

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
            found: layers.iter().map(|layer| Marks::of(layer)).collect(),
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
            let special = Special::of(layer);
            tree.bind_to_lower_layers(number, layer, &special.links);
            tree.hide(number, layer, &special.markers, &mut directories);
            tree.place(number, layer, &mut directories);
        }
        tree
    }

    /// Applies the whiteouts of a layer to what lies below, before any entry of the layer is placed.
    fn hide(
        &mut self,
        number: u16,
        layer: &LayerIndex<F>,
        markers: &[EntryId],
        directories: &mut [u32],
    ) {
        for id in markers.iter().copied() {
            let Some(view) = layer.entry(id) else {
                continue;
            };
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
    fn bind_to_lower_layers(&mut self, number: u16, layer: &LayerIndex<F>, links: &[EntryId]) {
        for entry in links.iter().copied() {
            let Some(view) = layer.entry(entry) else {
                continue;
            };
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
        let first = self.nodes[node as usize].first_child;
        if first == NONE {
            return;
        }
        let mut pending = vec![first];
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
}

/// The few entries of a layer that do something to what lies below, found in one pass.
#[derive(Default)]
struct Special {
    /// Hard links whose target is not in the layer.
    links: Vec<EntryId>,
    /// Whiteouts.
    markers: Vec<EntryId>,
}

impl Special {
    fn of<F>(layer: &LayerIndex<F>) -> Self {
        let mut special = Self::default();
        for (id, view) in layer.entries() {
            if view.kind == EntryKind::HardLink {
                special.links.push(id);
            }
            if path::marker(view.name) != Marker::Ordinary {
                special.markers.push(id);
            }
        }
        special
    }
}

/// Whether a directory belongs to the bookkeeping of AUFS.
fn in_bookkeeping(directory: &[u8]) -> bool {
    directory.starts_with(b".wh..wh.")
}
