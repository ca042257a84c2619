//! What `${NAME...}` does to a value: patterns taken off and replaced, and substrings.

use crate::symbolic::{Shape, Text, Value};

use super::cut::shortened;
use super::tool::shape_change;

/// `${NAME#pattern}` and its three sisters.
#[must_use]
pub fn strip_pattern(text: &Text, operator: &str, pattern: &str) -> Value {
    let start = operator.starts_with('#');
    let unknown = || {
        Value::unknown(
            format!("{}{operator}{pattern}", text.describe()),
            Shape::Text,
        )
    };
    if !pattern.contains(['*', '?', '[']) {
        let stripped = if start {
            text.strip_start(pattern)
        } else {
            text.strip_end(pattern)
        };
        return match stripped {
            Some(stripped) => stripped.into(),
            None if text.as_literal().is_some() => text.clone().into(),
            None => unknown(),
        };
    }
    let Some(literal) = text.as_literal() else {
        return unknown();
    };
    let fits = |candidate: &str| matches_glob(pattern, candidate);
    let mut cuts: Vec<usize> = literal
        .char_indices()
        .map(|(at, _)| at)
        .chain([literal.len()])
        .collect();
    // `#` and `%` take the shortest match, the doubled forms the longest.
    let longest = operator.len() == 2;
    if start == longest {
        cuts.reverse();
    }
    for cut in cuts {
        let (head, tail) = literal.split_at(cut);
        if start && fits(head) {
            return Value::text(tail);
        }
        if !start && fits(tail) {
            return Value::text(head);
        }
    }
    Value::text(literal)
}

/// `${NAME/from/to}` and `${NAME//from/to}`.
#[must_use]
pub fn replace_pattern(text: &Text, all: bool, from: &str, to: &str) -> Value {
    let unknown = || Value::unknown(format!("{}/{from}/{to}", text.describe()), Shape::Text);
    if from.contains(['*', '?', '[']) || from.is_empty() {
        return unknown();
    }
    match text.as_literal() {
        Some(literal) if all => Value::text(literal.replace(from, to)),
        Some(literal) => Value::text(literal.replacen(from, to, 1)),
        None if all && from.chars().count() == 1 => {
            let tool: &'static str = if from == "/" {
                "slashes replaced"
            } else {
                "edited"
            };
            text.map(|literal| literal.replace(from, to), shape_change(tool))
                .into()
        }
        None => unknown(),
    }
}

/// `${NAME:offset:length}`.
#[must_use]
pub fn substring(text: &Text, range: &str) -> Value {
    // Nothing before the colon is zero: `${GITHUB_SHA::7}`.
    let mut numbers = range.split(':').map(|number| match number.trim() {
        "" => Some(0),
        number => number.parse::<usize>().ok(),
    });
    let (offset, length) = (numbers.next().flatten(), numbers.next().flatten());
    match (text.as_literal(), text.as_symbol(), offset) {
        (Some(literal), _, Some(offset)) => Value::text(
            literal
                .chars()
                .skip(offset)
                .take(length.unwrap_or(usize::MAX))
                .collect::<String>(),
        ),
        (None, Some(symbol), Some(0)) => match length {
            Some(length) => shortened(symbol, length).into(),
            None => text.clone().into(),
        },
        _ => Value::unknown(format!("{}:{range}", text.describe()), Shape::Text),
    }
}

/// Matches a pattern of `*` and `?` against a whole text; `[` is an ordinary character.
#[must_use]
pub(super) fn matches_glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(c) if *c == '?' || Some(c) == text.get(from) => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((star_at, taken)) => {
                    at = star_at + 1;
                    from = taken + 1;
                    star = Some((star_at, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}
