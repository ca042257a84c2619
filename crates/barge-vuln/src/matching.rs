//! Matches a bill of materials against the index: candidates, version test, qualifiers, ownership, one match per flaw.

use std::collections::{BTreeMap, BTreeSet};

use barge_sbom::package::{Distro, Package, Sbom};
use serde::{Deserialize, Serialize};

use crate::ecosystem;
use crate::error::Error;
use crate::index::{self, Database, RecordFacts, RecordText};
use crate::lookup::{Query, queries};
use crate::osv::EventKind;
use crate::range::{Hit, Installed, Rule, is_readable};
use crate::severity::{Assessment, Rating, Severity};
use crate::side::Exploited;
use crate::version::{Scheme, compare};

/// One flaw of one package.
#[derive(Debug, Clone)]
pub struct Match {
    /// The package.
    pub package: Package,
    /// The flaw.
    pub advisory: Advisory,
    /// What kind of statement it is.
    pub class: Class,
    /// What would heal it.
    pub fix: Fix,
    /// Every record that hits, and how.
    pub why: Vec<Reason>,
    /// What makes the match doubtful: then it is shown and fails no gate.
    pub doubt: Option<String>,
    /// What the reader should know about it, without effect on the gate.
    pub note: Option<String>,
    /// Why it does not count: ownership, VEX or an ignore rule.
    pub suppressed: Option<Suppression>,
}

/// The flaw, merged from all records that are aliases of each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Advisory {
    /// The id to show: the CVE if there is one.
    pub id: String,
    /// All other ids that the matching records state.
    pub aliases: Vec<String>,
    /// All ids of the alias group, for rules and VEX.
    pub group: Vec<String>,
    /// Ids of the flaws that an erratum fixes.
    pub upstream: Vec<String>,
    /// One line on what is wrong.
    pub summary: String,
    /// Where to read more.
    pub url: String,
    /// How bad it is, and who says so.
    pub severity: Assessment,
    /// Its entry in CISA's catalogue of exploited flaws.
    pub exploited: Option<Exploited>,
    /// EPSS: probability and percentile, 0 to 1.
    pub epss: Option<(f64, f64)>,
    /// When it was published, in seconds since 1970; 0 if nobody says.
    pub published: i64,
}

impl Advisory {
    /// All ids of the flaw: what is stated, and the whole alias group.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.id)
            .chain(&self.aliases)
            .chain(&self.group)
            .map(String::as_str)
    }
}

/// What kind of statement a record makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A vulnerability.
    Vulnerability,
    /// A package made to do harm.
    Malware,
    /// RustSec: unsound code.
    Unsound,
    /// RustSec: nobody maintains it.
    Unmaintained,
    /// RustSec: a notice.
    Notice,
    /// A bug fix or enhancement in a security feed.
    Bugfix,
}

impl Class {
    /// Whether the severity of the match can fail a gate.
    #[must_use]
    pub fn is_security(self) -> bool {
        matches!(self, Self::Vulnerability | Self::Malware)
    }

    /// The class as a lower-case word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Vulnerability => "vulnerability",
            Self::Malware => "malware",
            Self::Unsound => "unsound",
            Self::Unmaintained => "unmaintained",
            Self::Notice => "notice",
            Self::Bugfix => "bugfix",
        }
    }
}

/// Whether and where the flaw is fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// The least version without it.
    Version(String),
    /// The least version without it, from Ubuntu's paid archive.
    Subscription(String),
    /// No record names a version without it.
    None,
}

impl Fix {
    /// The version, if there is one that anybody can install.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Version(version) => Some(version),
            Self::Subscription(_) | Self::None => None,
        }
    }
}

/// How one record hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The record.
    pub record: String,
    /// The ecosystem that was asked.
    pub ecosystem: String,
    /// The name that was asked.
    pub name: String,
    /// Whether that is the source package's.
    pub source: bool,
    /// The version that was compared.
    pub version: String,
    /// The range that holds it, or `listed` with the version of the list.
    pub range: String,
    /// The least fixed version of that record.
    pub fixed: Option<String>,
}

/// Why a match does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// What says so.
    pub by: SuppressedBy,
    /// Its reason.
    pub reason: String,
}

/// What can take a match out of the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SuppressedBy {
    /// The distribution package that owns the files.
    Ownership,
    /// A VEX statement.
    Vex,
    /// An ignore rule.
    Rule,
}

/// All that matching found.
#[derive(Debug, Default)]
pub struct Findings {
    /// The matches, worst first.
    pub matches: Vec<Match>,
    /// How many packages were asked about.
    pub packages: usize,
    /// Packages that nothing could be asked about, with the reason.
    pub skipped: Vec<(String, String)>,
    /// Ecosystems that packages belong to, with the number of packages and whether the data has the ecosystem.
    pub coverage: Vec<Coverage>,
}

/// How well the data covers one ecosystem of the bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The ecosystem.
    pub ecosystem: String,
    /// Packages of the bill that belong to it.
    pub packages: usize,
    /// Whether the data holds anything of it.
    pub has_data: bool,
}

impl Findings {
    /// Whether the data says anything about any package of the bill.
    #[must_use]
    pub fn has_data(&self) -> bool {
        self.coverage.iter().any(|coverage| coverage.has_data)
    }
}

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

/// One record that hits a package.
struct RecordHit<'a> {
    record: RecordFacts<'a>,
    query: Query,
    hit: Hit,
    ratings: Vec<Rating>,
    informational: String,
    doubt: Option<String>,
}

/// All hits of a package, by alias group. A record hits once, by its first query and entry.
fn hits_by_group<'a>(
    database: &'a Database,
    queries: &[Query],
) -> Result<BTreeMap<u32, Vec<RecordHit<'a>>>, Error> {
    let mut hits: BTreeMap<u32, Vec<RecordHit<'a>>> = BTreeMap::new();
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    for query in queries {
        let name = ecosystem::normal_name(&query.ecosystem, &query.name);
        let mut package = database.package(&query.ecosystem, &name)?;
        if package.is_none() && ecosystem::folded_name(&query.ecosystem, &name).is_some() {
            package = database.package(&query.ecosystem, &name.to_lowercase())?;
        }
        let Some(package) = package else { continue };
        let installed = Installed::new(
            &query.version,
            ecosystem::scheme(&query.ecosystem),
            query.source,
            &package.texts,
        );
        for entry in &package.entries {
            if seen.contains(&entry.record) {
                continue;
            }
            let Some(hit) = installed.test(entry) else {
                continue;
            };
            seen.insert(entry.record);
            let record = database.record(entry.record)?;
            let is_rpm = ecosystem::scheme(&query.ecosystem) == Some(Scheme::Rpm);
            let doubt = if is_rpm {
                module_doubt(&query.version, &hit, entry.record, &package)
            } else {
                None
            };
            let ratings = entry.ratings.clone();
            let informational = entry.informational.to_owned();
            hits.entry(record.group).or_default().push(RecordHit {
                record,
                query: query.clone(),
                hit,
                ratings,
                informational,
                doubt,
            });
        }
    }
    Ok(hits)
}

/// Module builds of AlmaLinux: a record lists one entry for each build and says nothing of streams. A module build and a
/// plain one are different packages, and the fix of the installed build's own stream decides.
fn module_doubt(
    version: &str,
    hit: &Hit,
    record: u32,
    package: &index::Package<'_>,
) -> Option<String> {
    let fixed = hit.fixed.as_deref()?;
    let (own, other) = (module_tag(version), module_tag(fixed));
    match (own, other) {
        (None, None) => None,
        (Some(_), None) => Some(format!(
            "a module build was compared with the plain build {fixed}"
        )),
        (None, Some(_)) => Some(format!(
            "a plain build was compared with the module build {fixed}"
        )),
        (Some(own), Some(_)) => {
            let same_record = package
                .entries
                .iter()
                .filter(|entry| entry.record == record);
            let events = same_record
                .flat_map(|entry| &entry.ranges)
                .flat_map(|range| &range.events);
            let fixes = events.filter(|(kind, _)| *kind == EventKind::Fixed);
            let texts =
                fixes.filter_map(|(_, number)| package.texts.get(*number as usize).copied());
            let met = texts
                .filter(|text| module_tag(text) == Some(own))
                .find(|text| {
                    compare(Scheme::Rpm, version, text).is_ok_and(std::cmp::Ordering::is_ge)
                });
            met.map(|text| format!("the fix {text} of the same module build is installed"))
        }
    }
}

/// The part of a release that names the build of a module: `module_el8.3.0` in `1.module_el8.3.0+2044+12421f43`.
fn module_tag(version: &str) -> Option<&str> {
    let start = version
        .find("module_el")
        .or_else(|| version.find("module+el"))?;
    let tag = &version[start..];
    let end = tag[9..].find('+').map_or(tag.len(), |end| end + 9);
    Some(&tag[..end])
}

/// Makes one match of the hits of one alias group.
fn merge(database: &Database, package: &Package, hits: Vec<RecordHit<'_>>) -> Result<Match, Error> {
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
    let severity = assess(database, class, &hits, &group_records, &cves)?;
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
        package: package.clone(),
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
fn fixed_flaws<'a>(record: &RecordFacts<'a>) -> impl Iterator<Item = &'a str> {
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
    match hit.informational.as_str() {
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
        let of_package = Assessment::of(&hit.ratings, hit.record.id);
        of_package.or_else(|| Assessment::of(&hit.record.ratings, hit.record.id))
    });
    if let Some(found) = worst(own.collect()) {
        return Ok(found);
    }
    let mut others = Vec::new();
    for number in group_records {
        let record = database.record(*number)?;
        if !record.withdrawn {
            others.extend(Assessment::of(&record.ratings, record.id));
        }
    }
    if let Some(found) = worst(others) {
        return Ok(found);
    }
    let mut of_cves = Vec::new();
    for cve in cves {
        let facts = database.cve(cve)?.unwrap_or_default();
        let vectors = facts.vectors.iter().filter_map(|(source, vector)| {
            let score = crate::severity::vector_score(vector)?;
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
        ecosystem: hit.query.ecosystem,
        name: hit.query.name,
        source: hit.query.source,
        version: hit.query.version,
        range: match hit.hit.rule {
            Rule::Range(range) => range,
            Rule::Listed(version) => format!("listed {version}"),
        },
        fixed: hit.hit.fixed,
    }
}

/// Language packages whose files a distribution package owns: the distribution backports fixes without changing the
/// version that the language sees. Where its feed lists unfixed flaws too, the distribution's word is the only one.
fn apply_ownership(
    database: &Database,
    sbom: &Sbom,
    distro: Option<&Distro>,
    matches: &mut [Match],
) -> Result<(), Error> {
    const COMPLETE_FEEDS: [&str; 6] = [
        "Debian",
        "Ubuntu",
        "Red Hat",
        "Arch Linux",
        "Azure Linux",
        "Echo",
    ];
    let by_purl: BTreeMap<&str, &Package> = sbom
        .packages
        .iter()
        .map(|package| (package.purl.as_str(), package))
        .collect();
    for found in matches.iter_mut() {
        let Some(purl) = found.package.owned_by.clone() else {
            continue;
        };
        let Some(owner) = by_purl.get(purl.as_str()) else {
            continue;
        };
        let Ok(queries) = queries(database, owner, distro) else {
            continue;
        };
        let covered: Vec<&Query> = queries
            .iter()
            .filter(|query| database.has_ecosystem(&query.ecosystem))
            .collect();
        let is_complete = covered
            .iter()
            .any(|query| COMPLETE_FEEDS.contains(&ecosystem::base(&query.ecosystem)));
        let reason = if is_complete && share_prefix(&found.package.version, &owner.version) {
            Some(format!(
                "its files belong to {} {}, whose distribution's advisories rule",
                owner.name, owner.version
            ))
        } else {
            let fixed_by = fixed_by_distribution(database, &covered, &found.advisory)?;
            fixed_by.map(|record| format!("{record} fixed it in {} {}", owner.name, owner.version))
        };
        match reason {
            Some(reason) => {
                found.suppressed = Some(Suppression {
                    by: SuppressedBy::Ownership,
                    reason,
                });
            }
            None => {
                let note = format!(
                    "its files belong to {} {}: the fix may be backported",
                    owner.name, owner.version
                );
                found.note = Some(note);
            }
        }
    }
    Ok(())
}

/// Whether the distribution packages this very version, epoch and revision aside.
fn share_prefix(language: &str, distribution: &str) -> bool {
    let upstream = distribution
        .split_once(':')
        .map_or(distribution, |(_, rest)| rest);
    let upstream = upstream
        .rsplit_once('-')
        .map_or(upstream, |(upstream, _)| upstream);
    upstream.starts_with(language) || language.starts_with(upstream)
}

/// A record of the distribution about the same flaw that does not hit the installed version any more.
fn fixed_by_distribution(
    database: &Database,
    queries: &[&Query],
    advisory: &Advisory,
) -> Result<Option<String>, Error> {
    for query in queries {
        let Some(package) = database.package(&query.ecosystem, &query.name)? else {
            continue;
        };
        let installed = Installed::new(
            &query.version,
            ecosystem::scheme(&query.ecosystem),
            query.source,
            &package.texts,
        );
        for entry in &package.entries {
            let record = database.record(entry.record)?;
            let same = std::iter::once(record.id)
                .chain(record.aliases.iter().copied())
                .chain(fixed_flaws(&record));
            let same = same
                .into_iter()
                .any(|id| advisory.group.iter().any(|own| own == id));
            if same && installed.test(entry).is_none() {
                return Ok(Some(record.id.to_owned()));
            }
        }
    }
    Ok(None)
}

impl Match {
    /// The record that hits first.
    #[must_use]
    pub fn record(&self) -> Option<&str> {
        self.why.first().map(|reason| reason.record.as_str())
    }
}

#[cfg(test)]
impl Match {
    /// A match with given ids, the first one shown.
    pub(crate) fn for_tests(
        package: Package,
        ids: &[&str],
        upstream: &[&str],
        class: Class,
    ) -> Self {
        let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let advisory = Advisory {
            id: ids.first().copied().unwrap_or_default().to_owned(),
            aliases: owned(ids.get(1..).unwrap_or_default()),
            group: owned(ids),
            upstream: owned(upstream),
            summary: "a flaw".to_owned(),
            url: "https://example.org/flaw".to_owned(),
            severity: Assessment::default(),
            exploited: None,
            epss: None,
            published: 0,
        };
        Self {
            package,
            advisory,
            class,
            fix: Fix::None,
            why: Vec::new(),
            doubt: None,
            note: None,
            suppressed: None,
        }
    }
}
