//! Matches a bill of materials against the index: candidates, version test, qualifiers, ownership, one match per flaw.

mod candidates;
mod finding;
mod merge;
mod module;
mod ownership;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use barge_sbom::package::{Distro, Package, Sbom};
use smallvec::SmallVec;

use self::candidates::hits;
pub use self::finding::*;
use self::merge::merge;
use self::ownership::apply_ownership;
use crate::ecosystem;
use crate::error::Error;
use crate::index::{Database, RecordText};
use crate::lookup::{Releases, queries};
use crate::range::is_readable;
use crate::severity::Severity;
use crate::side::EPSS_UNIT;

/// Matches every package of a bill. `distro` replaces the bill's distribution if given.
pub fn find<'a>(
    database: &'a Database,
    sbom: &Sbom,
    distro: Option<&Distro>,
) -> Result<Findings<'a>, Error> {
    let releases = Releases {
        asked: distro,
        of_bill: sbom.distro.as_ref(),
    };
    let mut findings = Findings {
        packages: sbom.packages.len(),
        ..Findings::default()
    };
    let mut coverage: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    let outcomes = find_each(&sbom.packages, |package| {
        find_one(database, package, releases)
    });
    let outcomes: Vec<Outcome<'_>> = outcomes.collect::<Result<_, Error>>()?;
    let count = outcomes.iter().map(|outcome| outcome.matches.len()).sum();
    findings.matches.reserve_exact(count);
    for (package, outcome) in sbom.packages.iter().zip(outcomes) {
        for ecosystem in outcome.asked {
            *coverage.entry(ecosystem).or_default() += 1;
        }
        let skipped = outcome.skipped.map(|reason| (package.purl.clone(), reason));
        findings.skipped.extend(skipped);
        findings.matches.extend(outcome.matches);
    }
    findings.coverage = coverage
        .into_iter()
        .map(|(ecosystem, packages)| Coverage {
            has_data: database.has_ecosystem(&ecosystem),
            ecosystem: ecosystem.to_string(),
            packages,
        })
        .collect();
    apply_ownership(database, sbom, releases, &mut findings.matches)?;
    sort(&mut findings.matches);
    Ok(findings)
}

/// How many packages one thread takes at a time: fewer are done sooner than shared out.
const PACKAGES_AT_ONCE: usize = 32;

/// Looks up each package, on all cores; they are independent of each other, and their order is kept. The calling thread
/// works as well, unlike with a pool: its memory is there already, while the memory of a new thread grows page by page.
fn find_each<Found: Send + Sync>(
    packages: &[Package],
    find: impl Fn(&Package) -> Found + Sync,
) -> impl Iterator<Item = Found> {
    let chunks = packages.chunks(PACKAGES_AT_ONCE);
    let chunks: Vec<(&[Package], OnceLock<Vec<Found>>)> =
        chunks.map(|chunk| (chunk, OnceLock::new())).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((chunk, found)) = chunks.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.get_or_init(|| chunk.iter().map(&find).collect());
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 1..cores.min(chunks.len()) {
            scope.spawn(work);
        }
        work();
    });
    let found = chunks
        .into_iter()
        .filter_map(|(_, found)| found.into_inner());
    found.flatten()
}

/// What came of one package.
#[derive(Default)]
struct Outcome<'a> {
    /// The ecosystems that were asked.
    asked: SmallVec<[Arc<str>; 1]>,
    /// Why it could not be looked up, or not fully.
    skipped: Option<String>,
    matches: Vec<Match<'a>>,
}

fn find_one<'a>(
    database: &'a Database,
    package: &Package,
    releases: Releases<'_>,
) -> Result<Outcome<'a>, Error> {
    let mut outcome = Outcome::default();
    let queries = match queries(database, package, releases) {
        Ok(queries) => queries,
        Err(reason) => {
            outcome.skipped = Some(reason);
            return Ok(outcome);
        }
    };
    // A binary package and its source stand beside each other where both are asked.
    let asked = queries.iter().map(|query| Arc::clone(&query.ecosystem));
    outcome.asked = asked.collect();
    outcome.asked.dedup();
    let unreadable = queries
        .iter()
        .find(|query| !is_readable(&query.version, ecosystem::scheme(&query.ecosystem)));
    outcome.skipped = unreadable.map(|query| {
        format!(
            "version `{}` is none of {}: only listed versions can hit",
            query.version, query.ecosystem
        )
    });
    let hits = hits(database, &queries)?;
    if hits.is_empty() {
        return Ok(outcome);
    }
    let package = Arc::new(package.clone());
    outcome.matches = hits
        .chunk_by(|left, right| left.group() == right.group())
        .map(|hits| merge(database, &package, hits))
        .collect::<Result<_, Error>>()?;
    Ok(outcome)
}

/// The long texts of matches, by the id of the record that hits first. Blocks of texts are unpacked once each.
pub fn details(
    database: &Database,
    matches: &[Match<'_>],
) -> Result<BTreeMap<String, RecordText>, Error> {
    let ids: BTreeSet<&str> = matches.iter().filter_map(Match::record).collect();
    let mut records = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(group) = database.find(id)? else {
            continue;
        };
        for number in database.group(group)?.records {
            let record = database.record(number)?;
            if record.id == id {
                records.push(record);
            }
        }
    }
    let texts = database.texts(&records)?;
    Ok(records
        .iter()
        .map(|record| record.id.to_owned())
        .zip(texts)
        .collect())
}

/// Sorts worst first; equal input gives equal order. Numbers are what is compared and moved about, each match is moved once.
pub(crate) fn sort(matches: &mut Vec<Match<'_>>) {
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
