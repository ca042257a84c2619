//! Which layer introduced a package: the lowest one from which on every version of its evidence has it.

use std::collections::HashSet;

use barge_image::rootfs::RootFs;

use super::hits::Hit;
use crate::finding::{Finding, Found};

/// The packages of older versions of a piece of evidence.
pub(super) struct Introduced<'a> {
    layer: u16,
    /// Youngest first: a layer, and what its version of the evidence lists.
    older: Vec<(u16, HashSet<Key<'a>>)>,
}

type Key<'a> = (&'a str, &'a str, Option<&'a str>);

fn key(found: &Found) -> Key<'_> {
    (&found.name, &found.version, found.architecture.as_deref())
}

/// Looks at the older versions of a file that were overwritten.
pub(super) fn introduced<'a>(tree: &RootFs<'a, Finding>, hit: &Hit<'a>) -> Introduced<'a> {
    let older = tree
        .history(hit.node)
        .map_while(|origin| {
            let finding = tree
                .finding(origin)
                .filter(|finding| finding.role == hit.role)?;
            let found = finding.says.packages()?;
            Some((origin.layer, found.iter().map(key).collect()))
        })
        .collect();
    Introduced {
        layer: hit.origin.layer,
        older,
    }
}

impl Introduced<'_> {
    pub(super) fn layer_of(&self, found: &Found) -> u16 {
        let since = self
            .older
            .iter()
            .take_while(|(_, listed)| listed.contains(&key(found)))
            .last();
        since.map_or(self.layer, |(layer, _)| *layer)
    }
}
