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
use rayon::prelude::*;

use self::candidates::hits;
pub use self::finding::*;
use self::merge::merge;
use self::ownership::apply_ownership;
use crate::ecosystem;
use crate::error::Error;
use crate::index::{Database, RecordText};
use crate::lookup::{Releases, queries};
use crate::range::is_readable;

/// Matches every package of a bill. `distro` replaces the bill's distribution if given.
pub fn find(database: &Database, sbom: &Sbom, distro: Option<&Distro>) -> Result<Findings, Error> {
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
    let outcomes: Vec<Outcome> = outcomes.collect::<Result<_, Error>>()?;
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
struct Outcome {
    /// The ecosystems that were asked.
    asked: BTreeSet<String>,
    /// Why it could not be looked up, or not fully.
    skipped: Option<String>,
    matches: Vec<Match>,
}

fn find_one(
    database: &Database,
    package: &Package,
    releases: Releases<'_>,
) -> Result<Outcome, Error> {
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
    matches: &[Match],
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

/// Sorts worst first; equal input gives equal order.
pub(crate) fn sort(matches: &mut [Match]) {
    matches.par_sort_by(|left, right| {
        let rank = |found: &Match| {
            let exploited = found.advisory.exploited.is_some();
            let level = Reverse(found.advisory.severity.level);
            (!found.class.is_security(), level, !exploited)
        };
        let epss = |found: &Match| found.advisory.epss.map_or(0.0, |(score, _)| score);
        rank(left)
            .cmp(&rank(right))
            .then_with(|| epss(right).total_cmp(&epss(left)))
            .then_with(|| left.package.purl.cmp(&right.package.purl))
            .then_with(|| left.advisory.id.cmp(&right.advisory.id))
            .then_with(|| left.package.evidence.iter().cmp(&right.package.evidence))
    });
}
