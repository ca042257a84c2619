//! Matches a bill of materials against the index: candidates, version test, qualifiers, ownership, one match per flaw.

mod candidates;
mod finding;
mod merge;
mod module;
mod ownership;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use barge_sbom::package::{Distro, Package, Sbom};

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
    let mut coverage: BTreeMap<String, usize> = BTreeMap::new();
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
            ecosystem,
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
    asked: BTreeSet<String>,
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
    outcome.asked = queries
        .iter()
        .map(|query| query.ecosystem.to_string())
        .collect();
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

/// What is sorted by first: vulnerabilities before other statements, worse before less bad, exploited before others,
/// likelier before less likely (an EPSS score is no negative number, so its bits are in its order).
type Rank = (bool, Reverse<Severity>, bool, Reverse<u64>);

fn rank(found: &Match<'_>) -> Rank {
    let advisory = &found.advisory;
    let likelihood = advisory.epss.map_or(0.0, |(score, _)| score);
    (
        !found.class.is_security(),
        Reverse(advisory.severity.level),
        advisory.exploited.is_none(),
        Reverse(likelihood.to_bits()),
    )
}

/// Sorts worst first; equal input gives equal order. Numbers are what is compared and moved about, each match is moved once.
pub(crate) fn sort(matches: &mut Vec<Match<'_>>) {
    let mut order: Vec<(Rank, u32, usize)> = places_of_purls(matches)
        .into_iter()
        .enumerate()
        .map(|(index, purl)| (rank(&matches[index]), purl, index))
        .collect();
    order.sort_by(
        |(left_rank, left_purl, left), (right_rank, right_purl, right)| {
            let ranks = (left_rank, left_purl).cmp(&(right_rank, right_purl));
            ranks.then_with(|| {
                let (left, right) = (&matches[*left], &matches[*right]);
                (left.advisory.id, &left.package.evidence)
                    .cmp(&(right.advisory.id, &right.package.evidence))
            })
        },
    );
    let mut unsorted: Vec<Option<Match<'_>>> = matches.drain(..).map(Some).collect();
    matches.extend(
        order
            .into_iter()
            .filter_map(|(_, _, index)| unsorted[index].take()),
    );
}

/// For each match the place of its package URL among all, in order; the matches of a package stand beside each other.
fn places_of_purls(matches: &[Match<'_>]) -> Vec<u32> {
    let packages = || matches.chunk_by(|left, right| Arc::ptr_eq(&left.package, &right.package));
    let mut purls: Vec<&str> = packages()
        .map(|of_one| of_one[0].package.purl.as_str())
        .collect();
    purls.sort_unstable();
    purls.dedup();
    let mut places = Vec::with_capacity(matches.len());
    for of_one in packages() {
        let place = purls.partition_point(|purl| **purl < *of_one[0].package.purl);
        places.extend(std::iter::repeat_n(
            u32::try_from(place).unwrap_or(u32::MAX),
            of_one.len(),
        ));
    }
    places
}
