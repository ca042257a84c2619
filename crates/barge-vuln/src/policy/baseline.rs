//! Flaws that were there before.

use std::collections::BTreeMap;

use barge_sbom::PackageUrl;

use crate::matching::Match;

/// Flaws of an earlier scan.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    /// Package URLs without version, with all ids that were reported for them.
    known: BTreeMap<String, Vec<String>>,
}

impl Baseline {
    /// Adds a flaw of a package.
    pub fn add(&mut self, purl: &str, ids: impl Iterator<Item = String>) {
        self.known.entry(bare(purl)).or_default().extend(ids);
    }

    pub(super) fn has(&self, found: &Match<'_>) -> bool {
        let known = self.known.get(&bare(&found.package.purl));
        known.is_some_and(|ids| {
            found
                .advisory
                .ids()
                .any(|id| ids.iter().any(|known| known == id))
        })
    }
}

fn bare(purl: &str) -> String {
    PackageUrl::parse(purl).map_or_else(|_| purl.to_owned(), |purl| purl.without_version())
}
