//! RubyGems' order (`Gem::Version`): a part with letters is a pre-release, `-` stands for `.pre.`.

use std::cmp::Ordering;

use super::number::{Number, is_digits, split_while};

/// A gem version as canonical segments: zeros at the end of the numbers and of the whole are dropped.
#[derive(Debug, Clone)]
pub(super) struct Version<'a> {
    segments: Vec<Segment<'a>>,
}

/// A run of letters or of digits; letters are below numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Segment<'a> {
    Word(&'a str),
    Number(Number<'a>),
}

const ZERO: Segment<'static> = Segment::Number(Number::ZERO);

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let text = text.trim();
        if !is_correct(text) {
            return Err("it is not digits and dotted alphanumeric parts");
        }
        let mut segments = Vec::new();
        for (index, dashed) in text.split('-').enumerate() {
            if index > 0 {
                segments.push(Segment::Word("pre"));
            }
            for part in dashed.split('.') {
                split_segments(part, &mut segments);
            }
        }
        let numbers = segments
            .iter()
            .position(|segment| matches!(segment, Segment::Word(_)))
            .unwrap_or(segments.len());
        let mut words = segments.split_off(numbers);
        trim_zeros(&mut segments);
        trim_zeros(&mut words);
        segments.append(&mut words);
        Ok(Self { segments })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        for index in 0..self.segments.len().max(other.segments.len()) {
            let left = self.segments.get(index).unwrap_or(&ZERO);
            let order = left.cmp(other.segments.get(index).unwrap_or(&ZERO));
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

fn trim_zeros(segments: &mut Vec<Segment<'_>>) {
    while segments.last().is_some_and(|last| *last == ZERO) {
        segments.pop();
    }
}

fn split_segments<'a>(mut part: &'a str, segments: &mut Vec<Segment<'a>>) {
    while !part.is_empty() {
        let (digits, rest) = split_while(part, |byte| byte.is_ascii_digit());
        if !digits.is_empty() {
            segments.push(Segment::Number(Number::new(digits)));
        }
        let (word, rest) = split_while(rest, |byte| byte.is_ascii_alphabetic());
        if !word.is_empty() {
            segments.push(Segment::Word(word));
        }
        part = rest;
    }
}

/// `Gem::Version.correct?`: `[0-9]+(\.[0-9a-zA-Z]+)*(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?`, or nothing.
fn is_correct(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    let (release, pre) = text
        .split_once('-')
        .map_or((text, None), |(release, pre)| (release, Some(pre)));
    let mut parts = release.split('.');
    let word =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let label = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    parts.next().is_some_and(is_digits)
        && parts.all(word)
        && pre.is_none_or(|pre| pre.split('.').all(label))
}
