//! Patterns of `COPY` sources (Go's `filepath.Match`) and of ignore files (moby's patternmatcher).
//!
//! Both match whole paths, `/` apart: `*` and `?` stay inside a part, `[a-z]` and `[^a-z]` are classes, `\` takes the next
//! character literally. Ignore files add `**`, any number of parts.

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(char),
    /// `?`
    One,
    /// `*`
    Part,
    /// `**` at the end: anything.
    Anything,
    /// `**/`: nothing, or anything that ends with a slash.
    Parts,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Pattern {
    /// Compiles a pattern as `filepath.Match` reads it. `None` when it is malformed.
    pub(super) fn wildcard(text: &str) -> Option<Self> {
        Self::compile(text, false)
    }

    /// Compiles a pattern as ignore files mean it. `None` when it is malformed.
    pub(super) fn ignore(text: &str) -> Option<Self> {
        Self::compile(text, true)
    }

    fn compile(text: &str, doubles: bool) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            pieces.push(match character {
                '*' if doubles && characters.next_if_eq(&'*').is_some() => {
                    let slash = characters.next_if_eq(&'/').is_some();
                    match characters.peek() {
                        None => Piece::Anything,
                        Some(_) if slash => Piece::Parts,
                        // `a**b` means `a`, any parts, `b`: moby reads `**` as `**/` wherever it stands.
                        Some(_) => Piece::Parts,
                    }
                }
                '*' => Piece::Part,
                '?' => Piece::One,
                '[' => class(&mut characters)?,
                '\\' => Piece::Literal(characters.next()?),
                _ => Piece::Literal(character),
            });
        }
        Some(Self(pieces))
    }

    /// Whether the whole path matches.
    pub(super) fn matches(&self, path: &str) -> bool {
        // Most paths differ from most patterns in their first characters: no need to look at all of them.
        let mut characters = path.chars();
        let mut pieces = self.0.as_slice();
        while let [Piece::Literal(literal), rest @ ..] = pieces {
            if characters.next() != Some(*literal) {
                return false;
            }
            pieces = rest;
        }
        matches_pieces(pieces, characters.as_str())
    }
}

/// Whether the whole text matches.
fn matches_pieces(pieces: &[Piece], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // The positions in the path that the pieces read so far can end at: time is pieces times length, always.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for piece in pieces {
        reached = advance(piece, &reached, &text);
    }
    reached[text.len()]
}

fn advance(piece: &Piece, reached: &[bool], text: &[char]) -> Vec<bool> {
    let mut next = vec![false; reached.len()];
    let (mut within_part, mut anywhere) = (false, false);
    for end in 0..reached.len() {
        let before = end
            .checked_sub(1)
            .and_then(|index| text.get(index))
            .copied();
        let was_reached = before.is_some() && reached[end - 1];
        if before == Some('/') {
            within_part = false;
        }
        next[end] = match piece {
            Piece::Literal(literal) => was_reached && before == Some(*literal),
            Piece::One => was_reached && before != Some('/'),
            Piece::Class { negated, ranges } => {
                was_reached
                    && before.is_some_and(|c| {
                        c != '/'
                            && ranges.iter().any(|(from, to)| (*from..=*to).contains(&c))
                                != *negated
                    })
            }
            Piece::Part => {
                within_part |= reached[end];
                within_part
            }
            Piece::Anything => {
                anywhere |= reached[end];
                anywhere
            }
            // `anywhere` still lacks this position: only what was reached before a slash counts.
            Piece::Parts => {
                let matches = reached[end] || (before == Some('/') && anywhere);
                anywhere |= reached[end];
                matches
            }
        };
    }
    next
}

fn class(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Piece> {
    let negated = characters.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && characters.next_if_eq(&']').is_some() {
            return Some(Piece::Class { negated, ranges });
        }
        let from = class_character(characters)?;
        let to = match characters.next_if_eq(&'-') {
            Some(_) => class_character(characters)?,
            None => from,
        };
        ranges.push((from, to));
    }
}

fn class_character(characters: &mut impl Iterator<Item = char>) -> Option<char> {
    match characters.next()? {
        '-' | ']' => None,
        '\\' => characters.next(),
        other => Some(other),
    }
}

/// Whether a `COPY` source is a pattern rather than a path.
pub(super) fn has_wildcards(text: &str) -> bool {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '*' | '?' | '[' => return true,
            '\\' => drop(characters.next()),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wildcards_stay_inside_a_part() {
        let table = [
            ("*", "a", true),
            ("*", "a/b", false),
            ("*/b", "a/b", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[^a]x", "/x", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("**", "a/b", false),
            ("a*b*c", "aXbYbc", true),
            ("", "", true),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(
                Pattern::wildcard(pattern).unwrap().matches(path),
                expected,
                "{pattern} {path}"
            );
        }
        for malformed in ["[", "[a", "[]", "[]a]", "[a-", "a\\"] {
            assert_eq!(Pattern::wildcard(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn ignore_patterns_cross_parts() {
        let table = [
            ("**", "a/b/c", true),
            ("**/x", "x", true),
            ("**/x", "a/b/x", true),
            ("**/x", "ax", false),
            ("a/**", "a/b", true),
            ("a/**", "a", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "a/xb", false),
            ("**/*.go", "x.go", true),
            ("**/*.go", "a/b/x.go", true),
            ("a.c", "abc", false),
            ("(x)+", "(x)+", true),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(
                Pattern::ignore(pattern).unwrap().matches(path),
                expected,
                "{pattern} {path}"
            );
        }
    }

    proptest! {
        #[test]
        fn never_panics(pattern in "[a/*?\\[\\]^\\\\-]{0,20}", path in "[a/b]{0,20}") {
            for compiled in [Pattern::wildcard(&pattern), Pattern::ignore(&pattern)] {
                let _ = compiled.map(|pattern| pattern.matches(&path));
            }
        }
    }
}
