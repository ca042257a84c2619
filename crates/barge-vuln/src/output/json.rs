//! The JSON of a scan, `barge/scan/v1`. Fields are only ever added.

use std::collections::BTreeMap;

use barge_report::Level;
use serde::{Deserialize, Serialize};

use super::paths;
use crate::error::Error;
use crate::matching::{Class, Coverage, Fix, Match, Reason, SuppressedBy};
use crate::policy::{Baseline, Verdict};
use crate::scan::{Data, Scan};
use crate::severity::Severity;
use crate::side::Exploited;

/// The name and version of the shape.
pub const SCHEMA: &str = "barge/scan/v1";

/// A scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanJson {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// What was scanned.
    pub subject: SubjectJson,
    /// The distribution, such as `debian 12`.
    pub distro: Option<String>,
    /// When (RFC 3339).
    pub time: String,
    /// The data it was matched against.
    pub data: Data,
    /// What the policy says.
    pub verdict: Verdict,
    /// How many packages were looked at.
    pub packages: usize,
    /// The ecosystems of these packages, and whether the data has them.
    pub coverage: Vec<Coverage>,
    /// What was found and counts, worst first.
    pub matches: Vec<MatchJson>,
    /// What was found and does not count.
    pub suppressed: Vec<MatchJson>,
    /// Packages that could not be looked up fully, with the reason.
    pub skipped: Vec<SkippedJson>,
}

/// What was scanned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubjectJson {
    /// Its name.
    pub name: String,
    /// Its config digest.
    pub image: Option<String>,
    /// Its manifest digest.
    pub manifest: Option<String>,
}

/// A package that could not be looked up fully.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkippedJson {
    /// Its package URL.
    pub purl: String,
    /// Why.
    pub reason: String,
}

/// One flaw of one package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MatchJson {
    /// The package.
    pub package: PackageJson,
    /// The flaw.
    pub advisory: AdvisoryJson,
    /// What kind of statement it is.
    pub class: Class,
    /// What it does to the gate: `error` fails, `warning` warns, `note` neither.
    pub level: Level,
    /// Every record that hits, with the range and the versions that were compared.
    pub why: Vec<Reason>,
    /// What makes it doubtful, if anything does: then it fails no gate.
    pub doubt: Option<String>,
    /// What else should be known about it.
    pub note: Option<String>,
    /// Why it does not count, if it does not.
    pub suppressed: Option<SuppressionJson>,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PackageJson {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its package URL.
    pub purl: String,
    /// The type of its package URL.
    #[serde(rename = "type")]
    pub kind: String,
    /// The layer that brought it.
    pub layer: Option<String>,
    /// Where it was found.
    pub locations: Vec<String>,
}

/// A flaw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdvisoryJson {
    /// Its id: the CVE if there is one.
    pub id: String,
    /// Its other ids.
    pub aliases: Vec<String>,
    /// The flaws that an erratum fixes.
    pub upstream: Vec<String>,
    /// One line on what is wrong.
    pub summary: String,
    /// How bad it is.
    pub severity: Severity,
    /// Who says so.
    pub severity_source: String,
    /// The score and vector, if one was used.
    pub cvss: Option<CvssJson>,
    /// The least version without it.
    pub fixed_in: Option<String>,
    /// Whether that version is in Ubuntu's paid archive only.
    pub fix_needs_subscription: bool,
    /// Where to read more.
    pub url: String,
    /// Its entry in CISA's catalogue of exploited flaws.
    pub kev: Option<Exploited>,
    /// How likely it is to be exploited.
    pub epss: Option<EpssJson>,
}

/// A CVSS rating.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CvssJson {
    /// The base score.
    pub score: f64,
    /// The vector, if it is known.
    pub vector: Option<String>,
}

/// An EPSS rating, both from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpssJson {
    /// The probability of exploitation in the next 30 days.
    pub score: f64,
    /// The share of flaws with the same score or less.
    pub percentile: f64,
}

/// Why a match does not count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuppressionJson {
    /// What says so.
    pub by: SuppressedBy,
    /// Its reason.
    pub reason: String,
}

impl From<&Scan> for ScanJson {
    fn from(scan: &Scan) -> Self {
        let judged = scan.findings.matches.iter().zip(&scan.verdict.levels);
        let all: Vec<MatchJson> = judged
            .map(|(found, level)| match_json(found, *level))
            .collect();
        let (suppressed, matches) = all
            .into_iter()
            .partition(|found| found.suppressed.is_some());
        let skipped = scan.findings.skipped.iter();
        Self {
            schema: SCHEMA.to_owned(),
            subject: SubjectJson {
                name: scan.subject.name.clone(),
                image: scan.subject.image.as_ref().map(ToString::to_string),
                manifest: scan.subject.manifest.as_ref().map(ToString::to_string),
            },
            distro: scan.distro.as_ref().map(|distro| {
                [Some(distro.id.as_str()), distro.version_id.as_deref()]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" ")
            }),
            time: scan.time.to_string(),
            data: scan.data.clone(),
            verdict: scan.verdict.clone(),
            packages: scan.findings.packages,
            coverage: scan.findings.coverage.clone(),
            matches,
            suppressed,
            skipped: skipped
                .map(|(purl, reason)| SkippedJson {
                    purl: purl.clone(),
                    reason: reason.clone(),
                })
                .collect(),
        }
    }
}

fn match_json(found: &Match, level: Level) -> MatchJson {
    let (package, advisory) = (&found.package, &found.advisory);
    let kind = package
        .purl
        .strip_prefix("pkg:")
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    let severity = &advisory.severity;
    let (fixed_in, fix_needs_subscription) = match &found.fix {
        Fix::Version(version) => (Some(version.clone()), false),
        Fix::Subscription(version) => (Some(version.clone()), true),
        Fix::None => (None, false),
    };
    MatchJson {
        package: PackageJson {
            name: package.name.clone(),
            version: package.version.clone(),
            purl: package.purl.clone(),
            kind: kind.to_owned(),
            layer: package
                .evidence
                .iter()
                .find_map(|evidence| evidence.layer.as_ref())
                .map(ToString::to_string),
            locations: paths(found),
        },
        advisory: AdvisoryJson {
            id: advisory.id.clone(),
            aliases: advisory.aliases.clone(),
            upstream: advisory.upstream.clone(),
            summary: advisory.summary.clone(),
            severity: severity.level,
            severity_source: severity.source.clone(),
            cvss: severity.score.map(|score| CvssJson {
                score,
                vector: severity.vector.clone(),
            }),
            fixed_in,
            fix_needs_subscription,
            url: advisory.url.clone(),
            kev: advisory.exploited.clone(),
            epss: advisory
                .epss
                .map(|(score, percentile)| EpssJson { score, percentile }),
        },
        class: found.class,
        level,
        why: found.why.clone(),
        doubt: found.doubt.clone(),
        note: found.note.clone(),
        suppressed: found.suppressed.as_ref().map(|why| SuppressionJson {
            by: why.by,
            reason: why.reason.clone(),
        }),
    }
}

/// Reads the flaws of an earlier scan.
pub fn baseline(bytes: &[u8]) -> Result<Baseline, Error> {
    let failed =
        |reason: String| Error::Policy(format!("the baseline is no scan of barge: {reason}"));
    let scan: ScanJson =
        serde_json::from_slice(bytes).map_err(|error| failed(error.to_string()))?;
    if scan.schema != SCHEMA {
        return Err(failed(format!("its schema is `{}`", scan.schema)));
    }
    let mut baseline = Baseline::default();
    for found in scan.matches.iter().chain(&scan.suppressed) {
        let ids = std::iter::once(&found.advisory.id)
            .chain(&found.advisory.aliases)
            .cloned();
        baseline.add(&found.package.purl, ids);
    }
    Ok(baseline)
}

/// How many vulnerabilities count, worst level first, every level named.
pub(super) fn counts(verdict: &Verdict) -> BTreeMap<std::cmp::Reverse<Severity>, usize> {
    let count = |level: Severity| verdict.counts.get(&level).copied().unwrap_or_default();
    Severity::WORST_FIRST
        .into_iter()
        .map(|level| (std::cmp::Reverse(level), count(level)))
        .collect()
}
