//! Evidence that was found and could not be read.

use barge_image::layer::LayerIndex;
use barge_image::rootfs::{NodeId, RootFs};

use super::bill::is_within;
use super::hits::{Hits, Late};
use crate::finding::Finding;
use crate::package::{LayerFact, Unknown};

/// All of it, sorted; of a restricted bill only what lies `within`.
pub(super) fn collect(
    tree: &RootFs<'_, Finding>,
    hits: &Hits<'_>,
    late: &Late,
    layers: &[&LayerIndex<Finding>],
    facts: &[LayerFact],
    within: Option<NodeId>,
) -> Vec<Unknown> {
    let mut unknowns: Vec<_> = hits
        .iter()
        .filter(|hit| within.is_none_or(|within| is_within(tree, hit.node, within)))
        .filter_map(|hit| {
            Some(Unknown {
                path: String::from_utf8_lossy(&tree.path(hit.node)).into_owned(),
                reason: hit.says.unreadable()?.to_owned(),
            })
        })
        .collect();
    for (number, layer) in layers.iter().enumerate() {
        unknowns.extend(layer.broken.as_ref().map(|reason| {
            Unknown {
                path: facts
                    .get(number)
                    .map_or_else(String::new, |fact| format!("layer {}", fact.diff_id)),
                reason: format!("only a part could be read: {reason}"),
            }
        }));
    }
    let files = layers.iter().flat_map(|layer| &layer.unreadable);
    let files = files.map(|file| Unknown {
        path: String::from_utf8_lossy(&file.path).into_owned(),
        reason: file.reason.clone(),
    });
    let is_wanted = |unknown: &Unknown| {
        within.is_none_or(|within| {
            let node = tree.resolve(unknown.path.as_bytes());
            node.is_some_and(|node| is_within(tree, node, within))
        })
    };
    unknowns.extend(files.chain(late.lost.iter().cloned()).filter(is_wanted));
    unknowns.sort();
    unknowns.dedup();
    unknowns
}
