//! Which listed versions an index need not keep.

use super::installed::{Installed, is_semver_order};
use crate::ecosystem;
use crate::index::EntryRange;
use crate::osv::{Affected, Range};
use crate::version::Scheme;

/// The listed versions of an entry that its ranges do not hold already. The others say nothing more: what is equal to a version
/// in a range is in that range. PyPA's records list each version that a range holds.
pub(crate) fn beyond_ranges(affected: &Affected) -> Vec<&str> {
    let listed = affected.versions.iter().map(String::as_str);
    // Versions of source rpms are compared without epochs, of which a range may have several.
    let scheme = ecosystem::scheme(&affected.ecosystem).filter(|scheme| *scheme != Scheme::Rpm);
    let mut texts = Vec::new();
    let mut ranges = Vec::with_capacity(affected.ranges.len());
    // The order of a range must be the one in which listed versions are compared.
    let is_own = |range: &&Range| !range.semver || scheme.is_some_and(is_semver_order);
    for range in affected.ranges.iter().filter(is_own) {
        let first = texts.len();
        texts.extend(range.events.iter().map(|event| event.version.as_str()));
        let numbers = (first..).map_while(|number| u32::try_from(number).ok());
        let kinds = range.events.iter().map(|event| event.kind);
        ranges.push(EntryRange {
            semver: range.semver,
            events: kinds.zip(numbers).collect(),
        });
    }
    if ranges.is_empty() || scheme.is_none() {
        return listed.collect();
    }
    let is_beyond = |version: &&str| {
        let listed = Installed::new(version, scheme, false, &texts);
        !ranges
            .iter()
            .filter_map(|range| listed.test_range(range))
            .any(|hit| hit.unread.is_none())
    };
    listed.filter(is_beyond).collect()
}
