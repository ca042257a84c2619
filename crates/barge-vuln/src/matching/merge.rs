//! Merges the hits of one alias group into one match: ids, severity, fix, reasons.

use std::sync::Arc;

use barge_report::Level;
use barge_sbom::package::Package;

use super::candidates::RecordHit;
use super::finding::{Advisory, Class, Fix, Link, Match, Reason};
use crate::ecosystem;
use crate::erratum::fixed_flaws;
use crate::error::Error;
use crate::index::{Database, Group, RecordFacts};
use crate::severity::{Assessment, Rating, RatingSource, Severity};
use crate::side::{CveFacts, Epss};
use crate::version::{Scheme, compare};

/// Makes one match of the hits of one alias group, of which there is at least one.
pub(super) fn merge<'a>(
    database: &'a Database,
    package: &Arc<Package>,
    hits: &[RecordHit<'_, 'a>],
) -> Result<Match<'a>, Error> {
    let number = hits.first().map_or(0, RecordHit::group);
    let group = database.group(number)?;
    let stated = sorted(hits.iter().flat_map(|hit| ids(&hit.record)));
    let id = display_id(&stated);
    let cves = cves(database, &group, hits)?;
    let class = hits.iter().map(class).min().unwrap_or(Class::Vulnerability);
    let severity = assess(database, class, hits, &group, &cves)?;
    let summaries = hits.iter().map(|hit| hit.record.summary);
    let urls = hits.iter().map(|hit| hit.record.url);
    let published = hits.iter().map(|hit| hit.record.published);
    let is_stated = |id: &&str| stated.binary_search(id).is_ok();
    let advisory = Advisory {
        id,
        group: group.ids.into_iter().filter(|id| !is_stated(id)).collect(),
        aliases: stated
            .iter()
            .copied()
            .filter(|alias| *alias != id)
            .collect(),
        upstream: sorted(hits.iter().flat_map(|hit| flaws(&hit.record))),
        summary: first_text(summaries),
        url: Link::of(id, first_text(urls)),
        severity,
        exploited: cves.iter().find_map(|facts| facts.exploited.clone()),
        epss: epss(&cves),
        published: published.filter(|time| *time > 0).min().unwrap_or_default(),
    };
    Ok(Match {
        package: Arc::clone(package),
        advisory: Box::new(advisory),
        class,
        fix: fix(hits),
        doubt: doubt(hits),
        why: hits.iter().map(reason).collect(),
        note: None,
        suppressed: None,
        level: Level::Note,
    })
}

fn ids<'a>(record: &RecordFacts<'a>) -> impl Iterator<Item = &'a str> {
    std::iter::once(record.id).chain(record.aliases.iter().copied())
}

/// Flaws that a record is about without being an alias of them.
pub(super) fn flaws<'a>(record: &RecordFacts<'a>) -> impl Iterator<Item = &'a str> {
    fixed_flaws(record.id, &record.upstream, &record.related)
}

/// Each text once, in order.
fn sorted<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut texts: Vec<&str> = texts.collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

fn first_text<'a>(mut texts: impl Iterator<Item = &'a str>) -> &'a str {
    texts.find(|text| !text.is_empty()).unwrap_or_default()
}

/// Doubtful if every hit is.
fn doubt(hits: &[RecordHit<'_, '_>]) -> Option<String> {
    let mut doubts = hits.iter().map(|hit| hit.doubt.as_ref());
    let first = doubts.next()??;
    doubts.all(|doubt| doubt.is_some()).then(|| first.clone())
}

/// The CVE if there is one, else GitHub's id, else the first record's.
fn display_id<'a>(ids: &[&'a str]) -> &'a str {
    let first = |prefix: &str| ids.iter().find(|id| id.starts_with(prefix));
    let best = first("CVE-").or_else(|| first("GHSA-")).or(ids.first());
    best.copied().unwrap_or_default()
}

/// What side data says of the CVEs that a match is about: aliases, and what an erratum fixes.
fn cves<'a>(
    database: &'a Database,
    group: &Group<'_>,
    hits: &[RecordHit<'_, '_>],
) -> Result<Vec<CveFacts<'a>>, Error> {
    let fixed = hits.iter().flat_map(|hit| &hit.record.cves);
    let mut numbers: Vec<u32> = group.cves.iter().chain(fixed).copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
        .into_iter()
        .map(|number| database.cve(number))
        .collect()
}

/// The greatest probability of all, with its percentile.
fn epss(cves: &[CveFacts<'_>]) -> Option<Epss> {
    let known = cves.iter().filter_map(|facts| facts.epss);
    known.max_by_key(|epss| epss.score)
}

fn class(hit: &RecordHit<'_, '_>) -> Class {
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
    if is_other_erratum && flaws(&hit.record).next().is_none() {
        Class::Bugfix
    } else {
        Class::Vulnerability
    }
}

/// The severity, by the order of trust that `severity.rs` states.
fn assess<'a>(
    database: &'a Database,
    class: Class,
    hits: &[RecordHit<'_, 'a>],
    group: &Group<'_>,
    cves: &[CveFacts<'a>],
) -> Result<Assessment<'a>, Error> {
    if class == Class::Malware {
        return Ok(Assessment {
            level: Severity::Critical,
            source: RatingSource::MALWARE,
            ..Assessment::default()
        });
    }
    let own = hits.iter().filter_map(|hit| {
        let of_package = Rating::preferred(&hit.ratings);
        let rating = of_package.or_else(|| Rating::preferred(&hit.record.ratings))?;
        Some((rating, hit.record.id))
    });
    if let Some((rating, record)) = worst(own) {
        return Ok(Assessment::of(rating, record, "").unwrap_or_default());
    }
    let is_other = |number: &&u32| hits.iter().all(|hit| hit.number != **number);
    let records = group.records.iter().filter(is_other);
    let records = records.map(|number| database.record(*number));
    let records: Vec<RecordFacts<'_>> = records.collect::<Result<_, Error>>()?;
    let others = records
        .iter()
        .filter(|record| !record.withdrawn)
        .filter_map(|record| Some((Rating::preferred(&record.ratings)?, record.id)));
    if let Some((rating, record)) = worst(others) {
        return Ok(Assessment::of(rating, record, "").unwrap_or_default());
    }
    // The vectors are sorted by trust; the first that can be read speaks for its CVE.
    let of_cves = cves.iter().filter_map(|facts| {
        let mut vectors = facts.vectors.iter();
        let (source, vector) = vectors.find(|(_, vector)| vector.level().is_some())?;
        Some((vector, (facts.id, *source)))
    });
    let assessment =
        worst(of_cves).and_then(|(vector, (cve, scorer))| Assessment::of(vector, cve, scorer));
    Ok(assessment.unwrap_or_default())
}

/// The first of the ratings with the highest level, with who made it.
fn worst<'r, 'a: 'r, Author>(
    ratings: impl Iterator<Item = (&'r Rating<'a>, Author)>,
) -> Option<(&'r Rating<'a>, Author)> {
    ratings.reduce(|best, next| {
        if next.0.level() > best.0.level() {
            next
        } else {
            best
        }
    })
}

/// Of all records that name a fix, the greatest: it heals by the account of each. Fixes of Ubuntu's paid archive only
/// count if nobody else has one.
fn fix<'a>(hits: &[RecordHit<'_, 'a>]) -> Fix<'a> {
    let is_paid = |hit: &&RecordHit<'_, '_>| hit.query.ecosystem.starts_with("Ubuntu:Pro:");
    let greatest = |paid: bool| {
        let mut hits = hits.iter().filter(|hit| is_paid(hit) == paid).peekable();
        let scheme = hits
            .peek()
            .and_then(|hit| ecosystem::scheme(&hit.query.ecosystem))
            .unwrap_or(Scheme::Semver);
        let fixes = hits.filter_map(|hit| hit.hit.fixed);
        fixes.reduce(|best, next| {
            if compare(scheme, next, best).is_ok_and(std::cmp::Ordering::is_gt) {
                next
            } else {
                best
            }
        })
    };
    let (free, paid) = (greatest(false), greatest(true));
    free.map(Fix::Version)
        .or(paid.map(Fix::Subscription))
        .unwrap_or(Fix::None)
}

fn reason<'a>(hit: &RecordHit<'_, 'a>) -> Reason<'a> {
    Reason {
        record: hit.record.id,
        ecosystem: Arc::clone(&hit.query.ecosystem),
        name: Arc::clone(&hit.query.name),
        source: hit.query.source,
        version: Arc::clone(&hit.query.version),
        range: hit.hit.by,
        fixed: hit.hit.fixed,
    }
}
