//! Merges the hits of one alias group into one match: ids, severity, fix, reasons.

use std::collections::BTreeSet;
use std::sync::Arc;

use barge_sbom::package::Package;

use super::candidates::RecordHit;
use super::finding::{Advisory, Class, Fix, Match, Reason};
use crate::ecosystem;
use crate::error::Error;
use crate::index::{Database, RecordFacts};
use crate::range::Rule;
use crate::severity::{Assessment, Scores, Severity};
use crate::version::{Scheme, compare};

/// Makes one match of the hits of one alias group.
pub(super) fn merge(
    database: &Database,
    package: &Arc<Package>,
    hits: Vec<RecordHit<'_>>,
    scores: &mut Scores,
) -> Result<Match, Error> {
    let group = hits.first().map(|hit| hit.record.group).unwrap_or_default();
    let (group_ids, group_records) = database.group(group)?;
    let mut stated: BTreeSet<&str> = BTreeSet::new();
    for hit in &hits {
        stated.insert(hit.record.id);
        stated.extend(&hit.record.aliases);
    }
    let id = display_id(&stated);
    let cves = named_cves(&hits, &group_ids);
    let mut exploited = None;
    let mut epss: Option<(f64, f64)> = None;
    for cve in &cves {
        let Some(facts) = database.cve(cve)? else {
            continue;
        };
        exploited = exploited.or(facts.exploited);
        let scaled = |parts: u32| f64::from(parts) / crate::side::EPSS_UNIT;
        let own = facts
            .epss
            .map(|epss| (scaled(epss.score), scaled(epss.percentile)));
        epss = match (epss, own) {
            (Some(best), Some(own)) if own.0 <= best.0 => Some(best),
            (best, own) => own.or(best),
        };
    }
    let class = hits.iter().map(class).min().unwrap_or(Class::Vulnerability);
    let severity = assess(database, class, &hits, &group_records, &cves, scores)?;
    let upstream: BTreeSet<&str> = hits
        .iter()
        .flat_map(|hit| fixed_flaws(&hit.record))
        .collect();
    let owned = |ids: BTreeSet<&str>| ids.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let advisory = Advisory {
        aliases: stated
            .iter()
            .filter(|alias| **alias != id)
            .map(|alias| (*alias).to_owned())
            .collect(),
        group: group_ids.iter().map(|id| (*id).to_owned()).collect(),
        upstream: owned(upstream),
        summary: hits
            .iter()
            .map(|hit| hit.record.summary)
            .find(|line| !line.is_empty())
            .unwrap_or_default()
            .to_owned(),
        url: url(
            &id,
            hits.iter()
                .map(|hit| hit.record.url)
                .find(|url| !url.is_empty())
                .unwrap_or_default(),
        ),
        severity,
        exploited,
        epss,
        published: hits
            .iter()
            .map(|hit| hit.record.published)
            .filter(|time| *time > 0)
            .min()
            .unwrap_or_default(),
        id,
    };
    let doubts: Vec<&String> = hits.iter().filter_map(|hit| hit.doubt.as_ref()).collect();
    let doubt = (doubts.len() == hits.len())
        .then(|| doubts.first().map(|doubt| (*doubt).clone()))
        .flatten();
    let fix = fix(&hits);
    let why = hits.into_iter().map(reason).collect();
    Ok(Match {
        package: Arc::clone(package),
        advisory,
        class,
        fix,
        why,
        doubt,
        note: None,
        suppressed: None,
    })
}

/// The CVE if there is one, else GitHub's id, else the first record's.
fn display_id(ids: &BTreeSet<&str>) -> String {
    let first = |prefix: &str| ids.iter().find(|id| id.starts_with(prefix));
    first("CVE-")
        .or_else(|| first("GHSA-"))
        .or_else(|| ids.first())
        .map(|id| (*id).to_owned())
        .unwrap_or_default()
}

/// The CVEs that a match is about: aliases, and what an erratum fixes.
fn named_cves<'a>(hits: &[RecordHit<'a>], group: &[&'a str]) -> BTreeSet<&'a str> {
    let fixed = hits.iter().flat_map(|hit| fixed_flaws(&hit.record));
    group
        .iter()
        .copied()
        .chain(fixed)
        .filter(|id| id.starts_with("CVE-"))
        .collect()
}

/// Flaws that a record is about without being an alias of them. Errata of some feeds put them under `related`.
pub(super) fn fixed_flaws<'a>(record: &RecordFacts<'a>) -> impl Iterator<Item = &'a str> {
    const ERRATA: [&str; 8] = [
        "AL",
        "PHSA-",
        "RL",
        "RXSA-",
        "RHSA-",
        "RHBA-",
        "SUSE-",
        "openSUSE-",
    ];
    let is_erratum = ERRATA.iter().any(|prefix| record.id.starts_with(prefix));
    let related = record
        .related
        .iter()
        .copied()
        .filter(move |id| is_erratum && id.starts_with("CVE-"));
    record
        .upstream
        .iter()
        .copied()
        .chain(related)
        .collect::<Vec<_>>()
        .into_iter()
}

fn class(hit: &RecordHit<'_>) -> Class {
    let id = hit.record.id;
    match hit.informational {
        "unmaintained" => return Class::Unmaintained,
        "unsound" => return Class::Unsound,
        "" => {}
        _ => return Class::Notice,
    }
    if id.starts_with("MAL-") {
        return Class::Malware;
    }
    let is_other_erratum = ["ALBA-", "ALEA-", "RHBA-", "RHEA-", "RLBA-", "RLEA-"]
        .iter()
        .any(|prefix| id.starts_with(prefix));
    if is_other_erratum && fixed_flaws(&hit.record).next().is_none() {
        Class::Bugfix
    } else {
        Class::Vulnerability
    }
}

/// The severity, by the order of trust that `severity.rs` states.
fn assess(
    database: &Database,
    class: Class,
    hits: &[RecordHit<'_>],
    group_records: &[u32],
    cves: &BTreeSet<&str>,
    scores: &mut Scores,
) -> Result<Assessment, Error> {
    if class == Class::Malware {
        return Ok(Assessment {
            level: Severity::Critical,
            source: "malware".to_owned(),
            ..Assessment::default()
        });
    }
    let worst = |found: Vec<Assessment>| {
        found
            .into_iter()
            .reduce(|best, next| if next.level > best.level { next } else { best })
    };
    let own = hits.iter().filter_map(|hit| {
        let of_package = Assessment::of(&hit.ratings, hit.record.id, scores);
        of_package.or_else(|| Assessment::of(&hit.record.ratings, hit.record.id, scores))
    });
    if let Some(found) = worst(own.collect()) {
        return Ok(found);
    }
    let mut others = Vec::new();
    for number in group_records {
        let record = database.record(*number)?;
        if !record.withdrawn {
            others.extend(Assessment::of(&record.ratings, record.id, scores));
        }
    }
    if let Some(found) = worst(others) {
        return Ok(found);
    }
    let mut of_cves = Vec::new();
    for cve in cves {
        let facts = database.cve(cve)?.unwrap_or_default();
        let vectors = facts.vectors.iter().filter_map(|(source, vector)| {
            let score = scores.of(vector)?;
            let level = Severity::from_score(score);
            Some(Assessment {
                level,
                score: Some(score),
                vector: Some(vector.clone()),
                source: format!("{cve} {source}"),
            })
        });
        // The vectors are sorted by trust; the first that can be read speaks for its CVE.
        of_cves.extend(vectors.take(1));
    }
    Ok(worst(of_cves).unwrap_or_default())
}

/// Where to read about an id; records that have no link are at OSV.
fn url(id: &str, stated: &str) -> String {
    if id.starts_with("CVE-") {
        return format!("https://nvd.nist.gov/vuln/detail/{id}");
    }
    if id.starts_with("GHSA-") {
        return format!("https://github.com/advisories/{id}");
    }
    if stated.is_empty() {
        format!("https://osv.dev/vulnerability/{id}")
    } else {
        stated.to_owned()
    }
}

/// Of all records that name a fix, the greatest: it heals by the account of each. Fixes of Ubuntu's paid archive only
/// count if nobody else has one.
fn fix(hits: &[RecordHit<'_>]) -> Fix {
    let is_paid = |hit: &&RecordHit<'_>| hit.query.ecosystem.starts_with("Ubuntu:Pro:");
    let greatest = |hits: Vec<&RecordHit<'_>>| {
        let scheme = hits
            .first()
            .and_then(|hit| ecosystem::scheme(&hit.query.ecosystem))
            .unwrap_or(Scheme::Semver);
        let fixes = hits.into_iter().filter_map(|hit| hit.hit.fixed.clone());
        fixes.reduce(|best, next| {
            if compare(scheme, &next, &best).is_ok_and(std::cmp::Ordering::is_gt) {
                next
            } else {
                best
            }
        })
    };
    let free = greatest(hits.iter().filter(|hit| !is_paid(hit)).collect());
    let paid = greatest(hits.iter().filter(is_paid).collect());
    free.map(Fix::Version)
        .or(paid.map(Fix::Subscription))
        .unwrap_or(Fix::None)
}

fn reason(hit: RecordHit<'_>) -> Reason {
    Reason {
        record: hit.record.id.to_owned(),
        ecosystem: hit.query.ecosystem.clone(),
        name: hit.query.name.clone(),
        source: hit.query.source,
        version: hit.query.version.clone(),
        range: match hit.hit.rule {
            Rule::Range(range) => range,
            Rule::Listed(version) => format!("listed {version}"),
        },
        fixed: hit.hit.fixed,
    }
}
