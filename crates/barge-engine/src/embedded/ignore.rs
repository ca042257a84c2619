//! Ignore files: `.dockerignore`, or `NAME.dockerignore` beside a Dockerfile called `NAME` (Docker's "build context").

use super::path;
use super::pattern::Pattern;

/// The rules of an ignore file: the last one that matches a path, or a directory above it, decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    keeps: bool,
    pattern: Pattern,
}

impl Ignore {
    /// Parses an ignore file.
    ///
    /// # Errors
    /// With the line and its text when a pattern is malformed.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, String)> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut ignore = Self::default();
        for (index, line) in text.lines().enumerate() {
            if !line.starts_with('#') {
                ignore
                    .add(line)
                    .map_err(|()| (index + 1, line.to_owned()))?;
            }
        }
        Ok(ignore)
    }

    /// Rules from single patterns, as `--exclude` gives them.
    pub(super) fn of(patterns: &[String]) -> Result<Self, String> {
        let mut ignore = Self::default();
        for pattern in patterns {
            ignore.add(pattern).map_err(|()| pattern.clone())?;
        }
        Ok(ignore)
    }

    /// Takes a path away, whatever the rules so far say of it.
    pub(super) fn hide(&mut self, path: &str) {
        // A path that is no pattern cannot be hidden; the caller's own folder always is one.
        let _hidden = self.add(path);
    }

    fn add(&mut self, line: &str) -> Result<(), ()> {
        let line = line.trim();
        let (keeps, text) = match line.strip_prefix('!') {
            Some(rest) if rest.trim().is_empty() => return Err(()),
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        if text.is_empty() {
            return Ok(());
        }
        let cleaned = path::clean(text.as_bytes());
        let cleaned = String::from_utf8(cleaned).map_err(|_| ())?;
        // `.` and `/` name the context itself, which no rule takes away.
        if cleaned.is_empty() {
            return Ok(());
        }
        let pattern = Pattern::ignore(&cleaned).ok_or(())?;
        self.rules.push(Rule { keeps, pattern });
        Ok(())
    }

    /// Whether there is no rule.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether some rule brings paths back, so that ignored directories must be looked into.
    pub(super) fn has_exceptions(&self) -> bool {
        self.rules.iter().any(|rule| rule.keeps)
    }

    /// Which rules match a clean path, given which match its directory.
    pub(super) fn below(&self, directory: &Matched, path: &[u8]) -> Matched {
        let text = String::from_utf8_lossy(path);
        let inherited = directory.0.iter().copied().chain(std::iter::repeat(false));
        let rules = self.rules.iter().zip(inherited);
        Matched(
            rules
                .map(|(rule, inherited)| inherited || rule.pattern.matches(&text))
                .collect(),
        )
    }

    /// Whether what these rules match is ignored.
    pub(super) fn decides(&self, matched: &Matched) -> bool {
        let mut rules = self.rules.iter().zip(&matched.0);
        rules
            .rfind(|(_, matches)| **matches)
            .is_some_and(|(rule, _)| !rule.keeps)
    }

    /// Whether a clean path is ignored.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        if self.rules.is_empty() {
            return false;
        }
        let parts = path::parents(path).chain([path]);
        let matched = parts.fold(Matched::default(), |above, path| self.below(&above, path));
        self.decides(&matched)
    }
}

/// The rules that match a path or a directory above it.
#[derive(Debug, Clone, Default)]
pub(super) struct Matched(Vec<bool>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_match_decides() {
        let ignore = Ignore::parse(
            "# c\n*.md\n!README*.md\nREADME-secret.md\n/build/\n  temp? \n**/*.o\n!keep/x.o\n.\n",
        )
        .unwrap();
        let table = [
            ("a.md", true),
            ("sub/a.md", false),
            ("README.md", false),
            ("README-secret.md", true),
            ("build/x/y", true),
            ("sub/build/x", false),
            ("tempa", true),
            ("tempab", false),
            ("a/b/c.o", true),
            ("keep/x.o", false),
        ];
        for (path, expected) in table {
            assert_eq!(ignore.matches(path.as_bytes()), expected, "{path}");
        }
        assert!(Ignore::parse("!\n").is_err());
        assert_eq!(Ignore::parse("a\n[\n"), Err((2, "[".into())));
    }

    #[test]
    fn exceptions_reach_below_ignored_directories() {
        let ignore = Ignore::parse("*\n!src\nsrc/*.tmp\n").unwrap();
        assert!(ignore.has_exceptions());
        for (path, expected) in [
            ("src", false),
            ("src/a", false),
            ("src/a.tmp", true),
            ("other/x", true),
        ] {
            assert_eq!(ignore.matches(path.as_bytes()), expected, "{path}");
        }
    }
}
