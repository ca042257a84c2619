//! Maven's order (`ComparableVersion` of Maven 3, POM reference "Version Order Specification").
//!
//! Maven nests a new list at each `-` and at each change between digits and letters, always at the end of the list before
//! it. So the nesting is a chain, kept here as one flat list in which [`Item::Open`] starts the next level; nothing recurses.

use std::cmp::Ordering;

use super::number::{Number, is_digits};

/// A Maven version as a normalised chain of lists.
#[derive(Debug, Clone)]
pub(super) struct Version {
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// A number without leading zeros; empty is zero.
    Number(String),
    /// A qualifier, lower case, aliases resolved.
    Word(String),
    /// A nested list starts: all that follows is in it.
    Open,
}

/// Known qualifiers in order; the empty one is the release itself.
const QUALIFIERS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
const RELEASE: usize = 5;

impl Version {
    pub(super) fn parse(text: &str) -> Self {
        let text = text.to_lowercase();
        let mut items: Vec<Item> = Vec::new();
        let mut start = 0;
        let mut in_digits = false;
        for (index, next) in text.char_indices() {
            let run = &text[start..index];
            match next {
                '.' | '-' => {
                    items.push(if run.is_empty() {
                        number("")
                    } else {
                        item(run, in_digits)
                    });
                    start = index + 1;
                    if next == '-' {
                        items.push(Item::Open);
                    }
                }
                '0'..='9' => {
                    if !in_digits && !run.is_empty() {
                        open_unless_fresh(&mut items);
                        items.push(word(run, true));
                        items.push(Item::Open);
                        start = index;
                    }
                    in_digits = true;
                }
                _ => {
                    if in_digits && !run.is_empty() {
                        items.push(item(run, true));
                        items.push(Item::Open);
                        start = index;
                    }
                    in_digits = false;
                }
            }
        }
        let run = &text[start..];
        if !run.is_empty() {
            if !in_digits {
                open_unless_fresh(&mut items);
            }
            items.push(item(run, in_digits));
        }
        Self {
            items: normalize(items),
        }
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let (mut left, mut right) = (self.items.as_slice(), other.items.as_slice());
        loop {
            let order = match (left.first(), right.first()) {
                (None, None) => return Ordering::Equal,
                (Some(Item::Open), None) => return compare_to_nothing(left),
                (None, Some(Item::Open)) => return compare_to_nothing(right).reverse(),
                (Some(Item::Open), Some(Item::Open)) => Ordering::Equal,
                (Some(left), Some(right)) => compare_items(left, right),
                (Some(left), None) => item_to_nothing(left),
                (None, Some(right)) => item_to_nothing(right).reverse(),
            };
            if order.is_ne() {
                return order;
            }
            left = left.get(1..).unwrap_or_default();
            right = right.get(1..).unwrap_or_default();
        }
    }
}

/// A qualifier after a dot is treated as one after a dash.
fn open_unless_fresh(items: &mut Vec<Item>) {
    if !matches!(items.last(), None | Some(Item::Open)) {
        items.push(Item::Open);
    }
}

fn item(run: &str, digits: bool) -> Item {
    if digits && is_digits(run) {
        number(run)
    } else {
        word(run, false)
    }
}

fn number(digits: &str) -> Item {
    Item::Number(digits.trim_start_matches('0').to_owned())
}

fn word(text: &str, before_digit: bool) -> Item {
    let text = match text {
        "a" if before_digit => "alpha",
        "b" if before_digit => "beta",
        "m" if before_digit => "milestone",
        "ga" | "final" | "release" => "",
        "cr" => "rc",
        other => other,
    };
    Item::Word(text.to_owned())
}

/// Drops what means nothing at the end of each list: zeros, release qualifiers, empty lists.
fn normalize(items: Vec<Item>) -> Vec<Item> {
    let mut kept: Vec<Item> = Vec::with_capacity(items.len());
    // From the end: `at_end` while only nested lists have been kept at the current level.
    let mut at_end = true;
    for item in items.into_iter().rev() {
        match item {
            Item::Open => {
                if !kept.is_empty() {
                    kept.push(Item::Open);
                }
                at_end = true;
            }
            item if at_end && is_null(&item) => {}
            item => {
                kept.push(item);
                at_end = false;
            }
        }
    }
    kept.reverse();
    kept
}

fn is_null(item: &Item) -> bool {
    matches!(item, Item::Number(text) | Item::Word(text) if text.is_empty())
}

fn compare_items(left: &Item, right: &Item) -> Ordering {
    match (left, right) {
        (Item::Number(left), Item::Number(right)) => Number::new(left).cmp(&Number::new(right)),
        (Item::Word(left), Item::Word(right)) => qualifier(left).cmp(&qualifier(right)),
        // Words are below lists, lists below numbers.
        _ => kind(left).cmp(&kind(right)),
    }
}

fn kind(item: &Item) -> u8 {
    match item {
        Item::Word(_) => 0,
        Item::Open => 1,
        Item::Number(_) => 2,
    }
}

/// Unknown qualifiers come after all known ones, in the order of their text.
fn qualifier(text: &str) -> (usize, &str) {
    match QUALIFIERS.iter().position(|known| *known == text) {
        Some(rank) => (rank, ""),
        None => (QUALIFIERS.len(), text),
    }
}

fn item_to_nothing(item: &Item) -> Ordering {
    match item {
        Item::Number(digits) if digits.is_empty() => Ordering::Equal,
        Item::Number(_) => Ordering::Greater,
        Item::Word(text) => qualifier(text).0.cmp(&RELEASE),
        Item::Open => Ordering::Equal,
    }
}

/// A nested list against nothing: its first item that differs from nothing decides.
fn compare_to_nothing(items: &[Item]) -> Ordering {
    items
        .iter()
        .map(item_to_nothing)
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}
