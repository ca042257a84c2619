//! Whether two partly known texts can be the same text.

use std::sync::Arc;

use ecow::EcoVec;

use super::symbol::Symbol;
use super::text::{Piece, Text};

/// Whether two texts are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Whatever the unknowns are.
    Equal,
    /// Whatever the unknowns are, they differ.
    Different,
    /// It depends on the unknowns.
    Maybe,
}

/// Texts longer than this are not compared character by character.
const COMPARE_LIMIT: usize = 400;

impl Text {
    /// Compares two texts, for every value of their unknowns.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Comparison {
        if self == other {
            return Comparison::Equal;
        }
        if let (Some(left), Some(right)) = (self.as_literal(), other.as_literal()) {
            return if left == right {
                Comparison::Equal
            } else {
                Comparison::Different
            };
        }
        if self.known_ends_differ(other) {
            return Comparison::Different;
        }
        // An unknown with few values is tried out.
        let listed = self
            .symbols()
            .chain(other.symbols())
            .find(|symbol| (1..=8).contains(&symbol.values().len()));
        if let Some(symbol) = listed {
            let symbol = Arc::clone(symbol);
            let mut results = symbol.values().iter().map(|value| {
                let value = Self::literal(value.as_str());
                self.replace(&symbol, &value)
                    .compare(&other.replace(&symbol, &value))
            });
            let first = results.next().unwrap_or(Comparison::Maybe);
            return if results.all(|result| result == first) {
                first
            } else {
                Comparison::Maybe
            };
        }
        let (left, right) = without_shared_ends(&self.0, &other.0);
        if let (Some(left), Some(right)) = (length(&left), length(&right))
            && left != right
        {
            return Comparison::Different;
        }
        let (left, right) = (elements(&left), elements(&right));
        if left.len() > COMPARE_LIMIT || right.len() > COMPARE_LIMIT {
            return Comparison::Maybe;
        }
        if can_meet(&left, &right) {
            Comparison::Maybe
        } else {
            Comparison::Different
        }
    }

    /// Says whether the known starts or the known ends of two texts already tell them apart.
    fn known_ends_differ(&self, other: &Self) -> bool {
        let (a, b) = (self.literal_start(), other.literal_start());
        if !a.starts_with(b) && !b.starts_with(a) {
            return true;
        }
        let (a, b) = (self.literal_end(), other.literal_end());
        !a.ends_with(b) && !b.ends_with(a)
    }
}

/// One step of matching: a character, or an unknown's stretch.
#[derive(Clone, Copy)]
enum Element<'a> {
    Character(char),
    /// A digit.
    Digit,
    One(&'a Symbol),
    Many(&'a Symbol),
}

impl Element<'_> {
    fn may_be(self, character: char) -> bool {
        match self {
            Self::Character(own) => own == character,
            Self::Digit => character.is_ascii_digit(),
            Self::One(symbol) | Self::Many(symbol) => symbol.may_hold(character),
        }
    }
}

/// The length of a text, in characters, when it is the same for all values of its unknowns.
fn length(pieces: &[Piece]) -> Option<usize> {
    pieces.iter().try_fold(0, |length, piece| match piece {
        Piece::Literal(text) => Some(length + text.chars().count()),
        Piece::Symbol(symbol) => Some(length + symbol.length()?),
    })
}

fn elements(pieces: &[Piece]) -> Vec<Element<'_>> {
    let mut elements = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Literal(text) => elements.extend(text.chars().map(Element::Character)),
            Piece::Symbol(symbol) => {
                if symbol.is_version() {
                    elements.push(Element::Digit);
                } else if !symbol.may_be_empty() {
                    elements.push(Element::One(symbol));
                }
                elements.push(Element::Many(symbol));
            }
        }
    }
    elements
}

/// Characters of which every two overlapping shapes share one: enough to see whether two unknowns can overlap.
const PROBES: [char; 3] = ['0', 'a', 't'];

fn overlap(left: Element<'_>, right: Element<'_>) -> bool {
    match (left, right) {
        (Element::Character(character), other) | (other, Element::Character(character)) => {
            other.may_be(character)
        }
        _ => PROBES
            .iter()
            .any(|probe| left.may_be(*probe) && right.may_be(*probe)),
    }
}

/// Says whether some values of the unknowns make two patterns one text; by rows, from the ends backwards.
fn can_meet(left: &[Element<'_>], right: &[Element<'_>]) -> bool {
    let width = right.len() + 1;
    let mut below = vec![false; width];
    for i in (0..=left.len()).rev() {
        let mut row = vec![false; width];
        for j in (0..=right.len()).rev() {
            let (a, b) = (left.get(i).copied(), right.get(j).copied());
            let down = below.get(j).copied().unwrap_or(false);
            let next = row.get(j + 1).copied().unwrap_or(false);
            let diagonal = below.get(j + 1).copied().unwrap_or(false);
            let meets = match (a, b) {
                (None, None) => true,
                (Some(Element::Many(_)), None) => down,
                (None, Some(Element::Many(_))) => next,
                (None, _) | (_, None) => false,
                (Some(x @ Element::Many(_)), Some(y @ Element::Many(_))) => {
                    down || next || (overlap(x, y) && diagonal)
                }
                (Some(x @ Element::Many(_)), Some(y)) => down || (overlap(x, y) && next),
                (Some(x), Some(y @ Element::Many(_))) => next || (overlap(x, y) && down),
                (Some(x), Some(y)) => overlap(x, y) && diagonal,
            };
            if let Some(cell) = row.get_mut(j) {
                *cell = meets;
            }
        }
        below = row;
    }
    below.first().copied().unwrap_or(false)
}

/// Drops what both texts start and end with, an unknown with the same name included.
fn without_shared_ends(left: &[Piece], right: &[Piece]) -> (EcoVec<Piece>, EcoVec<Piece>) {
    let mut left = Text(left.into());
    let mut right = Text(right.into());
    loop {
        match (left.0.first(), right.0.first()) {
            (Some(Piece::Symbol(a)), Some(Piece::Symbol(b))) if a == b => {
                left.0.remove(0);
                right.0.remove(0);
            }
            (Some(Piece::Literal(a)), Some(Piece::Literal(b))) => {
                let shared: String = a
                    .chars()
                    .zip(b.chars())
                    .take_while(|(x, y)| x == y)
                    .map(|(x, _)| x)
                    .collect();
                if shared.is_empty() {
                    break;
                }
                (left, right) = (
                    left.strip_start(&shared).unwrap_or_default(),
                    right.strip_start(&shared).unwrap_or_default(),
                );
            }
            _ => break,
        }
    }
    loop {
        match (left.0.last(), right.0.last()) {
            (Some(Piece::Symbol(a)), Some(Piece::Symbol(b))) if a == b => {
                left.0.pop();
                right.0.pop();
            }
            (Some(Piece::Literal(a)), Some(Piece::Literal(b))) => {
                let shared: String = a
                    .chars()
                    .rev()
                    .zip(b.chars().rev())
                    .take_while(|(x, y)| x == y)
                    .map(|(x, _)| x)
                    .collect();
                let shared: String = shared.chars().rev().collect();
                if shared.is_empty() {
                    break;
                }
                (left, right) = (
                    left.strip_end(&shared).unwrap_or_default(),
                    right.strip_end(&shared).unwrap_or_default(),
                );
            }
            _ => break,
        }
    }
    (left.0, right.0)
}

#[cfg(test)]
mod tests {
    use super::super::symbol::Shape;
    use super::super::text::tests::text;
    use super::*;

    #[test]
    fn comparison_is_decided_only_when_every_value_agrees() {
        use Comparison::{Different, Equal, Maybe};
        for (left, right, expected) in [
            ("a:1", "a:1", Equal),
            ("a:1", "a:2", Different),
            ("a:<x>", "a:<x>", Equal),
            ("a:<x>", "a:<x>-amd64", Different),
            ("a:<x>", "a:latest", Maybe),
            ("a:<sha>", "a:latest", Different),
            ("a:<sha>", "a:deadbeef", Maybe),
            ("a:<github.sha>", "a:deadbeef", Different),
            ("a:<github.sha>", "a:<github.sha[..7]>", Different),
            ("a:sha-<github.sha[..7]>", "a:sha-<github.sha>", Different),
            (
                "a:v<github.ref_name[1..]>",
                "a:<github.ref_name[1..]>",
                Different,
            ),
            ("a:<github.ref_name[1..]>", "a:sha-<sha>", Different),
            ("a:<n>", "a:pr-<n>", Different),
            ("a:pr-<n>", "a:pr-", Different),
            ("<x>/a:1", "<y>/b:1", Different),
            ("<x>/a", "<x>/b", Different),
            ("<word>", "a b", Different),
            ("<x>", "", Maybe),
            ("<n>", "<sha>", Maybe),
        ] {
            assert_eq!(text(left).compare(&text(right)), expected, "{left} {right}");
            assert_eq!(text(right).compare(&text(left)), expected, "{right} {left}");
        }
    }

    #[test]
    fn listed_values_are_tried() {
        let symbol = Symbol::one_of("m", Shape::Text, vec!["a".into(), "b".into()]);
        let mut left = Text::literal("x:");
        left.push(&Piece::Symbol(symbol));
        assert_eq!(left.compare(&Text::literal("x:a")), Comparison::Maybe);
        assert_eq!(left.compare(&Text::literal("x:c")), Comparison::Different);
    }
}
