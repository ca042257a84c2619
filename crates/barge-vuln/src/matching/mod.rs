//! Matches a bill of materials against the index: candidates, version test, qualifiers, ownership, one match per flaw.

mod candidates;
mod finding;
mod merge;
mod module;
mod ownership;

use std::collections::{BTreeMap, BTreeSet};

use barge_sbom::package::{Distro, Sbom};

use self::candidates::hits_by_group;
pub use self::finding::*;
use self::merge::merge;
use self::ownership::apply_ownership;
use crate::ecosystem;
use crate::error::Error;
use crate::index::{Database, RecordText};
use crate::lookup::queries;
use crate::range::is_readable;

/// Matches every package of a bill. `distro` replaces the bill's distribution if given.
pub fn find(database: &Database, sbom: &Sbom, distro: Option<&Distro>) -> Result<Findings, Error> {
    let distro = distro.or(sbom.distro.as_ref());
    let mut findings = Findings {
        packages: sbom.packages.len(),
        ..Findings::default()
    };
    let mut coverage: BTreeMap<String, usize> = BTreeMap::new();
    for package in &sbom.packages {
        let queries = match queries(database, package, distro) {
            Ok(queries) => queries,
            Err(reason) => {
                findings.skipped.push((package.purl.clone(), reason));
                continue;
            }
        };
        let asked: BTreeSet<&str> = queries
            .iter()
            .map(|query| query.ecosystem.as_str())
            .collect();
        for ecosystem in asked {
            *coverage.entry(ecosystem.to_owned()).or_default() += 1;
        }
        let unreadable = queries
            .iter()
            .find(|query| !is_readable(&query.version, ecosystem::scheme(&query.ecosystem)));
        if let Some(query) = unreadable {
            let reason = format!(
                "version `{}` is none of {}: only listed versions can hit",
                query.version, query.ecosystem
            );
            findings.skipped.push((package.purl.clone(), reason));
        }
        for hits in hits_by_group(database, &queries)?.into_values() {
            findings.matches.push(merge(database, package, hits)?);
        }
    }
    findings.coverage = coverage
        .into_iter()
        .map(|(ecosystem, packages)| Coverage {
            has_data: database.has_ecosystem(&ecosystem),
            ecosystem,
            packages,
        })
        .collect();
    apply_ownership(database, sbom, distro, &mut findings.matches)?;
    sort(&mut findings.matches);
    Ok(findings)
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
        for number in database.group(group)?.1 {
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
    matches.sort_by(|left, right| {
        let rank = |found: &Match| {
            let exploited = found.advisory.exploited.is_some();
            (
                !found.class.is_security(),
                std::cmp::Reverse(found.advisory.severity.level),
                !exploited,
            )
        };
        let epss = |found: &Match| found.advisory.epss.map_or(0.0, |(score, _)| score);
        let identity = |found: &Match| {
            let paths: Vec<String> = found
                .package
                .evidence
                .iter()
                .map(|evidence| evidence.path.clone())
                .collect();
            (found.package.purl.clone(), found.advisory.id.clone(), paths)
        };
        rank(left)
            .cmp(&rank(right))
            .then_with(|| epss(right).total_cmp(&epss(left)))
            .then_with(|| identity(left).cmp(&identity(right)))
    });
}
