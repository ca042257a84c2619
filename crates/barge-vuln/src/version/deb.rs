//! Debian's order: `[epoch:]upstream[-revision]` (deb-version(7), Debian policy 5.6.12).
//!
//! Characters that policy forbids are compared like any other, as dpkg does after a warning.

use std::cmp::Ordering;

use super::number::{Number, split_while};

/// A Debian version in its three parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    epoch: Number<'a>,
    upstream: &'a str,
    revision: &'a str,
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        if text.contains(char::is_whitespace) {
            return Err("it has spaces inside");
        }
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (
                Number::parse(epoch).ok_or("its epoch is not a number")?,
                rest,
            ),
            None => (Number::ZERO, text),
        };
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        if upstream.is_empty() {
            return Err("its upstream part is empty");
        }
        if text.ends_with('-') {
            return Err("its revision is empty");
        }
        Ok(Self {
            epoch,
            upstream,
            revision,
        })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(self.upstream, other.upstream))
            .then_with(|| compare_part(self.revision, other.revision))
    }
}

/// Compares by turns a run of non-digits (letters first, `~` before the end) and a run of digits (by value).
pub(super) fn compare_part(mut left: &str, mut right: &str) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        let (left_text, left_rest) = split_while(left, |byte| !byte.is_ascii_digit());
        let (right_text, right_rest) = split_while(right, |byte| !byte.is_ascii_digit());
        let order = compare_text(left_text.as_bytes(), right_text.as_bytes());
        if order.is_ne() {
            return order;
        }
        let (left_digits, left_rest) = split_while(left_rest, |byte| byte.is_ascii_digit());
        let (right_digits, right_rest) = split_while(right_rest, |byte| byte.is_ascii_digit());
        let order = Number::new(left_digits).cmp(&Number::new(right_digits));
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    Ordering::Equal
}

fn compare_text(left: &[u8], right: &[u8]) -> Ordering {
    for index in 0..left.len().max(right.len()) {
        let order = weight(left.get(index)).cmp(&weight(right.get(index)));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        None => 0,
        Some(b'~') => -1,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    }
}
