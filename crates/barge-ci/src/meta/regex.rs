//! `String.prototype.match` with ECMAScript regular expressions, on UTF-16 code units as in JavaScript.

use regress::{Flags, Match, Regex};

/// Why a regular expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid regular expression: /{pattern}/{flags}: {message}")]
pub struct RegexError {
    /// The body.
    pattern: String,
    /// The flags.
    flags: String,
    /// What is wrong.
    message: String,
}

/// The groups of a match, the whole match first; with the flag `g`, all matches instead.
pub(crate) type Groups = Vec<Option<String>>;

/// What `text.match(new RegExp(pattern, flags))` gives; nothing when there is no match.
pub(crate) fn find(pattern: &str, flags: &str, text: &str) -> Result<Option<Groups>, RegexError> {
    let error = |message: &str| RegexError {
        pattern: pattern.to_owned(),
        flags: flags.to_owned(),
        message: message.to_owned(),
    };
    let repeated = flags
        .char_indices()
        .any(|(at, flag)| flags[..at].contains(flag));
    let unknown = flags.contains(|flag: char| !"dgimsuvy".contains(flag));
    if repeated || unknown || flags.contains('u') && flags.contains('v') {
        return Err(error("invalid flags"));
    }
    if quantifies_boundary(pattern) {
        return Err(error("nothing to repeat"));
    }
    let unicode = flags.contains(['u', 'v']);
    // Without the flag `u`, the pattern too is a sequence of UTF-16 code units.
    let compiled = if unicode {
        Regex::from_unicode(pattern.chars().map(u32::from), Flags::from(flags))
    } else {
        Regex::from_unicode(pattern.encode_utf16().map(u32::from), Flags::from(flags))
    };
    let compiled = compiled.map_err(|failure| error(&failure.text))?;
    let units: Vec<u16> = text.encode_utf16().collect();
    let matcher = Matcher {
        regex: &compiled,
        units: &units,
        unicode,
        sticky: flags.contains('y'),
    };
    Ok(if flags.contains('g') {
        Some(matcher.all()).filter(|found| !found.is_empty())
    } else {
        matcher.at(0).map(|found| {
            (0..=found.captures.len())
                .map(|group| matcher.group(&found, group))
                .collect()
        })
    })
}

/// Whether a quantifier follows `\b` or `\B`, which the language forbids and the engine lets pass.
fn quantifies_boundary(pattern: &str) -> bool {
    let mut rest = pattern;
    let mut class = false;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            _ => c.len_utf8(),
        };
        let (item, after) = rest.split_at(length);
        class = item == "[" || class && item != "]";
        if !class && matches!(item, "\\b" | "\\B") && starts_quantifier(after) {
            return true;
        }
        rest = after;
    }
    false
}

fn starts_quantifier(text: &str) -> bool {
    let counted = || {
        let bounds = text.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
        bounds.is_some_and(|(bounds, _)| {
            let (least, most) = bounds.split_once(',').unwrap_or((bounds, ""));
            !least.is_empty() && digits(least) && digits(most)
        })
    };
    text.starts_with(['*', '+', '?']) || counted()
}

struct Matcher<'m> {
    regex: &'m Regex,
    units: &'m [u16],
    unicode: bool,
    sticky: bool,
}

impl Matcher<'_> {
    /// The next match from `start` on, or exactly there with the flag `y`.
    fn at(&self, start: usize) -> Option<Match> {
        let found = if self.unicode {
            self.regex.find_from_utf16(self.units, start).next()
        } else {
            self.regex.find_from_ucs2(self.units, start).next()
        }?;
        (!self.sticky || found.range.start == start).then_some(found)
    }

    fn all(&self) -> Groups {
        let mut groups = Vec::new();
        let mut start = 0;
        while start <= self.units.len() {
            let Some(found) = self.at(start) else { break };
            groups.push(self.group(&found, 0));
            start = if found.range.end == found.range.start {
                self.after(found.range.end)
            } else {
                found.range.end
            };
        }
        groups
    }

    /// One character on: with the flag `u`, a surrogate pair is one.
    fn after(&self, at: usize) -> usize {
        let unit = |at: usize| self.units.get(at).copied().unwrap_or_default();
        let pair = (0xd800..0xdc00).contains(&unit(at)) && (0xdc00..0xe000).contains(&unit(at + 1));
        at + if self.unicode && pair { 2 } else { 1 }
    }

    fn group(&self, found: &Match, group: usize) -> Option<String> {
        found
            .group(group)
            .and_then(|range| self.units.get(range))
            .map(String::from_utf16_lossy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(pattern: &str, flags: &str, text: &str) -> Option<String> {
        find(pattern, flags, text)
            .unwrap()
            .and_then(|groups| groups.into_iter().next().flatten())
    }

    #[test]
    fn syntax_of_the_language_and_its_annex_b() {
        for (pattern, flags, text, expected) in [
            ("v(\\d+)", "", "v12", Some("v12")),
            ("(?<=v)\\d+", "", "v12", Some("12")),
            ("(?<x>a)\\k<x>", "", "baa", Some("aa")),
            ("\\d{4", "", "x1{4", Some("1{4")),
            ("\\d{4", "", "2024", None),
            ("a]", "", "a]", Some("a]")),
            ("{", "", "{", Some("{")),
            ("\\p{L}+", "u", "é1", Some("é")),
            ("\\p{L}", "", "p{L}", Some("p{L}")),
            ("", "", "abc", Some("")),
            ("^.$", "", "🚢", None),
            ("^..$", "", "🚢", Some("🚢")),
            ("^.$", "u", "🚢", Some("🚢")),
            ("A", "i", "xa", Some("a")),
            ("b", "y", "ab", None),
            ("a.c", "s", "a\nc", Some("a\nc")),
            ("(?=a)*", "", "b", Some("")),
            ("\\8", "", "8", Some("8")),
        ] {
            assert_eq!(
                first(pattern, flags, text).as_deref(),
                expected,
                "/{pattern}/{flags} on {text}"
            );
        }
    }

    #[test]
    fn the_global_flag_gives_successive_matches() {
        let all = |pattern, flags, text| {
            find(pattern, flags, text)
                .unwrap()
                .map(|all| all.into_iter().flatten().collect::<Vec<_>>())
        };
        assert_eq!(all("\\d", "g", "a1b2").unwrap(), ["1", "2"]);
        assert_eq!(all("x*", "g", "ab").unwrap(), ["", "", ""]);
        assert_eq!(all("\\d", "gy", "12a3").unwrap(), ["1", "2"]);
        assert_eq!(all("z", "g", "ab"), None);
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for (pattern, flags) in [
            ("(", ""),
            ("a", "x"),
            ("a", "gg"),
            ("a", "uv"),
            ("*", ""),
            ("(?i)a", ""),
        ] {
            assert!(find(pattern, flags, "a").is_err(), "/{pattern}/{flags}");
        }
    }
}
