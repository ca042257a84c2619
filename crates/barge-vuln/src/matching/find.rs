//! Looks up every package of a bill, on all cores.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use barge_sbom::package::{Distro, Package, Sbom};
use smallvec::SmallVec;

use super::candidates::hits;
use super::finding::{Coverage, Findings, Match};
use super::merge::merge;
use super::order::sort;
use super::ownership::apply_ownership;
use crate::ecosystem;
use crate::error::Error;
use crate::index::Database;
use crate::lookup::{Releases, queries};
use crate::range::is_readable;

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
