//! RPM's order: `[epoch:]version[-release]` (rpm `rpmver.c`, `rpmvercmp.c`; rpm-version(7)).
//!
//! A missing epoch counts as 0 and a missing release is below every release, as in rpm's own comparison.

use std::cmp::Ordering;

use super::number::{Number, is_digits, split_while};

/// An RPM version in its three parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    epoch: Number<'a>,
    version: &'a str,
    release: Option<&'a str>,
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) if epoch.is_empty() || is_digits(epoch) => {
                (Number::new(epoch), rest)
            }
            _ => (Number::ZERO, text),
        };
        let (version, release) = match rest.rsplit_once('-') {
            Some((version, release)) => (version, Some(release)),
            None => (rest, None),
        };
        if version.is_empty() {
            return Err("its version part is empty");
        }
        Ok(Self {
            epoch,
            version,
            release,
        })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(self.version, other.version))
            .then_with(|| match (self.release, other.release) {
                (Some(left), Some(right)) => compare_part(left, right),
                (left, right) => left.is_some().cmp(&right.is_some()),
            })
    }
}

/// The segment comparison of RPM, with `~` (below the end) and `^` (above the end, below more text).
fn compare_part(mut left: &str, mut right: &str) -> Ordering {
    loop {
        left = skip_separators(left);
        right = skip_separators(right);
        if let Some(order) = compare_mark(left, right, '~', Ordering::Less) {
            return order;
        }
        if left.starts_with('~') {
            (left, right) = (&left[1..], &right[1..]);
            continue;
        }
        if let Some(order) = compare_caret(left, right) {
            return order;
        }
        if left.starts_with('^') {
            (left, right) = (&left[1..], &right[1..]);
            continue;
        }
        if left.is_empty() || right.is_empty() {
            return left.len().min(1).cmp(&right.len().min(1));
        }
        let (order, left_rest, right_rest) = compare_segment(left, right);
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
}

/// Compares the digits or letters that both texts begin with, and gives what follows them. Of different kinds, digits win.
pub(super) fn compare_segment<'a, 'b>(
    left: &'a str,
    right: &'b str,
) -> (Ordering, &'a str, &'b str) {
    let numeric = left.starts_with(|first: char| first.is_ascii_digit());
    let wanted = |byte: u8| {
        if numeric {
            byte.is_ascii_digit()
        } else {
            byte.is_ascii_alphabetic()
        }
    };
    let (left_part, left_rest) = split_while(left, wanted);
    let (right_part, right_rest) = split_while(right, wanted);
    let order = match (numeric, right_part.is_empty()) {
        (true, true) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (true, false) => Number::new(left_part).cmp(&Number::new(right_part)),
        (false, false) => left_part.cmp(right_part),
    };
    (order, left_rest, right_rest)
}

fn skip_separators(text: &str) -> &str {
    text.trim_start_matches(|next: char| {
        !next.is_ascii_alphanumeric() && next != '~' && next != '^'
    })
}

/// The order if exactly one side starts with the mark: that side is `marked`.
fn compare_mark(left: &str, right: &str, mark: char, marked: Ordering) -> Option<Ordering> {
    match (left.starts_with(mark), right.starts_with(mark)) {
        (true, false) => Some(marked),
        (false, true) => Some(marked.reverse()),
        _ => None,
    }
}

fn compare_caret(left: &str, right: &str) -> Option<Ordering> {
    match (left.starts_with('^'), right.starts_with('^')) {
        (true, false) if right.is_empty() => Some(Ordering::Greater),
        (false, true) if left.is_empty() => Some(Ordering::Less),
        _ => compare_mark(left, right, '^', Ordering::Less),
    }
}
