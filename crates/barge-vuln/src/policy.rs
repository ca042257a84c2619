//! What fails a gate, what only warns, and what does not count.

mod baseline;
mod verdict;

use barge_report::Level;
use barge_sbom::PackageUrl;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::baseline::Baseline;
use self::verdict::reasons;
pub use self::verdict::{Status, Verdict};
use crate::error::Error;
use crate::glob::matches_glob;
use crate::index::Meta;
use crate::matching::{Class, Findings, Match, SuppressedBy, Suppression};
use crate::severity::Severity;
use crate::unread::UnreadLimit;

/// The section `[scan]` of the settings. The default: critical fails, high warns, what is exploited fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Policy {
    /// The least severity that fails.
    pub fail_on: Threshold,
    /// The least severity that warns.
    pub warn_on: Threshold,
    /// Whether a flaw of unknown severity fails.
    pub fail_on_unknown: bool,
    /// Whether ecosystems without any data fail the scan as incomplete.
    pub fail_on_missing_data: bool,
    /// Which evidence that could not be read fails the scan as incomplete.
    pub fail_on_unread: UnreadLimit,
    /// Whether only flaws with a fix count.
    pub only_fixed: bool,
    /// Whether only flaws count that the baseline does not have.
    pub only_new: bool,
    /// The greatest age of the data, in days; no limit unless set.
    pub max_age: Option<u32>,
    /// What does not count, each with a reason.
    pub ignore: Vec<IgnoreRule>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            fail_on: Threshold(Some(Severity::Critical)),
            warn_on: Threshold(Some(Severity::High)),
            fail_on_unknown: false,
            fail_on_missing_data: false,
            fail_on_unread: UnreadLimit::default(),
            only_fixed: false,
            only_new: false,
            max_age: None,
            ignore: Vec::new(),
        }
    }
}

/// A severity from which on something happens, or `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold(pub Option<Severity>);

impl Threshold {
    fn reached_by(self, severity: Severity) -> bool {
        severity != Severity::Unknown && self.0.is_some_and(|least| severity >= least)
    }
}

impl std::str::FromStr for Threshold {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "never" => return Ok(Self(None)),
            // As a severity it is the least, by which everything would fail.
            "none" => return Err(Error::Policy("say `never` instead of `none`".to_owned())),
            _ => {}
        }
        let severity: Severity = text
            .parse()
            .map_err(|error| Error::Policy(format!("{error}")))?;
        if severity == Severity::Unknown {
            return Err(Error::Policy(
                "unknown severities have a switch of their own: `fail-on-unknown`".to_owned(),
            ));
        }
        Ok(Self(Some(severity)))
    }
}

impl std::fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.map_or("never", Severity::word))
    }
}

impl Serialize for Threshold {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// One decision to live with a flaw. All selectors that are given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct IgnoreRule {
    /// Any id of the flaw.
    pub id: Option<String>,
    /// The package's name or its package URL; `*` stands for any text.
    pub package: Option<String>,
    /// A path in the image; `*` stands for any text.
    pub path: Option<String>,
    /// Why: must not be empty.
    pub reason: String,
    /// The last day on which the rule holds, `YYYY-MM-DD`.
    pub expires: Option<Date>,
}

impl IgnoreRule {
    fn fits(&self, found: &Match<'_>) -> bool {
        let package = &found.package;
        let id_fits = |id: &String| found.advisory.ids().any(|own| own.eq_ignore_ascii_case(id));
        let package_fits = |pattern: &String| {
            let bare = PackageUrl::parse(&package.purl)
                .map(|purl| purl.without_version())
                .unwrap_or_default();
            [&package.name, &package.purl, &bare]
                .iter()
                .any(|text| matches_glob(pattern, text))
        };
        let path_fits = |pattern: &String| {
            let pattern = pattern.trim_start_matches('/');
            package
                .evidence
                .iter()
                .any(|evidence| matches_glob(pattern, &evidence.path))
        };
        self.id.as_ref().is_none_or(id_fits)
            && self.package.as_ref().is_none_or(package_fits)
            && self.path.as_ref().is_none_or(path_fits)
    }

    /// The rule as one line, for reports about the rule.
    #[must_use]
    pub fn describe(&self) -> String {
        let parts = [
            ("id", &self.id),
            ("package", &self.package),
            ("path", &self.path),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key} {}", value.as_ref()?)))
            .collect();
        parts.join(", ")
    }
}

impl Policy {
    /// Checks what the format cannot: every ignore rule selects something and says why.
    pub fn check(&self) -> Result<(), Error> {
        for rule in &self.ignore {
            if rule.id.is_none() && rule.package.is_none() && rule.path.is_none() {
                return Err(Error::Policy(
                    "an ignore rule selects nothing: give `id`, `package` or `path`".to_owned(),
                ));
            }
            if rule.reason.trim().is_empty() {
                return Err(Error::Policy(format!(
                    "the ignore rule for {} has no reason",
                    rule.describe()
                )));
            }
        }
        Ok(())
    }

    /// Refuses data that is older than the policy lets it be, or whose age nobody can tell. Returns the age in days: that of
    /// the newest record, or, where that is more, of the day on which the archive of one of these ecosystems was last found
    /// to be the newest that there is. The newest record of an ecosystem alone says little: quiet ones have none for months.
    pub fn check_age<'e>(
        &self,
        meta: &Meta,
        ecosystems: impl Iterator<Item = &'e str>,
        now: Timestamp,
    ) -> Result<Option<i64>, Error> {
        let of_one = |name: &'e str| Some((meta.checked_days(name, now)?, Some(name)));
        let all = meta.age_days(now).map(|days| (days, None));
        let oldest = all.map(|all| ecosystems.filter_map(of_one).chain([all]).max());
        let (days, ecosystem) = oldest.flatten().unzip();
        match self.max_age {
            Some(limit) if days.is_none_or(|days| days > i64::from(limit)) => Err(Error::TooOld {
                ecosystem: ecosystem.flatten().map(str::to_owned),
                days,
                limit,
            }),
            _ => Ok(days),
        }
    }

    /// Applies ignore rules, then judges every match that still counts.
    #[must_use]
    pub fn judge(
        &self,
        findings: &mut Findings<'_>,
        baseline: Option<&Baseline>,
        today: Date,
    ) -> Verdict {
        let mut verdict = Verdict::default();
        self.apply_rules(&mut findings.matches, today, &mut verdict);
        let mut known = 0;
        for found in &mut findings.matches {
            let is_known = baseline.is_some_and(|baseline| baseline.has(found));
            known += usize::from(is_known);
            found.level = if found.suppressed.is_some() {
                verdict.suppressed += 1;
                Level::Note
            } else {
                if found.class.is_security() {
                    *verdict
                        .counts
                        .entry(found.advisory.severity.level)
                        .or_default() += 1;
                } else {
                    verdict.informational += 1;
                }
                self.level(found, is_known && self.only_new)
            };
            match found.level {
                Level::Error => verdict.failing += 1,
                Level::Warning => verdict.warning += 1,
                Level::Note => {}
            }
        }
        verdict.known = baseline.map(|_| known);
        verdict.status = match (verdict.failing, verdict.warning) {
            (0, 0) => Status::Passed,
            (0, _) => Status::Warned,
            _ => Status::Failed,
        };
        verdict.reasons = reasons(&findings.matches);
        verdict
    }

    fn apply_rules(&self, matches: &mut [Match<'_>], today: Date, verdict: &mut Verdict) {
        for rule in &self.ignore {
            if rule.expires.is_some_and(|expires| expires < today) {
                verdict.expired_rules.push(rule.describe());
                continue;
            }
            let mut used = false;
            for found in matches.iter_mut().filter(|found| rule.fits(found)) {
                used = true;
                found.suppressed.get_or_insert_with(|| Suppression {
                    by: SuppressedBy::Rule,
                    reason: rule.reason.clone(),
                    is_fixed: false,
                });
            }
            if !used {
                verdict.unused_rules.push(rule.describe());
            }
        }
    }

    /// The level of a match that counts. What is exploited fails whatever its severity, its fix or its age.
    fn level(&self, found: &Match<'_>, is_old: bool) -> Level {
        if !found.class.is_security() || found.doubt.is_some() {
            return Level::Note;
        }
        if found.advisory.exploited.is_some() || found.class == Class::Malware {
            return Level::Error;
        }
        let severity = found.advisory.severity.level;
        if is_old || (self.only_fixed && found.fix.version().is_none()) {
            Level::Note
        } else if self.fail_on.reached_by(severity)
            || (self.fail_on_unknown && severity == Severity::Unknown)
        {
            Level::Error
        } else if self.warn_on.reached_by(severity) {
            Level::Warning
        } else {
            Level::Note
        }
    }
}

#[cfg(test)]
mod tests;
