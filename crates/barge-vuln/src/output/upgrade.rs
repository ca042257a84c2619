//! What to upgrade: one version for each package that heals all its flaws that can be healed.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use barge_sbom::package::Package;

use crate::ecosystem;
use crate::matching::{Fix, Match};
use crate::scan::Scan;
use crate::severity::Severity;
use crate::version::compare;

/// A package and the version that heals it.
#[derive(Debug, Clone, PartialEq)]
pub struct Upgrade<'a> {
    /// The package as it is installed.
    pub package: &'a Package,
    /// The least version without any flaw that has a fix.
    pub to: &'a str,
    /// How many flaws that heals.
    pub heals: usize,
    /// The worst of them.
    pub worst: Severity,
}

/// The upgrades that would heal what counts in a scan, worst flaws first, then most flaws. A package is left out whose
/// fixes nobody can order: no one of them is known to heal all.
#[must_use]
pub fn upgrades<'a>(scan: &'a Scan<'_>) -> Vec<Upgrade<'a>> {
    let mut upgrades: BTreeMap<&str, Upgrade<'_>> = BTreeMap::new();
    let mut unordered: BTreeSet<&str> = BTreeSet::new();
    for found in &scan.findings.matches {
        let Some(to) = found.fix.version() else {
            continue;
        };
        if found.suppressed.is_some() || !found.class.is_security() {
            continue;
        }
        let severity = found.advisory.severity.level;
        let upgrade = upgrades
            .entry(&found.package.purl)
            .or_insert_with(|| Upgrade {
                package: &found.package,
                to,
                heals: 0,
                worst: severity,
            });
        upgrade.heals += 1;
        upgrade.worst = upgrade.worst.max(severity);
        match order(found, to, upgrade.to) {
            Some(Ordering::Greater) => upgrade.to = to,
            Some(_) => {}
            None => drop(unordered.insert(&found.package.purl)),
        }
    }
    upgrades.retain(|purl, _| !unordered.contains(purl));
    let mut upgrades: Vec<_> = upgrades.into_values().collect();
    upgrades.sort_by_key(|upgrade| (Reverse(upgrade.worst), Reverse(upgrade.heals)));
    upgrades
}

/// What heals a match, in the imperative, if anything does.
pub(super) fn remedy(found: &Match<'_>) -> Option<String> {
    let name = &found.package.name;
    // Nobody can upgrade what a Go program holds of the standard library: it comes with the compiler.
    let is_go = |found: &Match<'_>| {
        let mut why = found.why.iter();
        why.any(|reason| &*reason.ecosystem == "Go" && &*reason.name == "stdlib")
    };
    match found.fix {
        Fix::Version(version) if is_go(found) => Some(format!("build with Go {version}")),
        Fix::Version(version) => Some(format!("upgrade {name} to {version}")),
        Fix::Subscription(version) => Some(format!(
            "upgrade {name} to {version}, which needs a subscription"
        )),
        Fix::None => None,
    }
}

/// The same with a capital letter.
pub(super) fn remedy_sentence(found: &Match<'_>) -> Option<String> {
    let mut remedy = remedy(found)?;
    if let Some(first) = remedy.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Some(remedy)
}

/// How two versions that heal a package are ordered, if that can be told.
fn order(found: &Match<'_>, left: &str, right: &str) -> Option<Ordering> {
    if left == right {
        return Some(Ordering::Equal);
    }
    let scheme = ecosystem::scheme(&found.why.first()?.ecosystem)?;
    compare(scheme, left, right).ok()
}
