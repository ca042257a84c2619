//! What matching finds: matches, the flaws they are about, and how each was found.

use std::sync::Arc;

use barge_sbom::package::Package;
use serde::{Deserialize, Serialize, Serializer};

use crate::severity::Assessment;
use crate::side::Exploited;

/// One flaw of one package.
#[derive(Debug, Clone)]
pub struct Match {
    /// The package, shared by all its matches.
    pub package: Arc<Package>,
    /// The flaw, apart: matches are sorted and passed on, and this is most of their size.
    pub advisory: Box<Advisory>,
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
    /// The ids of the alias group that the matching records do not state, for rules and VEX.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The record.
    pub record: String,
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
    pub range: String,
    /// The least fixed version of that record.
    pub fixed: Option<String>,
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
            group: Vec::new(),
            upstream: owned(upstream),
            summary: "a flaw".to_owned(),
            url: "https://example.org/flaw".to_owned(),
            severity: Assessment::default(),
            exploited: None,
            epss: None,
            published: 0,
        };
        Self {
            package: Arc::new(package),
            advisory: Box::new(advisory),
            class,
            fix: Fix::None,
            why: Vec::new(),
            doubt: None,
            note: None,
            suppressed: None,
        }
    }
}
