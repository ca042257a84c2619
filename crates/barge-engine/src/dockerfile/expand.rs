//! Variable substitution and quotes in words (Dockerfile reference, "Environment replacement").
//!
//! `$V`, `${V}`, `${V:-d}`, `${V-d}`, `${V:+a}`, `${V+a}`, `${V:?e}`, `${V?e}`, `${V#p}`, `${V##p}`, `${V%p}`, `${V%%p}`,
//! `${V/p/r}`, `${V//p/r}`. Quotes group and vanish; the escape character takes the next character literally.

use std::iter::Peekable;
use std::str::Chars;

/// How deep `${a:-${b:-...}}` may nest.
const DEPTH_LIMIT: usize = 64;

/// Looks a variable up.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Why a word cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpandError {
    /// A quote or brace that is not closed.
    #[error("`{0}` is not closed")]
    Unclosed(char),
    /// `${}`, `${:x}`, `${V~x}`.
    #[error("bad substitution `${{{0}`")]
    BadSubstitution(String),
    /// `${V?message}` of an unset variable.
    #[error("{0}: {1}")]
    Required(String, String),
    /// More than 64 levels.
    #[error("substitutions are nested more than {DEPTH_LIMIT} deep")]
    TooDeep,
}

/// Expands a text into one word.
///
/// # Errors
/// When quotes or braces are not closed, or a substitution is unknown or demands a value that is not there.
pub fn word(text: &str, escape: char, lookup: Lookup<'_>) -> Result<String, ExpandError> {
    Ok(Lexer::new(text, escape, lookup).until(None, false)?.0)
}

/// Expands a text and splits it at blanks outside quotes, those of variables' values too.
///
/// # Errors
/// As [`word`].
pub fn words(text: &str, escape: char, lookup: Lookup<'_>) -> Result<Vec<String>, ExpandError> {
    Ok(Lexer::new(text, escape, lookup)
        .until(None, false)?
        .1
        .finish())
}

/// Substitutes variables in a here-document: quotes stay, and only `$` and the escape character are escaped.
///
/// # Errors
/// As [`word`].
pub fn heredoc(text: &str, escape: char, lookup: Lookup<'_>) -> Result<String, ExpandError> {
    let mut lexer = Lexer::new(text, escape, lookup);
    let mut result = String::new();
    while let Some(character) = lexer.characters.peek().copied() {
        if character == '$' {
            result.push_str(&lexer.dollar()?);
            continue;
        }
        lexer.characters.next();
        match lexer.characters.peek().copied() {
            Some(next) if character == escape && (next == '$' || next == escape) => {
                lexer.characters.next();
                result.push(next);
            }
            _ => result.push(character),
        }
    }
    Ok(result)
}

struct Lexer<'a> {
    characters: Peekable<Chars<'a>>,
    escape: char,
    lookup: Lookup<'a>,
    depth: usize,
}

#[derive(Default)]
struct Words {
    done: Vec<String>,
    open: String,
}

impl Words {
    fn split_on_blank(&mut self, character: char) {
        if !character.is_whitespace() {
            self.open.push(character);
        } else if !self.open.is_empty() {
            self.done.push(std::mem::take(&mut self.open));
        }
    }

    fn finish(mut self) -> Vec<String> {
        if !self.open.is_empty() {
            self.done.push(self.open);
        }
        self.done
    }
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, escape: char, lookup: Lookup<'a>) -> Self {
        Self {
            characters: text.chars().peekable(),
            escape,
            lookup,
            depth: 0,
        }
    }

    fn until(
        &mut self,
        stop: Option<char>,
        keeps_escapes: bool,
    ) -> Result<(String, Words), ExpandError> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(ExpandError::TooDeep);
        }
        let (mut result, mut words) = (String::new(), Words::default());
        while let Some(character) = self.characters.peek().copied() {
            if stop == Some(character) {
                self.characters.next();
                self.depth -= 1;
                return Ok((result, words));
            }
            match character {
                '\'' | '"' => {
                    let quoted = if character == '"' {
                        self.double_quoted()?
                    } else {
                        self.single_quoted()?
                    };
                    words.open.push_str(&quoted);
                    result.push_str(&quoted);
                }
                '$' => {
                    let value = self.dollar()?;
                    value.chars().for_each(|c| words.split_on_blank(c));
                    result.push_str(&value);
                }
                _ => {
                    self.characters.next();
                    if character != self.escape {
                        words.split_on_blank(character);
                        result.push(character);
                        continue;
                    }
                    let kept = keeps_escapes.then_some(character);
                    for literal in kept.into_iter().chain(self.characters.next()) {
                        words.open.push(literal);
                        result.push(literal);
                    }
                }
            }
        }
        match stop {
            Some(stop) => Err(ExpandError::Unclosed(if stop == '}' { '{' } else { stop })),
            None => Ok((result, words)),
        }
    }

    fn single_quoted(&mut self) -> Result<String, ExpandError> {
        self.characters.next();
        let mut result = String::new();
        for character in self.characters.by_ref() {
            if character == '\'' {
                return Ok(result);
            }
            result.push(character);
        }
        Err(ExpandError::Unclosed('\''))
    }

    fn double_quoted(&mut self) -> Result<String, ExpandError> {
        self.characters.next();
        let mut result = String::new();
        while let Some(character) = self.characters.peek().copied() {
            if character == '$' {
                result.push_str(&self.dollar()?);
                continue;
            }
            self.characters.next();
            match (character, self.characters.peek().copied()) {
                ('"', _) => return Ok(result),
                (_, Some(next))
                    if character == self.escape
                        && (next == '"' || next == '$' || next == self.escape) =>
                {
                    self.characters.next();
                    result.push(next);
                }
                _ => result.push(character),
            }
        }
        Err(ExpandError::Unclosed('"'))
    }

    fn dollar(&mut self) -> Result<String, ExpandError> {
        self.characters.next();
        if self.characters.next_if_eq(&'{').is_none() {
            let name = self.name();
            if name.is_empty() {
                return Ok("$".into());
            }
            return Ok((self.lookup)(&name).unwrap_or_default());
        }
        let name = self.name();
        let operator = self.characters.next().ok_or(ExpandError::Unclosed('{'))?;
        if name.is_empty() {
            return Err(ExpandError::BadSubstitution(operator.to_string()));
        }
        let value = (self.lookup)(&name);
        match operator {
            '}' => Ok(value.unwrap_or_default()),
            ':' => {
                let modifier = self.characters.next().ok_or(ExpandError::Unclosed('{'))?;
                let value = value.filter(|value| !value.is_empty());
                self.conditional(name, modifier, value, "is not allowed to be empty")
            }
            '#' | '%' => self.trimmed(operator, &value.unwrap_or_default()),
            '/' => self.replaced(&value.unwrap_or_default()),
            _ => self.conditional(name, operator, value, "is not allowed to be unset"),
        }
    }

    fn conditional(
        &mut self,
        name: String,
        modifier: char,
        value: Option<String>,
        complaint: &str,
    ) -> Result<String, ExpandError> {
        if !matches!(modifier, '-' | '+' | '?') {
            return Err(ExpandError::BadSubstitution(format!("{name}{modifier}")));
        }
        let (word, _) = self.until(Some('}'), false)?;
        match (modifier, value) {
            ('+', Some(_)) => Ok(word),
            ('+', None) => Ok(String::new()),
            (_, Some(value)) => Ok(value),
            ('-', None) => Ok(word),
            (_, None) if word.is_empty() => Err(ExpandError::Required(name, complaint.into())),
            (_, None) => Err(ExpandError::Required(name, word)),
        }
    }

    fn trimmed(&mut self, operator: char, value: &str) -> Result<String, ExpandError> {
        let longest = self.characters.next_if_eq(&operator).is_some();
        let (pattern, _) = self.until(Some('}'), true)?;
        let pattern = Pattern::parse(&pattern, self.escape);
        let text: Vec<char> = value.chars().collect();
        let length = text.len();
        let rest = if operator == '#' {
            pattern.prefix(&text, longest).map(|end| &text[end..])
        } else {
            let mut starts = pattern.suffixes(&text);
            let start = if longest {
                starts.next()
            } else {
                starts.last()
            };
            start.map(|start| &text[..start])
        };
        Ok(rest.unwrap_or(&text[..length]).iter().collect())
    }

    fn replaced(&mut self, value: &str) -> Result<String, ExpandError> {
        let everywhere = self.characters.next_if_eq(&'/').is_some();
        let (pattern, _) = self.until(Some('/'), true)?;
        let (replacement, _) = self.until(Some('}'), true)?;
        let pattern = Pattern::parse(&pattern, self.escape);
        let text: Vec<char> = value.chars().collect();
        let (mut result, mut position, mut replaces) = (String::new(), 0, true);
        while position < text.len() {
            match pattern.prefix(&text[position..], true) {
                Some(length) if replaces && length > 0 => {
                    result.push_str(&replacement);
                    position += length;
                    replaces = everywhere;
                }
                _ => {
                    result.push(text[position]);
                    position += 1;
                }
            }
        }
        Ok(result)
    }

    /// A name of letters, digits and `_`; or digits; or one special character.
    fn name(&mut self) -> String {
        let mut name = String::new();
        match self.characters.peek() {
            Some(first) if first.is_ascii_digit() => {
                while let Some(digit) = self.characters.next_if(char::is_ascii_digit) {
                    name.push(digit);
                }
            }
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => name.extend(self.characters.next()),
            _ => {
                while let Some(next) = self
                    .characters
                    .next_if(|c| c.is_alphanumeric() || *c == '_')
                {
                    name.push(next);
                }
            }
        }
        name
    }
}

/// A shell pattern: `*`, `?`, literals.
struct Pattern(Vec<Piece>);

#[derive(Clone, Copy)]
enum Piece {
    Any,
    One,
    Literal(char),
}

impl Pattern {
    fn parse(text: &str, escape: char) -> Self {
        let mut pieces = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            pieces.push(match character {
                '*' => Piece::Any,
                '?' => Piece::One,
                _ if character == escape => match characters.next() {
                    Some(next) => Piece::Literal(next),
                    None => continue,
                },
                _ => Piece::Literal(character),
            });
        }
        Self(pieces)
    }

    /// The shortest or longest prefix that matches, as its length.
    fn prefix(&self, text: &[char], longest: bool) -> Option<usize> {
        let ends = self.ends(text);
        let mut matching = ends.iter().enumerate().filter(|(_, matches)| **matches);
        let found = if longest {
            matching.next_back()
        } else {
            matching.next()
        };
        found.map(|(end, _)| end)
    }

    /// The starts of all suffixes that match, longest first.
    fn suffixes(&self, text: &[char]) -> impl Iterator<Item = usize> {
        let reversed = Self(self.0.iter().rev().copied().collect());
        let backwards: Vec<char> = text.iter().rev().copied().collect();
        let length = text.len();
        reversed
            .ends(&backwards)
            .into_iter()
            .enumerate()
            .rev()
            .filter(|(_, matches)| *matches)
            .map(move |(end, _)| length - end)
    }

    /// For each length, whether the prefix of that length matches.
    fn ends(&self, text: &[char]) -> Vec<bool> {
        let mut reached = vec![false; text.len() + 1];
        reached[0] = true;
        for piece in &self.0 {
            let mut next = vec![false; text.len() + 1];
            let mut seen = false;
            for end in 0..=text.len() {
                seen |= reached[end];
                next[end] = match piece {
                    Piece::Any => seen,
                    Piece::One => end > 0 && reached[end - 1],
                    Piece::Literal(literal) => {
                        end > 0 && reached[end - 1] && text[end - 1] == *literal
                    }
                };
            }
            reached = next;
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lookup(name: &str) -> Option<String> {
        let value = match name {
            "A" => "one",
            "E" => "",
            "P" => "/usr/local/lib/x.tar.gz",
            "S" => "80 443",
            _ => return None,
        };
        Some(value.into())
    }

    #[test]
    fn expands_as_the_reference_says() {
        let table = [
            ("$A", "one"),
            ("${A}_x", "one_x"),
            ("$A_x", ""),
            ("\\$A \\${A}", "$A ${A}"),
            ("'$A'\"$A\"", "$Aone"),
            ("\"a\\\"b\\x\"", "a\"b\\x"),
            ("a\\ b", "a b"),
            ("${N:-d}", "d"),
            ("${E:-d}", "d"),
            ("${E-d}", ""),
            ("${N-${A}}", "one"),
            ("${A:+a}${E:+b}${E+c}${N+d}", "ac"),
            ("${P#*/}", "usr/local/lib/x.tar.gz"),
            ("${P##*/}", "x.tar.gz"),
            ("${P%.*}", "/usr/local/lib/x.tar"),
            ("${P%%.*}", "/usr/local/lib/x"),
            ("${P#nope}", "/usr/local/lib/x.tar.gz"),
            ("${P/\\//:}", ":usr/local/lib/x.tar.gz"),
            ("${P//\\//:}", ":usr:local:lib:x.tar.gz"),
            ("$", "$"),
            ("a$ b", "a$ b"),
            ("$1", ""),
            ("end\\", "end"),
        ];
        for (text, expected) in table {
            assert_eq!(word(text, '\\', &lookup).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(
            words("$S \"$S\" x", '\\', &lookup).unwrap(),
            ["80", "443", "80 443", "x"]
        );
        assert_eq!(
            heredoc("'$A' \\$A \"\n", '\\', &lookup).unwrap(),
            "'one' $A \"\n"
        );
    }

    #[test]
    fn refuses_what_is_not_closed_or_unknown() {
        for text in [
            "'a", "\"a", "${A", "${A:-x", "${}", "${:x}", "${A~b}", "${A:#b}", "${N?}", "${E:?no}",
        ] {
            assert!(word(text, '\\', &lookup).is_err(), "{text}");
        }
        let deep = "${N:-".repeat(100_000);
        assert_eq!(word(&deep, '\\', &lookup), Err(ExpandError::TooDeep));
    }

    proptest! {
        #[test]
        fn never_panics(text in "[\\$\\{\\}A:\\-+?#%/\"'\\\\* é]{0,40}") {
            let _ = word(&text, '\\', &lookup).is_ok();
            let _ = words(&text, '`', &lookup).is_ok();
            let _ = heredoc(&text, '\\', &lookup).is_ok();
        }
    }
}
