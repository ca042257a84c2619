//! The JSON of a scan, `barge/scan/v1`. Fields are only ever added.

use std::collections::BTreeMap;

use barge_report::Level;
use barge_sbom::package::{Package, Unknown};
use serde::{Deserialize, Serialize, Serializer};

use super::report::paths;
use crate::error::Error;
use crate::matching::{Class, Coverage, Fix, Link, Match, Reason, SuppressedBy};
use crate::policy::{Baseline, Verdict};
use crate::scan::{Data, Scan};
use crate::severity::{RatingSource, Severity};
use crate::side::{Epss, Exploited};
use crate::unread::lists_packages;

/// The name and version of the shape.
pub const SCHEMA: &str = "barge/scan/v1";

/// A scan.
#[derive(Debug, Clone, Serialize)]
pub struct ScanJson<'a> {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// What was scanned.
    pub subject: SubjectJson<'a>,
    /// The distribution, such as `debian 12`.
    pub distro: Option<String>,
    /// When (RFC 3339).
    pub time: String,
    /// The data it was matched against.
    pub data: &'a Data,
    /// What the policy says.
    pub verdict: &'a Verdict,
    /// How many packages were looked at.
    pub packages: usize,
    /// The ecosystems of these packages, and whether the data has them.
    pub coverage: &'a [Coverage],
    /// What was found and counts, worst first.
    pub matches: MatchesJson<'a>,
    /// What was found and does not count.
    pub suppressed: MatchesJson<'a>,
    /// Packages that could not be looked up fully, with the reason.
    pub skipped: Vec<SkippedJson<'a>>,
    /// Evidence of packages that could not be read: what is in it was not looked at.
    pub unread: Vec<UnreadJson<'a>>,
}

/// What was scanned.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubjectJson<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its config digest.
    pub image: Option<String>,
    /// Its manifest digest.
    pub manifest: Option<String>,
}

/// A package that could not be looked up fully.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SkippedJson<'a> {
    /// Its package URL.
    pub purl: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// Evidence that could not be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnreadJson<'a> {
    /// Its path in the image, or `layer` with the digest.
    pub path: &'a str,
    /// Why.
    pub reason: &'a str,
    /// Whether it lists packages of its own: the database of a package manager, or a layer.
    pub database: bool,
}

/// A list of [`MatchJson`]: those that count, or those that do not. Made one by one as they are written.
#[derive(Debug, Clone, Copy)]
pub struct MatchesJson<'a> {
    matches: &'a [Match<'a>],
    suppressed: bool,
}

impl Serialize for MatchesJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wanted = self.matches.iter();
        let wanted = wanted.filter(|found| found.suppressed.is_some() == self.suppressed);
        serializer.collect_seq(wanted.map(MatchJson::from))
    }
}

/// One flaw of one package.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatchJson<'a> {
    /// The package.
    pub package: PackageJson<'a>,
    /// The flaw.
    pub advisory: AdvisoryJson<'a>,
    /// What kind of statement it is.
    pub class: Class,
    /// What it does to the gate: `error` fails, `warning` warns, `note` neither.
    pub level: Level,
    /// Every record that hits, with the range and the versions that were compared.
    pub why: &'a [Reason<'a>],
    /// What makes it doubtful, if anything does: then it fails no gate.
    pub doubt: Option<&'a str>,
    /// What else should be known about it.
    pub note: Option<&'a str>,
    /// Why it does not count, if it does not.
    pub suppressed: Option<SuppressionJson<'a>>,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PackageJson<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Its package URL.
    pub purl: &'a str,
    /// The type of its package URL.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// The layer that brought it.
    pub layer: Option<String>,
    /// Where it was found.
    pub locations: Vec<&'a str>,
}

/// A flaw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdvisoryJson<'a> {
    /// Its id: the CVE if there is one.
    pub id: &'a str,
    /// Its other ids.
    pub aliases: &'a [&'a str],
    /// The flaws that an erratum fixes.
    pub upstream: &'a [&'a str],
    /// One line on what is wrong.
    pub summary: &'a str,
    /// How bad it is.
    pub severity: Severity,
    /// Who says so.
    pub severity_source: RatingSource<'a>,
    /// The score and vector, if one was used.
    pub cvss: Option<CvssJson<'a>>,
    /// The least version without it.
    pub fixed_in: Option<&'a str>,
    /// Whether that version is in Ubuntu's paid archive only.
    pub fix_needs_subscription: bool,
    /// Where to read more.
    pub url: Link<'a>,
    /// Its entry in CISA's catalogue of exploited flaws.
    pub kev: Option<&'a Exploited>,
    /// How likely it is to be exploited.
    pub epss: Option<EpssJson>,
}

/// A CVSS rating.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CvssJson<'a> {
    /// The base score.
    pub score: f64,
    /// The vector, if it is known.
    pub vector: Option<&'a str>,
}

/// An EPSS rating, both from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpssJson {
    /// The probability of exploitation in the next 30 days.
    pub score: f64,
    /// The share of flaws with the same score or less.
    pub percentile: f64,
}

/// Why a match does not count.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuppressionJson<'a> {
    /// What says so.
    pub by: SuppressedBy,
    /// Its reason.
    pub reason: &'a str,
}

impl<'a> From<&'a Scan<'_>> for ScanJson<'a> {
    fn from(scan: &'a Scan<'_>) -> Self {
        let matches = |suppressed| MatchesJson {
            matches: &scan.findings.matches,
            suppressed,
        };
        let skipped = scan.findings.skipped.iter();
        Self {
            schema: SCHEMA,
            subject: SubjectJson {
                name: &scan.subject.name,
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
            data: &scan.data,
            verdict: &scan.verdict,
            packages: scan.findings.packages,
            coverage: &scan.findings.coverage,
            matches: matches(false),
            suppressed: matches(true),
            skipped: skipped
                .map(|(purl, reason)| SkippedJson { purl, reason })
                .collect(),
            unread: scan.unread.iter().map(UnreadJson::from).collect(),
        }
    }
}

impl<'a> From<&'a Unknown> for UnreadJson<'a> {
    fn from(unknown: &'a Unknown) -> Self {
        Self {
            path: &unknown.path,
            reason: &unknown.reason,
            database: lists_packages(unknown),
        }
    }
}

impl<'a> From<&'a Match<'_>> for MatchJson<'a> {
    fn from(found: &'a Match<'_>) -> Self {
        Self {
            package: PackageJson::new(&found.package),
            advisory: AdvisoryJson::new(found),
            class: found.class,
            level: found.level,
            why: &found.why,
            doubt: found.doubt.as_deref(),
            note: found.note.as_deref(),
            suppressed: found.suppressed.as_ref().map(|why| SuppressionJson {
                by: why.by,
                reason: &why.reason,
            }),
        }
    }
}

impl<'a> PackageJson<'a> {
    fn new(package: &'a Package) -> Self {
        let kind = package
            .purl
            .strip_prefix("pkg:")
            .and_then(|rest| rest.split('/').next())
            .unwrap_or_default();
        let mut layers = package
            .evidence
            .iter()
            .filter_map(|evidence| evidence.layer.as_ref());
        Self {
            name: &package.name,
            version: &package.version,
            purl: &package.purl,
            kind,
            layer: layers.next().map(ToString::to_string),
            locations: paths(package).collect(),
        }
    }
}

impl<'a> AdvisoryJson<'a> {
    fn new(found: &'a Match<'_>) -> Self {
        let advisory = &found.advisory;
        let severity = &advisory.severity;
        let (fixed_in, fix_needs_subscription) = match found.fix {
            Fix::Version(version) => (Some(version), false),
            Fix::Subscription(version) => (Some(version), true),
            Fix::None => (None, false),
        };
        Self {
            id: advisory.id,
            aliases: &advisory.aliases,
            upstream: &advisory.upstream,
            summary: advisory.summary,
            severity: severity.level,
            severity_source: severity.source,
            cvss: severity.score.map(|score| CvssJson {
                score,
                vector: severity.vector.as_deref(),
            }),
            fixed_in,
            fix_needs_subscription,
            url: advisory.url,
            kev: advisory.exploited.as_ref(),
            epss: advisory
                .epss
                .map(Epss::fractions)
                .map(|(score, percentile)| EpssJson { score, percentile }),
        }
    }
}

/// What a baseline needs of a scan.
#[derive(Deserialize)]
struct Earlier {
    schema: String,
    #[serde(default)]
    matches: Vec<EarlierMatch>,
    #[serde(default)]
    suppressed: Vec<EarlierMatch>,
}

#[derive(Deserialize)]
struct EarlierMatch {
    package: EarlierPackage,
    advisory: EarlierAdvisory,
}

#[derive(Deserialize)]
struct EarlierPackage {
    purl: String,
}

#[derive(Deserialize)]
struct EarlierAdvisory {
    id: String,
    #[serde(default)]
    aliases: Vec<String>,
}

/// Reads the flaws of an earlier scan.
pub fn baseline(bytes: &[u8]) -> Result<Baseline, Error> {
    let failed =
        |reason: String| Error::Policy(format!("the baseline is no scan of barge: {reason}"));
    let scan: Earlier = serde_json::from_slice(bytes).map_err(|error| failed(error.to_string()))?;
    if scan.schema != SCHEMA {
        return Err(failed(format!("its schema is `{}`", scan.schema)));
    }
    let mut baseline = Baseline::default();
    for found in scan.matches.into_iter().chain(scan.suppressed) {
        let EarlierAdvisory { id, aliases } = found.advisory;
        baseline.add(&found.package.purl, std::iter::once(id).chain(aliases));
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
