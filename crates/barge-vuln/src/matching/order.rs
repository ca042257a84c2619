//! In which order matches are shown.

use std::sync::Arc;

use super::finding::Match;
use crate::severity::Severity;
use crate::side::EPSS_UNIT;

/// Sorts worst first; equal input gives equal order. Numbers are what is compared and moved about, each match is moved once.
pub(super) fn sort(matches: &mut Vec<Match<'_>>) {
    let places = places_of_purls(matches).into_iter();
    let ranked = matches.iter().zip(places).enumerate();
    let mut order: Vec<(u64, usize)> = ranked
        .map(|(index, (found, place))| (rank(found) << 32 | u64::from(place), index))
        .collect();
    order.sort_unstable_by(|(left_rank, left), (right_rank, right)| {
        let same_package = || {
            let key = |index: usize| {
                let found = &matches[index];
                (found.advisory.id, &found.package.evidence, index)
            };
            key(*left).cmp(&key(*right))
        };
        left_rank.cmp(right_rank).then_with(same_package)
    });
    let mut unsorted: Vec<Option<Match<'_>>> = matches.drain(..).map(Some).collect();
    matches.extend(
        order
            .into_iter()
            .filter_map(|(_, index)| unsorted[index].take()),
    );
}

/// What is sorted by first, less is shown before: vulnerabilities before other statements, worse before less bad, exploited
/// before others, likelier before less likely.
fn rank(found: &Match<'_>) -> u64 {
    let advisory = &found.advisory;
    let likelihood = advisory.epss.map_or(0, |epss| epss.score);
    let parts = [
        (1, u64::from(!found.class.is_security())),
        (
            3,
            Severity::Critical as u64 - advisory.severity.level as u64,
        ),
        (1, u64::from(advisory.exploited.is_none())),
        (17, u64::from(EPSS_UNIT.saturating_sub(likelihood))),
    ];
    parts
        .iter()
        .fold(0, |rank, (bits, part)| rank << bits | part)
}

/// For each match the place of its package URL among all, in order; the matches of a package stand beside each other.
fn places_of_purls(matches: &[Match<'_>]) -> Vec<u32> {
    let packages = || matches.chunk_by(|left, right| Arc::ptr_eq(&left.package, &right.package));
    let mut order: Vec<(&str, usize)> = packages()
        .enumerate()
        .map(|(index, of_one)| (of_one[0].package.purl.as_str(), index))
        .collect();
    // A bill is sorted mostly, which this sort takes notice of.
    order.sort_by_key(|(purl, _)| *purl);
    let mut places = vec![0; order.len()];
    let same = order.chunk_by(|(left, _), (right, _)| left == right);
    for (place, same) in (0..).zip(same) {
        for (_, index) in same {
            places[*index] = place;
        }
    }
    let each = packages().zip(places);
    each.flat_map(|(of_one, place)| std::iter::repeat_n(place, of_one.len()))
        .collect()
}
