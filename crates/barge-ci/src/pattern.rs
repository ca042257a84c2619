//! Patterns in settings: ECMAScript regular expressions for texts, globs for branches and paths.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A regular expression, `/body/flags` or a bare body, searched anywhere in a text.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    regex: regress::Regex,
}

/// Why a text is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a regular expression: {message}")]
pub struct ParsePatternError {
    text: String,
    message: String,
}

impl Pattern {
    /// Whether the pattern matches somewhere in the text.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.find(text).is_some()
    }
}

impl FromStr for Pattern {
    type Err = ParsePatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let delimited = text
            .strip_prefix('/')
            .and_then(|rest| rest.rsplit_once('/'));
        let (body, flags) = delimited.unwrap_or((text, ""));
        let fail = |message: String| ParsePatternError {
            text: text.to_owned(),
            message,
        };
        if let Some(unknown) = flags.chars().find(|flag| !"imsuv".contains(*flag)) {
            return Err(fail(format!("unknown flag `{unknown}`")));
        }
        let regex =
            regress::Regex::with_flags(body, flags).map_err(|error| fail(error.to_string()))?;
        Ok(Self {
            text: text.to_owned(),
            regex,
        })
    }
}

/// A glob over names with slashes: `*` and `?` stay within one part, `**` crosses parts, and all else stands for itself.
/// What other grammars read as classes, choices and negations is refused instead of being taken for text: of the globs in
/// the filters of GitHub's workflows this is the part that people use without looking it up.
#[derive(Clone, PartialEq, Eq)]
pub struct Glob(String);

/// Why a text is no glob of this grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a pattern that barge knows: {what}; it knows `*`, `?` and `**`")]
pub struct ParseGlobError {
    text: String,
    what: &'static str,
}

impl Glob {
    /// A glob in the program's own text.
    pub(crate) fn literal(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// Whether the glob covers the whole name.
    #[must_use]
    pub fn is_match(&self, name: &str) -> bool {
        matches(self.0.as_bytes(), name.as_bytes())
    }
}

/// Greedy matching that remembers the last star of each kind: no recursion, at most quadratic in the lengths.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut double: Option<(usize, usize)> = None;
    loop {
        match pattern.get(at) {
            Some(b'*') if pattern.get(at + 1) == Some(&b'*') => {
                // `**/` also stands for no part at all.
                at += if pattern.get(at + 2) == Some(&b'/') {
                    3
                } else {
                    2
                };
                (double, star) = (Some((at, seen)), None);
                continue;
            }
            Some(b'*') => {
                at += 1;
                star = Some((at, seen));
                continue;
            }
            None if seen == name.len() => return true,
            Some(b'?') if name.get(seen).is_some_and(|c| *c != b'/') => {
                (at, seen) = (at + 1, seen + 1);
                continue;
            }
            Some(c) if name.get(seen) == Some(c) => {
                (at, seen) = (at + 1, seen + 1);
                continue;
            }
            _ => {}
        }
        let retry = star.filter(|(_, from)| name.get(*from).is_some_and(|c| *c != b'/'));
        if let Some((after, from)) = retry {
            star = Some((after, from + 1));
            (at, seen) = (after, from + 1);
        } else if let Some((after, from)) = double.filter(|(_, from)| *from < name.len()) {
            double = Some((after, next_start(pattern, after, name, from)));
            star = None;
            (at, seen) = (after, double.map_or(seen, |(_, from)| from));
        } else {
            return false;
        }
    }
}

/// Where a double star may end next: after the next slash when the pattern says `**/`, else one byte on.
fn next_start(pattern: &[u8], after: usize, name: &[u8], from: usize) -> usize {
    if after > 0 && pattern.get(after - 1) == Some(&b'/') {
        let slash = name.iter().skip(from).position(|c| *c == b'/');
        slash.map_or(name.len(), |offset| from + offset + 1)
    } else {
        from + 1
    }
}

impl FromStr for Glob {
    type Err = ParseGlobError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = |what| {
            let text = text.to_owned();
            Err(ParseGlobError { text, what })
        };
        match text {
            "" => refused("it is empty"),
            _ if text.starts_with('!') => refused("`!` does not negate here"),
            _ if text.contains(['[', ']']) => refused("`[` begins no class of characters here"),
            _ if text.contains(['{', '}']) => {
                refused("`{` begins no choice here: write one pattern for each")
            }
            _ if text.contains('\\') => refused("`\\` escapes nothing here"),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl Serialize for Glob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_cover_whole_names() {
        for (glob, name, expected) in [
            ("feature/**", "feature/a", true),
            ("feature/**", "feature/a/b", true),
            ("feature/**", "feature", false),
            ("feature/**", "features/a", false),
            ("feature/*", "feature/a/b", false),
            ("feature/*/b", "feature/a/b", true),
            ("**/*.md", "README.md", true),
            ("**/*.md", "docs/a/b.md", true),
            ("**/*.md", "docs/a/b.mdx", false),
            ("docs/**", "docs/", true),
            ("v?", "v1", true),
            ("v?", "v/", false),
            ("*", "", true),
            ("**", "a/b", true),
            ("a*b*c", "aXbYbZc", true),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("a/**/z", "a/bz", false),
            ("**a", "b/ca", true),
        ] {
            assert_eq!(
                glob.parse::<Glob>().unwrap().is_match(name),
                expected,
                "{glob} on {name}"
            );
        }
    }

    #[test]
    fn what_other_grammars_know_is_refused() {
        for glob in ["", "!docs/**", "v[0-9]*", "*.{md,txt}", "a\\*"] {
            assert!(glob.parse::<Glob>().is_err(), "{glob}");
        }
        assert!("feature/a+b".parse::<Glob>().is_ok());
    }

    #[test]
    fn patterns_take_a_body_or_a_body_with_flags() {
        let pattern = |text: &str| text.parse::<Pattern>();
        assert!(pattern("/^chore:/i").unwrap().is_match("Chore: x"));
        assert!(!pattern("^chore:").unwrap().is_match("Chore: x"));
        assert!(pattern("a/b").unwrap().is_match("xa/by"));
        let error = pattern("/x/y").unwrap_err().to_string();
        assert_eq!(
            error,
            "`/x/y` is not a regular expression: unknown flag `y`"
        );
        assert!(pattern("(").is_err());
    }
}
