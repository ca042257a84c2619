//! Python's order (PEP 440, the version specifiers specification of packaging.python.org), local versions included.

use std::cmp::Ordering;

use super::number::{Number, is_digits, split_while};

/// A Python version in its parts, ready to compare.
#[derive(Debug, Clone)]
pub(super) struct Version<'a> {
    epoch: Number<'a>,
    release: Vec<Number<'a>>,
    pre: Option<(u8, Number<'a>)>,
    post: Option<Number<'a>>,
    dev: Option<Number<'a>>,
    local: Vec<Local<'a>>,
}

/// A part of a local version label; words are below numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Local<'a> {
    Word(String),
    Number(Number<'a>),
}

const PRE_RELEASES: [(&str, u8); 8] = [
    ("alpha", 0),
    ("a", 0),
    ("beta", 1),
    ("b", 1),
    ("preview", 2),
    ("pre", 2),
    ("rc", 2),
    ("c", 2),
];

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let text = text.trim();
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let (public, local) = match text.split_once('+') {
            Some((public, local)) => (
                public,
                parse_local(local).ok_or("its local label is malformed")?,
            ),
            None => (text, Vec::new()),
        };
        let (first, after) = split_digits(public);
        let (epoch, rest) = match after.strip_prefix('!') {
            Some(rest) if !first.is_empty() => (Number::new(first), rest),
            _ => (Number::ZERO, public),
        };
        let (release, rest) = parse_release(rest).ok_or("it does not start with a number")?;
        let (pre, rest) = parse_pre(rest);
        let (post, rest) = parse_post(rest);
        let (dev, rest) = match tagged(rest, &["dev"]) {
            Some((number, rest)) => (Some(number), rest),
            None => (None, rest),
        };
        if !rest.is_empty() {
            return Err("it has text that no part of a PEP 440 version can hold");
        }
        Ok(Self {
            epoch,
            release,
            pre,
            post,
            dev,
            local,
        })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| self.release.cmp(&other.release))
            .then_with(|| self.pre_rank().cmp(&other.pre_rank()))
            .then_with(|| self.post.cmp(&other.post))
            .then_with(|| compare_dev(self.dev, other.dev))
            .then_with(|| self.local.cmp(&other.local))
    }

    /// A bare development release is below every pre-release, a final release above.
    fn pre_rank(&self) -> (u8, u8, Number<'a>) {
        match self.pre {
            Some((kind, number)) => (1, kind, number),
            None if self.post.is_none() && self.dev.is_some() => (0, 0, Number::ZERO),
            None => (2, 0, Number::ZERO),
        }
    }
}

fn compare_dev(left: Option<Number<'_>>, right: Option<Number<'_>>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => left.cmp(&right),
        (left, right) => left.is_none().cmp(&right.is_none()),
    }
}

fn parse_release(text: &str) -> Option<(Vec<Number<'_>>, &str)> {
    let (first, mut rest) = split_digits(text);
    if first.is_empty() {
        return None;
    }
    let mut numbers = vec![Number::new(first)];
    while let Some(after) = rest.strip_prefix('.') {
        let (part, after) = split_digits(after);
        if part.is_empty() {
            break;
        }
        numbers.push(Number::new(part));
        rest = after;
    }
    // Trailing zeros carry no meaning: `1.0` is `1`.
    while numbers.len() > 1 && numbers.last().is_some_and(|last| last.is_zero()) {
        numbers.pop();
    }
    Some((numbers, rest))
}

fn parse_pre(text: &str) -> (Option<(u8, Number<'_>)>, &str) {
    for (word, kind) in PRE_RELEASES {
        if let Some((number, rest)) = tagged(text, &[word]) {
            return (Some((kind, number)), rest);
        }
    }
    (None, text)
}

fn parse_post(text: &str) -> (Option<Number<'_>>, &str) {
    if let Some((digits, rest)) = text
        .strip_prefix('-')
        .map(split_digits)
        .filter(|(digits, _)| !digits.is_empty())
    {
        return (Some(Number::new(digits)), rest);
    }
    match tagged(text, &["post", "rev", "r"]) {
        Some((number, rest)) => (Some(number), rest),
        None => (None, text),
    }
}

/// Reads `[-_.]?WORD([-_.]?DIGITS)?`; a missing number is 0.
fn tagged<'a>(text: &'a str, words: &[&str]) -> Option<(Number<'a>, &'a str)> {
    let start = text.strip_prefix(['-', '_', '.']).unwrap_or(text);
    let word = words.iter().find(|word| {
        start
            .get(..word.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(word))
    })?;
    let rest = &start[word.len()..];
    let (digits, after) = split_digits(rest.strip_prefix(['-', '_', '.']).unwrap_or(rest));
    if !digits.is_empty() {
        return Some((Number::new(digits), after));
    }
    // The separator before a missing number belongs to the tag unless the next tag can use it.
    let dangling = matches!(
        rest.as_bytes(),
        [b'-' | b'_' | b'.'] | [b'-' | b'_' | b'.', b'-' | b'_' | b'.', ..]
    );
    Some((Number::ZERO, if dangling { &rest[1..] } else { rest }))
}

fn parse_local(text: &str) -> Option<Vec<Local<'_>>> {
    text.split(['-', '_', '.'])
        .map(|part| {
            if is_digits(part) {
                Some(Local::Number(Number::new(part)))
            } else if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                Some(Local::Word(part.to_ascii_lowercase()))
            } else {
                None
            }
        })
        .collect()
}

fn split_digits(text: &str) -> (&str, &str) {
    split_while(text, |byte| byte.is_ascii_digit())
}
