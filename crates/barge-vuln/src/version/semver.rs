//! Semantic versions (semver.org, section 11), read leniently: `v` and `=` before it, any number of core parts, numbers of any
//! size. What stands behind the core is of letters, digits and hyphens (sections 9 and 10), as node-semver reads it, too: a
//! list of versions or a range is no version.
//!
//! Three ecosystems differ in one point each: Go names its own releases `go1.22rc1`, and Dart counts build metadata.

use std::cmp::Ordering;

use super::number::{Number, compare_padded, is_digits, split_while};

/// A semantic version in its parts.
#[derive(Debug, Clone)]
pub(super) struct Version<'a> {
    core: Vec<Number<'a>>,
    pre: Vec<Identifier<'a>>,
    build: Vec<Identifier<'a>>,
}

/// A dot-separated part of a pre-release; numbers are below words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier<'a> {
    Number(Number<'a>),
    Word(&'a str),
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let text = text.trim();
        let text = text.trim_start_matches(|before: char| {
            matches!(before, 'v' | 'V' | '=') || before.is_whitespace()
        });
        let (core, rest) = parse_core(text)?;
        let (pre, build) = match rest.split_once('+') {
            Some((pre, build)) => (pre, identifiers(build)),
            None => (rest, Vec::new()),
        };
        let is_dangling = pre == "-";
        let pre = pre.strip_prefix('-').unwrap_or(pre);
        if rest.contains(char::is_whitespace) {
            return Err("it has spaces inside");
        }
        if !rest.bytes().all(is_of_identifier) {
            return Err("behind its numbers is more than letters, digits and hyphens");
        }
        let pre = if is_dangling {
            vec![Identifier::Word("")]
        } else {
            identifiers(pre)
        };
        Ok(Self { core, pre, build })
    }

    /// Reads a Go version: `v1.2.3+incompatible`, a pseudo-version, or the name of a Go release such as `go1.22rc1`.
    pub(super) fn parse_go(text: &'a str) -> Result<Self, &'static str> {
        let text = text.trim();
        let text = text.strip_prefix("go").unwrap_or(text);
        let mut version = Self::parse(text)?;
        if let [Identifier::Word(word)] = version.pre[..] {
            let (name, number) = split_while(word, |byte| byte.is_ascii_alphabetic());
            if matches!(name, "rc" | "beta") && is_digits(number) && !text.contains('-') {
                version.pre = vec![
                    Identifier::Word(name),
                    Identifier::Number(Number::new(number)),
                ];
            }
        }
        Ok(version)
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        compare_padded(&self.core, &other.core).then_with(|| compare_pre(&self.pre, &other.pre))
    }

    pub(super) fn compare_with_build(&self, other: &Self) -> Ordering {
        self.compare(other)
            .then_with(|| self.build.cmp(&other.build))
    }
}

fn parse_core(text: &str) -> Result<(Vec<Number<'_>>, &str), &'static str> {
    let mut core = Vec::with_capacity(3);
    let mut rest = text;
    loop {
        let (digits, after) = split_while(rest, |byte| byte.is_ascii_digit());
        if digits.is_empty() {
            return Err("a number is missing from its core");
        }
        core.push(Number::new(digits));
        match after.strip_prefix('.') {
            Some(after) => rest = after,
            None => return Ok((core, after)),
        }
    }
}

/// Whether a byte may stand behind the core, separators included.
fn is_of_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'+')
}

fn identifiers(text: &str) -> Vec<Identifier<'_>> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split('.')
        .map(|part| Number::parse(part).map_or(Identifier::Word(part), Identifier::Number))
        .collect()
}

fn compare_pre(left: &[Identifier<'_>], right: &[Identifier<'_>]) -> Ordering {
    left.is_empty()
        .cmp(&right.is_empty())
        .then_with(|| left.cmp(right))
}
