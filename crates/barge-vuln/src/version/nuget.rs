//! NuGet's order: up to four numbers, then pre-release labels without regard to case; metadata does not count.

use std::cmp::Ordering;

use super::number::{Number, compare_padded, is_digits};

/// A NuGet version in its parts.
#[derive(Debug, Clone)]
pub(super) struct Version<'a> {
    numbers: Vec<Number<'a>>,
    labels: Vec<&'a str>,
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let text = text.trim();
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let (core, labels) = match text.split_once('-') {
            Some((core, labels)) => (core, labels.split('.').collect()),
            None => (text, Vec::new()),
        };
        let numbers: Option<Vec<_>> = core
            .split('.')
            .map(|part| Number::parse(part.trim()))
            .collect();
        let numbers = numbers.ok_or("its core is not dotted numbers")?;
        if numbers.len() > 4 {
            return Err("it has more than four numbers");
        }
        Ok(Self { numbers, labels })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        compare_padded(&self.numbers, &other.numbers)
            .then_with(|| self.labels.is_empty().cmp(&other.labels.is_empty()))
            .then_with(|| compare_labels(&self.labels, &other.labels))
    }
}

fn compare_labels(left: &[&str], right: &[&str]) -> Ordering {
    for (left, right) in left.iter().zip(right) {
        let order = compare_label(left, right);
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

/// Numbers are below words; a number too big for 32 bits is a word to NuGet.
fn compare_label(left: &str, right: &str) -> Ordering {
    let number = |label: &str| {
        is_digits(label)
            .then(|| label.parse::<i32>().ok())
            .flatten()
    };
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => {
            let upper = |label: &str| {
                label
                    .bytes()
                    .map(|byte| byte.to_ascii_uppercase())
                    .collect::<Vec<_>>()
            };
            upper(left).cmp(&upper(right))
        }
    }
}
