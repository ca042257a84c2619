//! What matching finds: matches, the flaws they are about, and how each was found.

use std::fmt;
use std::sync::Arc;

use barge_report::Level;
use barge_sbom::package::Package;
use serde::{Deserialize, Serialize, Serializer};

use crate::range::HitBy;
use crate::severity::Assessment;
use crate::side::{Epss, Exploited};

/// One flaw of one package. Its texts are the index's own.
#[derive(Debug, Clone)]
pub struct Match<'a> {
    /// The package, shared by all its matches.
    pub package: Arc<Package>,
    /// The flaw, apart: matches are sorted and passed on, and this is most of their size.
    pub advisory: Box<Advisory<'a>>,
    /// What kind of statement it is.
    pub class: Class,
    /// What would heal it.
    pub fix: Fix<'a>,
    /// Every record that hits, and how.
    pub why: Vec<Reason<'a>>,
    /// What makes the match doubtful: then it is shown and fails no gate.
    pub doubt: Option<String>,
    /// What the reader should know about it, without effect on the gate.
    pub note: Option<String>,
    /// Why it does not count: ownership, VEX or an ignore rule.
    pub suppressed: Option<Suppression>,
    /// What it does to the gate: nothing until the policy has judged.
    pub level: Level,
}

/// The flaw, merged from all records that are aliases of each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Advisory<'a> {
    /// The id to show: the CVE if there is one.
    pub id: &'a str,
    /// All other ids that the matching records state.
    pub aliases: Vec<&'a str>,
    /// The ids of the alias group that the matching records do not state, for rules and VEX.
    pub group: Vec<&'a str>,
    /// Ids of the flaws that an erratum fixes.
    pub upstream: Vec<&'a str>,
    /// One line on what is wrong.
    pub summary: &'a str,
    /// Where to read more.
    pub url: Link<'a>,
    /// How bad it is, and who says so.
    pub severity: Assessment<'a>,
    /// Its entry in CISA's catalogue of exploited flaws.
    pub exploited: Option<Exploited>,
    /// How likely it is to be exploited.
    pub epss: Option<Epss>,
    /// When it was published, in seconds since 1970; 0 if nobody says.
    pub published: i64,
}

impl<'a> Advisory<'a> {
    /// All ids of the flaw: what is stated, and the whole alias group.
    pub fn ids(&self) -> impl Iterator<Item = &'a str> {
        let others = self.aliases.iter().chain(&self.group);
        std::iter::once(self.id).chain(others.copied())
    }
}

/// Where to read about a flaw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link<'a> {
    /// What stands before the id; empty before a link as a record states it.
    site: &'static str,
    rest: &'a str,
}

impl<'a> Link<'a> {
    /// The page about an id; records that state no link are at OSV.
    pub(super) fn of(id: &'a str, stated: &'a str) -> Self {
        let site = match id.split('-').next() {
            Some("CVE") => "https://nvd.nist.gov/vuln/detail/",
            Some("GHSA") => "https://github.com/advisories/",
            _ if stated.is_empty() => "https://osv.dev/vulnerability/",
            _ => "",
        };
        let rest = if site.is_empty() { stated } else { id };
        Self { site, rest }
    }
}

impl fmt::Display for Link<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.site)?;
        formatter.write_str(self.rest)
    }
}

impl Serialize for Link<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fix<'a> {
    /// The least version without it.
    Version(&'a str),
    /// The least version without it, from Ubuntu's paid archive.
    Subscription(&'a str),
    /// No record names a version without it.
    None,
}

impl<'a> Fix<'a> {
    /// The version, if there is one that anybody can install.
    #[must_use]
    pub fn version(self) -> Option<&'a str> {
        match self {
            Self::Version(version) => Some(version),
            Self::Subscription(_) | Self::None => None,
        }
    }
}

/// How one record hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason<'a> {
    /// The record.
    pub record: &'a str,
    /// The ecosystem that was asked.
    #[serde(serialize_with = "shared")]
    pub ecosystem: Arc<str>,
    /// The name that was asked.
    #[serde(serialize_with = "shared")]
    pub name: Arc<str>,
    /// Whether that is the source package's.
    pub source: bool,
    /// The version that was compared.
    #[serde(serialize_with = "shared")]
    pub version: Arc<str>,
    /// The range that holds it, or `listed` with the version of the list.
    pub range: HitBy<'a>,
    /// The least fixed version of that record.
    pub fixed: Option<&'a str>,
}

/// Writes a text that many reasons share.
fn shared<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

/// Why a match does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// What says so.
    pub by: SuppressedBy,
    /// Its reason.
    pub reason: String,
    /// Whether that is a fix, and not that the flaw does not touch it.
    #[serde(skip)]
    pub is_fixed: bool,
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
pub struct Findings<'a> {
    /// The matches, worst first.
    pub matches: Vec<Match<'a>>,
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

impl Findings<'_> {
    /// Whether the data says anything about any package of the bill.
    #[must_use]
    pub fn has_data(&self) -> bool {
        self.coverage.iter().any(|coverage| coverage.has_data)
    }
}

impl<'a> Match<'a> {
    /// The record that hits first.
    #[must_use]
    pub fn record(&self) -> Option<&'a str> {
        self.why.first().map(|reason| reason.record)
    }
}

#[cfg(test)]
impl Match<'static> {
    /// A match with given ids, the first one shown.
    pub(crate) fn for_tests(
        purl: &str,
        ids: &[&'static str],
        upstream: &[&'static str],
        class: Class,
    ) -> Self {
        let advisory = Advisory {
            id: ids.first().copied().unwrap_or_default(),
            aliases: ids.iter().skip(1).copied().collect(),
            group: Vec::new(),
            upstream: upstream.to_vec(),
            summary: "a flaw",
            url: Link::of("", "https://example.org/flaw"),
            severity: Assessment::default(),
            exploited: None,
            epss: None,
            published: 0,
        };
        let purls = [purl.to_owned()];
        let package = barge_sbom::bom::of_package_urls(&purls)
            .unwrap()
            .packages
            .pop();
        Self {
            package: Arc::new(package.unwrap()),
            advisory: Box::new(advisory),
            class,
            fix: Fix::None,
            why: Vec::new(),
            doubt: None,
            note: None,
            suppressed: None,
            level: Level::Note,
        }
    }
}
