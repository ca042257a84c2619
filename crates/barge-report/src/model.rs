//! The one model of findings that scanner, workflow checker and gate share: rules, findings, locations, verdict.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Findings of one tool about one subject.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// The tool that made it.
    pub tool: Tool,
    /// What was looked at: an image, a workflow file.
    pub subject: String,
    /// What tells this analysis from others of the same tool: stable over runs, without tags and digests.
    pub category: String,
    /// The rules that findings refer to, by id.
    pub rules: Vec<Rule>,
    /// The findings, worst first.
    pub findings: Vec<Finding>,
    /// What was not looked at, one line each: the report says nothing about it.
    pub gaps: Vec<String>,
    /// Facts about the analysis, such as the digest of its data.
    pub properties: BTreeMap<String, Value>,
}

/// A program that makes findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where to read about it.
    pub url: String,
}

/// What can be found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rule {
    /// Its stable id.
    pub id: String,
    /// A short name, one word in camel case.
    pub name: String,
    /// One line on what is wrong.
    pub summary: String,
    /// The whole explanation, plain text.
    pub description: String,
    /// What to do, Markdown.
    pub help: String,
    /// Where to read more, or empty.
    pub url: String,
    /// How bad it is unless a finding says otherwise.
    pub level: Level,
    /// A CVSS-like score from 0.1 to 10, for rules about security.
    pub security_severity: Option<f64>,
    /// Words to filter by.
    pub tags: Vec<String>,
}

/// One finding.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Finding {
    /// The id of its rule.
    pub rule: String,
    /// How bad it is.
    pub level: Level,
    /// What was found, one line, plain text.
    pub message: String,
    /// Where: files of the repository, the first one is shown.
    pub locations: Vec<Location>,
    /// Where inside the subject: a package, a path in the image.
    pub places: Vec<String>,
    /// What stays the same when the finding is met again: equal fingerprints are the same finding.
    pub fingerprint: String,
    /// Why it does not count, if it does not.
    pub suppression: Option<Suppression>,
    /// Further facts.
    pub properties: BTreeMap<String, Value>,
}

/// A place in a file of the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// The path from the root of the repository, with `/`.
    pub path: String,
    /// The first line, from 1.
    pub line: u32,
    /// The first column, from 1, if known.
    pub column: Option<u32>,
    /// The last line, if known.
    pub end_line: Option<u32>,
    /// The column after the last character, if known.
    pub end_column: Option<u32>,
}

/// Why a finding does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Whether a comment in the file says so, rather than a rule or statement elsewhere.
    pub in_source: bool,
    /// The reason that was given.
    pub justification: String,
}

/// How bad a finding is, least first.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    #[default]
    Note,
    /// Should be mended.
    Warning,
    /// Must be mended.
    Error,
}

impl Level {
    /// The level as a lower-case word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.word())
    }
}

impl Report {
    /// The rule of a finding.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Findings that count, with a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.level == level && finding.suppression.is_none())
            .count()
    }
}

/// Whether a text is of ASCII's visible characters and spaces only: one column each, nothing to take out.
pub(crate) fn is_plain(text: &str) -> bool {
    // Eight at a time and without an early end, so that many bytes are looked at with one instruction.
    let are_plain = |bytes: &[u8]| {
        let plain = bytes.iter().map(|byte| matches!(byte, b' '..=b'~'));
        plain.fold(true, |all, plain| all & plain)
    };
    let (eights, rest) = text.as_bytes().as_chunks::<8>();
    let eights = eights.iter().map(|eight| are_plain(eight));
    eights.fold(are_plain(rest), |all, plain| all & plain)
}

/// Makes text from elsewhere fit for one line of a terminal or a log: no line breaks, no control characters.
#[must_use]
pub fn one_line(text: &str) -> String {
    // Most texts are plain, and a scan has tens of thousands of them.
    if is_plain(text) {
        return text.to_owned();
    }
    let mut line = String::with_capacity(text.len());
    for next in text.chars() {
        match next {
            '\n' | '\r' | '\t' => line.push(' '),
            // Controls could move the cursor; direction marks could make text read differently than it is.
            control if control.is_control() => {}
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            other => line.push(other),
        }
    }
    line
}
