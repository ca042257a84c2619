//! `# barge: ignore[rule] reason` comments: on the line of a finding, or alone above it.

use crate::finding::Finding;
use crate::rule;
use crate::source::{Place, Source, Span};

/// The ignore comments of a file.
#[derive(Debug, Default)]
pub struct Ignores {
    /// Those that silence something.
    pub comments: Vec<Comment>,
    /// Those that cannot be read, or not wholly, and why.
    pub broken: Vec<(Place, String)>,
}

/// A comment that silences something.
#[derive(Debug)]
pub struct Comment {
    /// Where it stands.
    pub place: Place,
    /// What it silences.
    pub silences: Silences,
    /// The line it speaks of.
    line: usize,
}

/// What a comment silences on its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silences {
    /// Whatever is found there.
    All,
    /// These rules.
    Rules(Vec<&'static str>),
}

impl Ignores {
    /// Reads the comments of a file.
    #[must_use]
    pub fn read(source: &Source) -> Self {
        let mut ignores = Self::default();
        if source.text().contains("barge:") {
            (1..=source.line_count()).for_each(|number| ignores.read_line(source, number));
        }
        ignores
    }

    fn read_line(&mut self, source: &Source, number: usize) {
        let line = source.line(number);
        let Some((at, order)) = comment(line) else {
            return;
        };
        let start = source.line_start(number);
        let place = Place::new(source, Span::new(start + at, source.line_end(number)));
        let is_comment = |number: &usize| source.line(*number).trim_start().starts_with('#');
        let line = if is_comment(&number) {
            let below = (number + 1..=source.line_count()).find(|below| !is_comment(below));
            below.unwrap_or(number)
        } else {
            number
        };
        let (silences, reason) = silences(order.trim());
        self.broken
            .extend(reason.map(|reason| (place.clone(), reason)));
        self.comments.extend(silences.map(|silences| Comment {
            place,
            silences,
            line,
        }));
    }

    /// Says whether a finding of this file is ignored.
    #[must_use]
    pub fn covers(&self, finding: &Finding) -> bool {
        self.comments.iter().any(|comment| comment.covers(finding))
    }
}

impl Comment {
    /// Says whether it silences a finding of its file.
    #[must_use]
    pub fn covers(&self, finding: &Finding) -> bool {
        let named = match &self.silences {
            Silences::All => true,
            Silences::Rules(rules) => rules.contains(&finding.rule),
        };
        named && self.line == finding.place.line()
    }
}

/// The first byte of an ignore comment in a line, and what follows the word `ignore`.
fn comment(line: &str) -> Option<(usize, &str)> {
    line.match_indices('#').find_map(|(at, _)| {
        let (before, after) = (line.get(..at)?, line.get(at + 1..)?);
        let starts = before.is_empty() || before.ends_with([' ', '\t']);
        let order = after.trim_start().strip_prefix("barge:")?.trim_start();
        let order = order.strip_prefix("ignore")?;
        let whole = !order.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'));
        (starts && whole && !is_quoted(before, after)).then_some((at, order))
    })
}

/// Says whether a quote that opens before a byte closes behind it. One within a word opens nothing.
fn is_quoted(before: &str, after: &str) -> bool {
    let (mut open, mut previous) = (None, ' ');
    for character in before.chars() {
        match open {
            Some(quote) if character == quote => open = None,
            None if matches!(character, '\'' | '"') && !previous.is_alphanumeric() => {
                open = Some(character);
            }
            _ => {}
        }
        previous = character;
    }
    open.is_some_and(|quote| after.contains(quote))
}

/// What the text after `ignore` silences, and what is wrong with it.
fn silences(order: &str) -> (Option<Silences>, Option<String>) {
    if order.is_empty() {
        return (Some(Silences::All), None);
    }
    let listed = order
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    let names = listed.map(|(names, _)| names.split(',').map(str::trim));
    let names: Vec<&str> = names
        .into_iter()
        .flatten()
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() {
        let reason = "it names no rule in brackets and silences nothing";
        return (None, Some(reason.to_owned()));
    }
    let known: Vec<&str> = names
        .iter()
        .filter_map(|name| Some(rule::find(name)?.id))
        .collect();
    let unknown = names.iter().find(|name| rule::find(name).is_none());
    let silences = (!known.is_empty()).then_some(Silences::Rules(known));
    (
        silences,
        unknown.map(|name| format!("no rule is called `{name}`")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (Vec<Silences>, usize) {
        let ignores = Ignores::read(&Source::new("w.yml", line));
        let silences = ignores.comments.into_iter().map(|one| one.silences);
        (silences.collect(), ignores.broken.len())
    }

    #[test]
    fn only_what_names_rules_silences() {
        let loaded = || Silences::Rules(vec!["not-loaded"]);
        for (line, silences, broken) in [
            ("x # barge: ignore[not-loaded] why", vec![loaded()], 0),
            ("x #barge:ignore[ not-loaded ]", vec![loaded()], 0),
            (
                "x # barge: ignore[not-loaded,ref-mismatch]",
                vec![Silences::Rules(vec!["not-loaded", "ref-mismatch"])],
                0,
            ),
            ("x # barge: ignore", vec![Silences::All], 0),
            ("x # barge: ignore[not-loaded", vec![], 1),
            ("x # barge: ignore[]", vec![], 1),
            ("x # barge: ignore not-loaded", vec![], 1),
            ("x # barge: ignore[no-such-rule]", vec![], 1),
            (
                "x # barge: ignore[no-such-rule, not-loaded]",
                vec![loaded()],
                1,
            ),
            ("x # barge: ignored by the second job", vec![], 0),
            ("x # the bus of barge: ignore it", vec![], 0),
            ("echo '# barge: ignore'", vec![], 0),
            ("run: echo \"a # barge: ignore[not-loaded]\"", vec![], 0),
            ("name: don't # barge: ignore[not-loaded]", vec![loaded()], 0),
            (
                "a: 'b' # barge: ignore[not-loaded] it's known",
                vec![loaded()],
                0,
            ),
            ("x# barge: ignore", vec![], 0),
        ] {
            assert_eq!(read(line), (silences, broken), "{line}");
        }
    }

    #[test]
    fn comments_alone_speak_of_the_line_below_them() {
        let text =
            "# barge: ignore[not-loaded]\n# barge: ignore[ref-mismatch]\nx\ny # barge: ignore\n";
        let ignores = Ignores::read(&Source::new("w.yml", text));
        let lines: Vec<usize> = ignores.comments.iter().map(|one| one.line).collect();
        assert_eq!(lines, [3, 3, 4]);
    }
}
