//! Pacman's order: `[epoch:]version[-release]` (vercmp(8)).
//!
//! A release is compared only when both sides have one, so versions with and without it form no total order.

use std::cmp::Ordering;

use super::number::{Number, is_digits, split_while};

/// A pacman version in its three parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    epoch: &'a str,
    version: &'a str,
    release: Option<&'a str>,
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) if epoch.is_empty() || is_digits(epoch) => (epoch, rest),
            _ => ("0", text),
        };
        let (version, release) = match rest.rsplit_once('-') {
            Some((version, release)) => (version, Some(release)),
            None => (rest, None),
        };
        Ok(Self {
            epoch,
            version,
            release,
        })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        Number::new(self.epoch)
            .cmp(&Number::new(other.epoch))
            .then_with(|| compare_part(self.version, other.version))
            .then_with(|| match (self.release, other.release) {
                (Some(left), Some(right)) => compare_part(left, right),
                _ => Ordering::Equal,
            })
    }
}

fn compare_part(left: &str, right: &str) -> Ordering {
    let (mut left_rest, mut right_rest) = (left, right);
    while !left_rest.is_empty() && !right_rest.is_empty() {
        let separator = |byte: u8| !byte.is_ascii_alphanumeric();
        let (left_gap, left_text) = split_while(left_rest, separator);
        let (right_gap, right_text) = split_while(right_rest, separator);
        (left_rest, right_rest) = (left_text, right_text);
        if left_text.is_empty() || right_text.is_empty() {
            break;
        }
        if left_gap.len() != right_gap.len() {
            return left_gap.len().cmp(&right_gap.len());
        }
        let (order, left_after, right_after) = super::rpm::compare_segment(left_text, right_text);
        if order.is_ne() {
            return order;
        }
        (left_rest, right_rest) = (left_after, right_after);
    }
    compare_rest(left_rest, right_rest)
}

/// What is left decides: letters are below nothing (`1.0rc` < `1.0`), anything else is above.
fn compare_rest(left: &str, right: &str) -> Ordering {
    let letter = |text: &str| text.starts_with(|first: char| first.is_ascii_alphabetic());
    match (left.is_empty(), right.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) if !letter(right) => Ordering::Less,
        _ if letter(left) => Ordering::Less,
        _ => Ordering::Greater,
    }
}
