//! Alias groups: ids of one flaw, found by union-find over what records state.

use std::collections::HashMap;

use super::bytes::{hash, position, put_numbers, put_texts};
use super::records::Kept;
use super::sections::{SECTIONS, Section, put_entry};
use crate::error::Error;

/// Union-find over ids: aliases are symmetric and transitive, in cycles too.
#[derive(Debug, Default)]
pub(super) struct Groups {
    nodes: HashMap<String, usize>,
    parents: Vec<usize>,
}

/// Groups with their numbers.
pub(super) struct Numbered {
    /// The ids of each group, sorted, and its records.
    groups: Vec<(Vec<String>, Vec<u32>)>,
    /// The group of each record.
    pub(super) of_record: Vec<u32>,
}

impl Groups {
    /// The node of an id.
    pub(super) fn node(&mut self, id: &str) -> usize {
        if let Some(node) = self.nodes.get(id) {
            return *node;
        }
        let node = self.parents.len();
        self.parents.push(node);
        self.nodes.insert(id.to_owned(), node);
        node
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.parents[node] != node {
            self.parents[node] = self.parents[self.parents[node]];
            node = self.parents[node];
        }
        node
    }

    fn join(&mut self, left: usize, right: usize) {
        let (left, right) = (self.root(left), self.root(right));
        // The lower number stays the root, whatever the order of the joins.
        self.parents[left.max(right)] = left.min(right);
    }

    /// Numbers the groups by their first record.
    pub(super) fn numbered(mut self, records: &[Kept]) -> Numbered {
        let mut by_root: HashMap<usize, u32> = HashMap::new();
        let mut groups: Vec<(Vec<String>, Vec<u32>)> = Vec::new();
        let mut of_record = Vec::with_capacity(records.len());
        for record in records.iter().filter(|record| !record.superseded) {
            for alias in &record.aliases {
                self.join(record.node, *alias);
            }
        }
        for (number, record) in records.iter().enumerate() {
            let root = self.root(record.node);
            let group = *by_root.entry(root).or_insert_with(|| {
                groups.push(Default::default());
                u32::try_from(groups.len() - 1).unwrap_or(u32::MAX)
            });
            of_record.push(group);
            if !record.superseded {
                groups[group as usize]
                    .1
                    .push(u32::try_from(number).unwrap_or(u32::MAX));
            }
        }
        let ids: Vec<(String, usize)> = std::mem::take(&mut self.nodes).into_iter().collect();
        for (id, node) in ids {
            let root = self.root(node);
            if let Some(group) = by_root.get(&root) {
                groups[*group as usize].0.push(id);
            }
        }
        for (ids, _) in &mut groups {
            ids.sort_unstable();
        }
        Numbered { groups, of_record }
    }
}

impl Numbered {
    /// Lays the groups out; `fact` is the number of what side data says of an id.
    pub(super) fn put(
        &self,
        sections: &mut [Vec<u8>; SECTIONS],
        fact: impl Fn(&str) -> Option<u32>,
    ) -> Result<(), Error> {
        let mut ids: Vec<(u64, u32)> = Vec::new();
        for (group, (names, records)) in self.groups.iter().enumerate() {
            let mut entry = Vec::new();
            put_texts(&mut entry, names.iter().map(String::as_str));
            put_numbers(&mut entry, records);
            let facts: Vec<u32> = names.iter().filter_map(|name| fact(name)).collect();
            put_numbers(&mut entry, &facts);
            put_entry(sections, [Section::GroupTable, Section::Groups], &entry)?;
            for name in names {
                ids.push((hash(name.as_bytes()), position(group)?));
            }
        }
        ids.sort_unstable();
        for (id, group) in ids {
            sections[Section::Ids.position()].extend_from_slice(&id.to_le_bytes());
            sections[Section::Ids.position()].extend_from_slice(&group.to_le_bytes());
        }
        Ok(())
    }
}
