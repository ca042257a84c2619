//! Decimal numbers of any length, compared without being converted: versions hold dates, hashes and worse.

use std::cmp::Ordering;

/// A run of ASCII digits, compared by value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number<'a>(&'a str);

impl<'a> Number<'a> {
    /// The value zero.
    pub(super) const ZERO: Number<'static> = Number("");

    /// Takes a text that holds digits only; leading zeros carry no value.
    pub(super) fn new(digits: &'a str) -> Self {
        Self(digits.trim_start_matches('0'))
    }

    /// Takes `text` if it is one or more digits and nothing else.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        is_digits(text).then(|| Self::new(text))
    }

    /// Whether the value is zero.
    pub(super) fn is_zero(self) -> bool {
        self.0.is_empty()
    }
}

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0
            .len()
            .cmp(&other.0.len())
            .then_with(|| self.0.cmp(other.0))
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number<'_> {}

/// Whether the text is one or more ASCII digits.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Splits the longest prefix whose bytes all satisfy `wanted` (an ASCII class) from the rest.
pub(super) fn split_while(text: &str, wanted: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|byte| !wanted(byte))
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Compares two lists of numbers, the shorter one filled up with zeros.
pub(super) fn compare_padded<'a>(left: &[Number<'a>], right: &[Number<'a>]) -> Ordering {
    for index in 0..left.len().max(right.len()) {
        let part = |list: &[Number<'a>]| list.get(index).copied().unwrap_or(Number::ZERO);
        let order = part(left).cmp(&part(right));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}
