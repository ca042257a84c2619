//! One component for each package URL and owner, with every place where it was found: managed and unmanaged copies of the
//! same package stay two.

use std::collections::BTreeMap;

use super::candidate::{Candidate, evidence, package};
use crate::package::{LayerFact, Package};

/// The packages, sorted by package URL, then owner.
pub(super) fn merge(candidates: &[Candidate<'_>], layers: &[LayerFact]) -> Vec<Package> {
    let mut packages: BTreeMap<(&str, Option<&str>), Package> = BTreeMap::new();
    for candidate in candidates {
        let key = (candidate.purl.as_str(), candidate.owned_by.as_deref());
        packages
            .entry(key)
            .and_modify(|known| join(known, candidate, layers))
            .or_insert_with(|| package(candidate, layers));
    }
    let mut packages: Vec<_> = packages.into_values().collect();
    for package in &mut packages {
        package.evidence.sort();
        package.evidence.dedup();
    }
    packages
}

fn join(known: &mut Package, candidate: &Candidate<'_>, layers: &[LayerFact]) {
    known.evidence.push(evidence(candidate, layers));
    known.depends_on.extend_from_slice(&candidate.depends_on);
    known.depends_on.sort();
    known.depends_on.dedup();
    if known.licenses.is_empty() {
        known.licenses.clone_from(&candidate.licenses);
    }
    // A digest speaks of one file: where copies differ, none is the package's.
    known
        .hashes
        .retain(|algorithm, digits| candidate.found.hashes.get(algorithm) == Some(digits));
    // Packed into different things, it is part of none of them alone.
    if known.part_of != candidate.part_of {
        known.part_of = None;
    }
    for (key, value) in &candidate.found.facts {
        known
            .facts
            .entry(key.clone())
            .or_insert_with(|| value.clone());
    }
}
