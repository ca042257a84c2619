//! Judges what was found, and the data by which it was.

use barge_report::Level;
use jiff::Timestamp;
use jiff::civil::Date;

use super::baseline::Baseline;
use super::settings::Policy;
use super::verdict::{Status, Verdict, reasons};
use crate::error::Error;
use crate::index::Meta;
use crate::matching::{Class, Findings, Match, SuppressedBy, Suppression};
use crate::severity::Severity;

impl Policy {
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
