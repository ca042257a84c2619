//! Alpine's order: `digits{.digits}[letter]{_suffix[digits]}[~hash][-rdigits]` (apk-tools 3, `version.c`).

use std::cmp::Ordering;

use super::number::{Number, split_while};

/// An apk version, cut into tokens.
#[derive(Debug, Clone)]
pub(super) struct Version<'a> {
    tokens: Vec<Token<'a>>,
}

/// Tokens in the order in which they may follow each other; a later kind is lower than an earlier one.
#[derive(Debug, Clone, Copy)]
enum Token<'a> {
    First(Number<'a>),
    Part(&'a str),
    Letter(u8),
    Suffix(i8),
    SuffixNumber(Number<'a>),
    Hash(&'a str),
    Revision(Number<'a>),
    End,
}

/// Suffixes with their weight: below 0 comes before the plain version, above 0 after it.
const SUFFIXES: [(&str, i8); 9] = [
    ("alpha", -4),
    ("beta", -3),
    ("pre", -2),
    ("rc", -1),
    ("cvs", 1),
    ("svn", 2),
    ("git", 3),
    ("hg", 4),
    ("p", 5),
];

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let mut tokens = Vec::new();
        let (first, mut rest) = digits(text);
        if first.is_empty() {
            return Err("it does not start with a digit");
        }
        tokens.push(Token::First(Number::new(first)));
        while let Some(after) = rest.strip_prefix('.') {
            let (part, after) = digits(after);
            if part.is_empty() {
                return Err("a dot is not followed by a digit");
            }
            tokens.push(Token::Part(part));
            rest = after;
        }
        if let Some(letter) = rest.bytes().next().filter(u8::is_ascii_lowercase) {
            tokens.push(Token::Letter(letter));
            rest = &rest[1..];
        }
        while let Some(after) = rest.strip_prefix('_') {
            let (name, after) = split_while(after, |byte| byte.is_ascii_lowercase());
            let (_, weight) = SUFFIXES
                .iter()
                .find(|(known, _)| *known == name)
                .ok_or("it has an unknown suffix")?;
            tokens.push(Token::Suffix(*weight));
            let (number, after) = digits(after);
            if !number.is_empty() {
                tokens.push(Token::SuffixNumber(Number::new(number)));
            }
            rest = after;
        }
        if let Some(after) = rest.strip_prefix('~') {
            let (hash, after) =
                split_while(after, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if hash.is_empty() {
                return Err("its commit hash is empty");
            }
            tokens.push(Token::Hash(hash));
            rest = after;
        }
        if let Some(after) = rest.strip_prefix("-r") {
            let (revision, after) = digits(after);
            if revision.is_empty() {
                return Err("its revision has no number");
            }
            tokens.push(Token::Revision(Number::new(revision)));
            rest = after;
        }
        if !rest.is_empty() {
            return Err("it has text that no part of an apk version can hold");
        }
        tokens.push(Token::End);
        Ok(Self { tokens })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        for (left, right) in self.tokens.iter().zip(&other.tokens) {
            let order = left.compare(right);
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

impl Token<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::First(left), Self::First(right))
            | (Self::SuffixNumber(left), Self::SuffixNumber(right))
            | (Self::Revision(left), Self::Revision(right)) => left.cmp(right),
            (Self::Part(left), Self::Part(right)) => compare_parts(left, right),
            (Self::Letter(left), Self::Letter(right)) => left.cmp(right),
            (Self::Suffix(left), Self::Suffix(right)) => left.cmp(right),
            (Self::Hash(left), Self::Hash(right)) => left.cmp(right),
            (Self::Suffix(weight), _) if *weight < 0 => Ordering::Less,
            (_, Self::Suffix(weight)) if *weight < 0 => Ordering::Greater,
            _ => other.rank().cmp(&self.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::First(_) => 0,
            Self::Part(_) => 1,
            Self::Letter(_) => 2,
            Self::Suffix(_) => 3,
            Self::SuffixNumber(_) => 4,
            Self::Hash(_) => 5,
            Self::Revision(_) => 6,
            Self::End => 7,
        }
    }
}

/// A part with a leading zero turns the comparison into one of text, as Gentoo's order has it.
fn compare_parts(left: &str, right: &str) -> Ordering {
    if left.starts_with('0') || right.starts_with('0') {
        left.cmp(right)
    } else {
        Number::new(left).cmp(&Number::new(right))
    }
}

fn digits(text: &str) -> (&str, &str) {
    split_while(text, |byte| byte.is_ascii_digit())
}
