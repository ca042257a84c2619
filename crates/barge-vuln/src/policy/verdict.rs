//! What the policy says of a scan, and why.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use barge_report::Level;
use serde::{Deserialize, Serialize};

use crate::matching::Match;
use crate::severity::Severity;

/// What the policy says of all matches together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The verdict.
    pub status: Status,
    /// Matches that fail, one by one in the order of the matches.
    pub failing: usize,
    /// Matches that warn.
    pub warning: usize,
    /// Why it failed or warns, one line each.
    pub reasons: Vec<String>,
    /// Vulnerabilities that count, by severity.
    pub counts: BTreeMap<Severity, usize>,
    /// Records that are no vulnerabilities: unmaintained, notices, bug fixes.
    pub informational: usize,
    /// Matches that do not count.
    pub suppressed: usize,
    /// Matches that the baseline has too; only known with a baseline.
    pub known: Option<usize>,
    /// Ignore rules that are past their last day, and so do not hold.
    pub expired_rules: Vec<String>,
    /// Ignore rules that fit nothing.
    pub unused_rules: Vec<String>,
}

impl Verdict {
    /// What could not be read was not judged: then nothing passes without a word.
    pub(crate) fn note_unread(&mut self, unread: usize) {
        let what = match unread {
            0 => return,
            1 => "1 piece of evidence".to_owned(),
            count => format!("{count} pieces of evidence"),
        };
        self.reasons
            .push(format!("{what} could not be read, and was not judged"));
        if self.status == Status::Passed {
            self.status = Status::Warned;
        }
    }
}

/// Whether the gate opens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing fails or warns.
    #[default]
    Passed,
    /// Something warns.
    Warned,
    /// Something fails.
    Failed,
}

impl Status {
    /// The status as a lower-case word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
        }
    }
}

/// One line for each level, severity and whether it is exploited: how many, and what that does.
pub(super) fn reasons(matches: &[Match<'_>]) -> Vec<String> {
    let mut groups: BTreeMap<(Reverse<Level>, Reverse<Severity>, bool), usize> = BTreeMap::new();
    for found in matches.iter().filter(|found| found.level != Level::Note) {
        let exploited = found.advisory.exploited.is_some();
        let key = (
            Reverse(found.level),
            Reverse(found.advisory.severity.level),
            exploited,
        );
        *groups.entry(key).or_default() += 1;
    }
    let line = |((level, severity, exploited), count): ((_, Reverse<Severity>, bool), usize)| {
        let severity = match severity.0 {
            Severity::Unknown => "unrated",
            level => level.word(),
        };
        let exploited = if exploited { "exploited " } else { "" };
        let (noun, verb) = match (count, level) {
            (1, Reverse(Level::Error)) => ("vulnerability", "fails the gate"),
            (1, _) => ("vulnerability", "is worth a warning"),
            (_, Reverse(Level::Error)) => ("vulnerabilities", "fail the gate"),
            _ => ("vulnerabilities", "are worth a warning"),
        };
        format!("{count} {exploited}{severity} {noun} {verb}")
    };
    groups.into_iter().map(line).collect()
}
