//! Hard links inside one layer: which content each is bound to, and what is known of it already.

use std::collections::HashMap;

use super::index::{EntryId, EntryKind};
use super::pass::Pass;
use super::{Interest, path};

impl<I: Interest> Pass<'_, I> {
    /// Binds a hard link to the content that its target has at this point of the layer.
    pub(super) fn bind(&mut self, id: EntryId, target: &[u8]) -> Option<EntryId> {
        let mut paths = self.paths.take().unwrap_or_default();
        while self.known < id {
            paths.insert(self.path(self.known), self.known);
            self.known += 1;
        }
        let target = path::clean(target);
        let known = paths.get(target.as_ref()).copied();
        let target = known.or_else(|| self.follow(&paths, &target));
        self.paths = Some(paths);
        let entries = &mut self.builder.index.entries;
        let bound = *entries.get(target? as usize)?;
        let link = entries.get_mut(id as usize)?;
        (link.kind, link.sparse) = (bound.kind, bound.sparse);
        (link.size, link.offset, link.mode) = (bound.size, bound.offset, bound.mode);
        if bound.kind == EntryKind::Symlink {
            link.link = bound.link;
        }
        target.filter(|_| bound.kind == EntryKind::File)
    }

    /// Where a path leads through links of this layer, as when it is unpacked; a link at its end is not followed.
    fn follow(&self, paths: &HashMap<Vec<u8>, EntryId>, path: &[u8]) -> Option<EntryId> {
        let mut links = 0;
        let mut at = Vec::new();
        let mut pending = path::reversed(path);
        while let Some(part) = pending.pop() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    at = path::split(&at).0.to_vec();
                    continue;
                }
                _ => at = path::join(&at, &part),
            }
            let view = paths.get(&at).and_then(|id| self.builder.index.entry(*id));
            let target = view
                .filter(|view| view.kind == EntryKind::Symlink && !pending.is_empty())
                .and_then(|view| view.link);
            if let Some(target) = target {
                links += 1;
                if links > path::LINK_LIMIT || pending.len() > path::PENDING_LIMIT {
                    return None;
                }
                at = if target.starts_with(b"/") {
                    Vec::new()
                } else {
                    path::split(&at).0.to_vec()
                };
                pending.extend(path::reversed(target));
            }
        }
        paths.get(&at).copied()
    }

    /// Gives a hard link the finding of its target, or notes that it has to be looked for.
    pub(super) fn share_finding(&mut self, link: EntryId, target: EntryId) {
        let examined = self.examined.get(&target).cloned();
        let head = examined.as_ref().map_or(&[][..], |(head, _)| head);
        let Some(role) = self.role(link, head) else {
            return;
        };
        if examined.as_ref().is_some_and(|(_, done)| *done == role) {
            let findings = &mut self.builder.index.findings;
            let shared = findings.iter().rev().find(|(id, _)| *id == target).cloned();
            findings.extend(shared.map(|(_, finding)| (link, finding)));
            self.examined
                .extend(examined.map(|examined| (link, examined)));
        } else {
            self.missed.push((link, role));
        }
    }
}
