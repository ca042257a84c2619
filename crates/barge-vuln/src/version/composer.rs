//! Composer's order: `composer/semver` normalisation, then PHP's `version_compare`.

use std::cmp::Ordering;

use super::number::{Number, is_digits, split_while};

/// A Composer version: a branch, or the parts of its normal form as PHP cuts them.
#[derive(Debug, Clone)]
pub(super) struct Version {
    branch: Option<String>,
    parts: Vec<String>,
}

impl Version {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let normal = normalize(text).ok_or("composer cannot normalise it")?;
        Ok(match normal.strip_prefix("dev-") {
            Some(branch) => Self {
                branch: Some(branch.to_owned()),
                parts: Vec::new(),
            },
            None => Self {
                branch: None,
                parts: php_parts(&normal),
            },
        })
    }

    /// Branches are below every number; among themselves they are ordered by name.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (&self.branch, &other.branch) {
            (None, None) => compare_parts(&self.parts, &other.parts),
            (left, right) => right
                .is_some()
                .cmp(&left.is_some())
                .then_with(|| left.cmp(right)),
        }
    }
}

/// `VersionParser::normalize`, without constraints and inline aliases beyond `A as B`.
fn normalize(text: &str) -> Option<String> {
    let mut text = text.trim();
    if let Some((version, alias)) = text.split_once(" as ")
        && !version.trim_end().contains([' ', ','])
        && !alias.trim_start().contains([' ', ','])
    {
        text = version.trim_end();
    }
    if let Some((version, flag)) = text.rsplit_once('@')
        && ["stable", "rc", "beta", "alpha", "dev"]
            .iter()
            .any(|known| flag.eq_ignore_ascii_case(known))
    {
        text = version;
    }
    if matches!(text, "master" | "trunk" | "default") {
        return Some(format!("dev-{text}"));
    }
    if text
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("dev-"))
    {
        return Some(format!("dev-{}", &text[4..]));
    }
    let text = match text.split_once('+') {
        Some((version, build))
            if !version.is_empty() && !build.is_empty() && !text.contains([' ', ',']) =>
        {
            version
        }
        _ => text,
    };
    let stripped = text.strip_prefix(['v', 'V']).unwrap_or(text);
    classical(stripped)
        .or_else(|| dated(stripped))
        .or_else(|| numbered_branch(text))
}

/// `1.2.3.4` with up to four numbers, then a modifier.
fn classical(text: &str) -> Option<String> {
    let (major, mut rest) = digits(text);
    if major.is_empty() || major.len() > 5 {
        return None;
    }
    let mut normal = major.to_owned();
    let mut count = 1;
    while count < 4 {
        let Some((part, after)) = rest
            .strip_prefix('.')
            .map(digits)
            .filter(|(part, _)| !part.is_empty())
        else {
            break;
        };
        normal.push('.');
        normal.push_str(part);
        rest = after;
        count += 1;
    }
    for _ in count..4 {
        normal.push_str(".0");
    }
    with_modifier(normal, rest)
}

/// A date such as `2010.01.02`, `20100102-203040` or `2010-01-02.5`, then a modifier.
fn dated(text: &str) -> Option<String> {
    // `\d{4}(?:[.:-]?\d{2}){1,6}(?:[.:-]?\d{1,3}){0,2}`: greedy, then shorter, as a regular expression would try.
    let mut ends = Vec::new();
    let year = text.get(..4).filter(|year| is_digits(year))?.len();
    date_ends(text, year, 0, &mut ends);
    ends.into_iter().find_map(|end| {
        let date: String = text[..end]
            .chars()
            .map(|next| if next.is_ascii_digit() { next } else { '.' })
            .collect();
        with_modifier(date, &text[end..])
    })
}

/// Collects the ends of all dates that start the text, in the order in which backtracking meets them.
fn date_ends(text: &str, at: usize, pairs: usize, ends: &mut Vec<usize>) {
    if pairs < 6 {
        for end in part_ends(text, at, &[2]) {
            date_ends(text, end, pairs + 1, ends);
        }
    }
    if pairs > 0 {
        for first in part_ends(text, at, &[3, 2, 1]) {
            ends.extend(part_ends(text, first, &[3, 2, 1]));
            ends.push(first);
        }
        ends.push(at);
    }
}

/// Where `[.:-]?\d{n}` can end for each wanted `n`.
fn part_ends(text: &str, at: usize, lengths: &[usize]) -> Vec<usize> {
    let bytes = text.as_bytes();
    let start = at + usize::from(matches!(bytes.get(at), Some(b'.' | b':' | b'-')));
    let fits = |length: &&usize| {
        bytes
            .get(start..start + **length)
            .is_some_and(|run| run.iter().all(u8::is_ascii_digit))
    };
    lengths
        .iter()
        .filter(fits)
        .map(|length| start + length)
        .collect()
}

/// `[._-]?(?:(stable|beta|b|RC|alpha|a|patch|pl|p)((?:[.-]?\d+)*)?)?([.-]?dev)?` up to the end.
fn with_modifier(mut normal: String, text: &str) -> Option<String> {
    const STABILITIES: [(&str, &str); 9] = [
        ("stable", ""),
        ("beta", "-beta"),
        ("b", "-beta"),
        ("rc", "-RC"),
        ("alpha", "-alpha"),
        ("a", "-alpha"),
        ("patch", "-patch"),
        ("pl", "-patch"),
        ("p", "-patch"),
    ];
    let text = text.to_ascii_lowercase();
    if is_dev(&text) {
        normal.push_str(if text.is_empty() { "" } else { "-dev" });
        return Some(normal);
    }
    let start = text.strip_prefix(['.', '_', '-']).unwrap_or(&text);
    if start.is_empty() || is_dev(start) {
        normal.push_str(if start.is_empty() { "" } else { "-dev" });
        return Some(normal);
    }
    for (word, normal_word) in STABILITIES {
        let Some(after) = start.strip_prefix(word) else {
            continue;
        };
        let (numbers, rest) = modifier_numbers(after);
        if is_dev(rest) {
            if word != "stable" {
                normal.push_str(normal_word);
                normal.push_str(numbers.trim_start_matches(['.', '-']));
                normal.push_str(if rest.is_empty() { "" } else { "-dev" });
            }
            return Some(normal);
        }
    }
    None
}

fn is_dev(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(['.', '-']).unwrap_or(text) == "dev"
}

fn modifier_numbers(text: &str) -> (&str, &str) {
    let mut rest = text;
    loop {
        let (run, after) = digits(rest.strip_prefix(['.', '-']).unwrap_or(rest));
        if run.is_empty() {
            return (&text[..text.len() - rest.len()], rest);
        }
        rest = after;
    }
}

/// `1.0.x-dev`: the branch stands above all its releases.
fn numbered_branch(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let name = lower.strip_suffix("dev")?;
    let name = name.strip_suffix(['.', '-']).unwrap_or(name).trim();
    let name = name.strip_prefix('v').unwrap_or(name);
    let parts: Vec<&str> = name.split('.').collect();
    let wild = |part: &&str| is_digits(part) || matches!(*part, "x" | "*");
    if parts.len() > 4
        || !parts.first().is_some_and(|first| is_digits(first))
        || !parts.iter().all(wild)
    {
        return None;
    }
    let part = |index: usize| match parts.get(index) {
        Some(part) if is_digits(part) => *part,
        _ => "9999999",
    };
    Some(format!(
        "{}.{}.{}.{}-dev",
        part(0),
        part(1),
        part(2),
        part(3)
    ))
}

fn digits(text: &str) -> (&str, &str) {
    split_while(text, |byte| byte.is_ascii_digit())
}

/// `php_canonicalize_version`: cuts at `-_+.` and between digits and anything else.
fn php_parts(version: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    for next in version.chars() {
        let boundary = part
            .chars()
            .last()
            .is_some_and(|last| last.is_ascii_digit() != next.is_ascii_digit());
        let separator = matches!(next, '-' | '_' | '+' | '.');
        if (separator || boundary) && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
        }
        if !separator {
            part.push(next);
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

fn compare_parts(left: &[String], right: &[String]) -> Ordering {
    for index in 0..left.len().max(right.len()) {
        let order = match (left.get(index), right.get(index)) {
            (Some(left), Some(right)) => compare_part(left, right),
            (Some(left), None) => part_to_nothing(left),
            (None, Some(right)) => part_to_nothing(right).reverse(),
            (None, None) => Ordering::Equal,
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn compare_part(left: &str, right: &str) -> Ordering {
    match (Number::parse(left), Number::parse(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => form(None).cmp(&form(Some(right))),
        (None, Some(_)) => form(Some(left)).cmp(&form(None)),
        (None, None) => form(Some(left)).cmp(&form(Some(right))),
    }
}

/// A further number makes a version greater; a further word is weighed against a number.
fn part_to_nothing(part: &str) -> Ordering {
    if is_digits(part) {
        Ordering::Greater
    } else {
        form(Some(part)).cmp(&form(None))
    }
}

/// PHP's weights of words; a number (`None`) stands between `RC` and `pl`.
fn form(word: Option<&str>) -> i8 {
    const FORMS: [(&str, i8); 9] = [
        ("dev", 0),
        ("alpha", 1),
        ("a", 1),
        ("beta", 2),
        ("b", 2),
        ("RC", 3),
        ("rc", 3),
        ("pl", 5),
        ("p", 5),
    ];
    let Some(word) = word else { return 4 };
    FORMS
        .iter()
        .find(|(known, _)| word.starts_with(known))
        .map_or(-1, |(_, weight)| *weight)
}
