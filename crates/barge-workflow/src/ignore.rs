//! `# barge: ignore[rule] reason` comments: on the line of a finding, or alone on the line above it.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::source::Source;

/// The ignore comments of a file.
#[derive(Debug, Default)]
pub struct Ignores {
    /// Rules that are ignored on a line; an empty list ignores all.
    lines: BTreeMap<usize, Vec<String>>,
}

impl Ignores {
    /// Reads the comments of a file.
    #[must_use]
    pub fn read(source: &Source) -> Self {
        let mut lines: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        if !source.text().contains("barge: ignore") {
            return Self::default();
        }
        for number in 1..=source.line_count() {
            let line = source.line(number);
            let Some((before, comment)) = line.split_once("# barge: ignore") else {
                continue;
            };
            let rules = comment
                .strip_prefix('[')
                .and_then(|rest| rest.split_once(']'))
                .map_or("", |(rules, _)| rules);
            let rules: Vec<String> = rules
                .split(',')
                .map(|rule| rule.trim().to_owned())
                .filter(|rule| !rule.is_empty())
                .collect();
            let target = if before.trim().is_empty() {
                number + 1
            } else {
                number
            };
            lines.entry(target).or_default().extend(rules);
        }
        Self { lines }
    }

    /// Says whether a finding is ignored.
    #[must_use]
    pub fn covers(&self, finding: &Finding) -> bool {
        let line = finding.position().line;
        self.lines
            .get(&line)
            .is_some_and(|rules| rules.is_empty() || rules.iter().any(|rule| rule == finding.rule))
    }
}
