//! A scan as a whole: matching, VEX, policy; nothing passes without evidence.

use barge_image::Digest;
use barge_sbom::package::{Distro, Sbom, Subject, Unknown};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::ecosystem;
use crate::error::Error;
use crate::index::{Database, Source};
use crate::lookup;
use crate::matching::{Coverage, Findings, find};
use crate::policy::{Baseline, Policy, Verdict};
use crate::vex::{self, Statement};

/// What a scan goes by, besides the bill and the data.
#[derive(Debug, Clone)]
pub struct Options {
    /// The policy.
    pub policy: Policy,
    /// VEX statements.
    pub statements: Vec<Statement>,
    /// Flaws that were there before.
    pub baseline: Option<Baseline>,
    /// The distribution to go by, instead of the bill's.
    pub distro: Option<Distro>,
    /// The time of the scan, by which ages and last days are judged.
    pub now: Timestamp,
    /// The time that reports carry: `SOURCE_DATE_EPOCH` where outputs are to be reproducible, else that of the scan.
    pub created: Timestamp,
}

impl Options {
    /// Refuses what can be refused before anything is read: rules without a reason, and data that is too old for any bill.
    ///
    /// # Errors
    /// When the policy makes no sense, or refuses the data.
    pub fn check(&self, database: &Database) -> Result<(), Error> {
        self.policy.check()?;
        let age = self
            .policy
            .check_age(database.meta(), std::iter::empty(), self.now);
        age.map(drop)
    }
}

/// A finished scan. Its texts about flaws are the index's own.
#[derive(Debug)]
pub struct Scan<'a> {
    /// What was scanned.
    pub subject: Subject,
    /// The distribution that was gone by.
    pub distro: Option<Distro>,
    /// What was found.
    pub findings: Findings<'a>,
    /// Evidence of packages that could not be read: what is in it was not scanned.
    pub unread: Vec<Unknown>,
    /// What the policy says of it.
    pub verdict: Verdict,
    /// The data it was matched against.
    pub data: Data,
    /// The time that reports carry.
    pub time: Timestamp,
}

/// The data of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// The digest that names the index.
    pub digest: Digest,
    /// When its newest record was changed, dates of the future aside.
    pub newest: String,
    /// How many days old the data is, as the policy counts.
    pub age_days: Option<i64>,
    /// How many records it holds.
    pub records: u64,
    /// Where they came from.
    pub sources: Vec<Source>,
}

/// Scans a bill of materials.
pub fn scan<'a>(database: &'a Database, sbom: &Sbom, options: &Options) -> Result<Scan<'a>, Error> {
    options.check(database)?;
    options.policy.fail_on_unread.check(&sbom.unknowns)?;
    if sbom.packages.is_empty() {
        return Err(Error::NoPackages(sbom.subject.name.clone()));
    }
    if let Some(asked) = &options.distro {
        lookup::check_release(asked, sbom)?;
    }
    let mut findings = find(database, sbom, options.distro.as_ref())?;
    check_coverage(&findings, &options.policy)?;
    let asked = findings.coverage.iter();
    let asked = asked.map(|coverage| ecosystem::base(&coverage.ecosystem));
    let age_days = options
        .policy
        .check_age(database.meta(), asked, options.now)?;
    vex::apply(&mut findings.matches, &sbom.subject, &options.statements);
    let today = options.now.to_zoned(TimeZone::UTC).date();
    let mut verdict = options
        .policy
        .judge(&mut findings, options.baseline.as_ref(), today);
    verdict.note_unread(sbom.unknowns.len());
    let meta = database.meta();
    Ok(Scan {
        subject: sbom.subject.clone(),
        distro: options.distro.clone().or_else(|| sbom.distro.clone()),
        findings,
        unread: sbom.unknowns.clone(),
        verdict,
        data: Data {
            digest: database.digest(),
            newest: meta
                .newest_before(options.now)
                .map(|newest| newest.to_string())
                .unwrap_or_default(),
            age_days,
            records: meta.records,
            sources: meta.sources.clone(),
        },
        time: options.created,
    })
}

fn check_coverage(findings: &Findings<'_>, policy: &Policy) -> Result<(), Error> {
    let missing: Vec<&Coverage> = findings
        .coverage
        .iter()
        .filter(|coverage| !coverage.has_data)
        .collect();
    if !findings.has_data() {
        let reason = findings.skipped.first().map(|(_, reason)| reason.clone());
        return Err(Error::NoCoverage {
            ecosystems: names(&missing),
            reason,
        });
    }
    if policy.fail_on_missing_data && !missing.is_empty() {
        return Err(Error::NoCoverage {
            ecosystems: names(&missing),
            reason: None,
        });
    }
    Ok(())
}

fn names(coverage: &[&Coverage]) -> Vec<String> {
    coverage
        .iter()
        .map(|coverage| coverage.ecosystem.clone())
        .collect()
}
