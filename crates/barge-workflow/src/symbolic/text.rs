//! A text of literal stretches and unknowns, and whether two of them can be the same text.

use std::fmt;
use std::sync::Arc;

use ecow::{EcoString, EcoVec};

use super::symbol::{Shape, Symbol};

/// A stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    /// Known characters, never empty.
    Literal(EcoString),
    /// An unknown.
    Symbol(Arc<Symbol>),
}

/// A partly known text. A copy costs next to nothing: both sides share the stretches until one of them changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Text(EcoVec<Piece>);

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
/// A script can double a value with each line: past these limits a text is not followed.
const PIECE_LIMIT: usize = 256;
const LENGTH_LIMIT: usize = 16 << 10;

impl Text {
    /// The empty text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A known text.
    #[must_use]
    pub fn literal(text: impl Into<EcoString>) -> Self {
        let text = text.into();
        if text.is_empty() {
            Self::default()
        } else {
            Self(EcoVec::from([Piece::Literal(text)]))
        }
    }

    /// An unknown.
    #[must_use]
    pub fn symbol(symbol: Arc<Symbol>) -> Self {
        Self(EcoVec::from([Piece::Symbol(symbol)]))
    }

    /// The stretches.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// Adds known characters.
    pub fn push_str(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.0.make_mut().last_mut() {
            Some(Piece::Literal(last)) => last.push_str(text),
            _ => self.0.push(Piece::Literal(text.into())),
        }
    }

    /// Adds a stretch.
    pub fn push(&mut self, piece: &Piece) {
        match piece {
            Piece::Literal(text) => self.push_str(text),
            Piece::Symbol(symbol) => self.0.push(Piece::Symbol(Arc::clone(symbol))),
        }
    }

    /// Adds another text. One that grows too long becomes an unknown of its own.
    pub fn append(&mut self, other: &Self) {
        other.0.iter().for_each(|piece| self.push(piece));
        if self.is_too_long() {
            *self = Self::symbol(Symbol::new(self.describe(), Shape::Text));
        }
    }

    fn is_too_long(&self) -> bool {
        let known = self.0.iter().map(|piece| match piece {
            Piece::Literal(text) => text.len(),
            Piece::Symbol(_) => 0,
        });
        self.0.len() > PIECE_LIMIT || known.sum::<usize>() > LENGTH_LIMIT
    }

    /// The text, if nothing in it is unknown.
    #[must_use]
    pub fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The unknown, if the text is nothing but one.
    #[must_use]
    pub fn as_symbol(&self) -> Option<&Arc<Symbol>> {
        match self.0.as_slice() {
            [Piece::Symbol(symbol)] => Some(symbol),
            _ => None,
        }
    }

    /// Says whether the text is known to be empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The unknowns in it.
    pub fn symbols(&self) -> impl Iterator<Item = &Arc<Symbol>> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Symbol(symbol) => Some(symbol),
            Piece::Literal(_) => None,
        })
    }

    /// Says whether known characters occur in it.
    #[must_use]
    pub fn has_literal(&self) -> bool {
        self.0
            .iter()
            .any(|piece| matches!(piece, Piece::Literal(_)))
    }

    /// Says whether the text can be empty.
    #[must_use]
    pub fn may_be_empty(&self) -> bool {
        !self.has_literal() && self.symbols().all(|symbol| symbol.may_be_empty())
    }

    /// Says whether a known stretch holds the given characters.
    #[must_use]
    pub fn contains(&self, needle: &str) -> bool {
        self.0
            .iter()
            .any(|piece| matches!(piece, Piece::Literal(text) if text.contains(needle)))
    }

    /// The known characters the text starts with.
    #[must_use]
    pub fn literal_start(&self) -> &str {
        match self.0.first() {
            Some(Piece::Literal(text)) => text,
            _ => "",
        }
    }

    /// The known characters the text ends with.
    #[must_use]
    pub fn literal_end(&self) -> &str {
        match self.0.last() {
            Some(Piece::Literal(text)) => text,
            _ => "",
        }
    }

    /// Applies a change to every known stretch and a second one to every unknown.
    #[must_use]
    pub fn map(
        &self,
        literal: impl Fn(&str) -> String,
        symbol: impl Fn(&Arc<Symbol>) -> Arc<Symbol>,
    ) -> Self {
        let mut text = Self::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(known) => text.push_str(&literal(known)),
                Piece::Symbol(unknown) => text.0.push(Piece::Symbol(symbol(unknown))),
            }
        }
        text
    }

    /// The text in lower case.
    #[must_use]
    pub fn lower(&self) -> Self {
        self.map(str::to_lowercase, Symbol::lower)
    }

    /// The text without white space at its known ends.
    #[must_use]
    pub fn trim(&self) -> Self {
        let blank = |character: Option<char>| character.is_some_and(char::is_whitespace);
        if !blank(self.literal_start().chars().next())
            && !blank(self.literal_end().chars().next_back())
        {
            return self.clone();
        }
        let mut pieces = self.0.clone();
        if let Some(Piece::Literal(first)) = pieces.make_mut().first_mut() {
            *first = first.trim_start().into();
        }
        if let Some(Piece::Literal(last)) = pieces.make_mut().last_mut() {
            *last = last.trim_end().into();
        }
        pieces.retain(|piece| !matches!(piece, Piece::Literal(text) if text.is_empty()));
        Self(pieces)
    }

    /// The text cut at known characters for which `cut` says so; the cuts themselves are left out.
    #[must_use]
    pub fn split(&self, cut: impl Fn(char) -> bool) -> Vec<Self> {
        let mut parts = vec![Self::new()];
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => {
                    for (at, part) in text.split(&cut).enumerate() {
                        if at > 0 {
                            parts.push(Self::new());
                        }
                        if let Some(last) = parts.last_mut() {
                            last.push_str(part);
                        }
                    }
                }
                Piece::Symbol(_) => {
                    if let Some(last) = parts.last_mut() {
                        last.push(piece);
                    }
                }
            }
        }
        parts
    }

    /// The non-empty trimmed lines of a list input.
    #[must_use]
    pub fn lines(&self) -> Vec<Self> {
        self.split(|c| c == '\n')
            .iter()
            .map(Self::trim)
            .filter(|line| !line.is_empty())
            .collect()
    }

    /// The parts before and after the last known occurrence of a character.
    #[must_use]
    pub fn split_last(&self, character: char) -> Option<(Self, Self)> {
        let at = self
            .0
            .iter()
            .rposition(|piece| matches!(piece, Piece::Literal(text) if text.contains(character)))?;
        self.cut(at, |text| text.rfind(character), character)
    }

    /// The parts before and after the first known occurrence of a character.
    #[must_use]
    pub fn split_first(&self, character: char) -> Option<(Self, Self)> {
        let at = self
            .0
            .iter()
            .position(|piece| matches!(piece, Piece::Literal(text) if text.contains(character)))?;
        self.cut(at, |text| text.find(character), character)
    }

    fn cut(
        &self,
        at: usize,
        find: impl Fn(&str) -> Option<usize>,
        character: char,
    ) -> Option<(Self, Self)> {
        let Some(Piece::Literal(text)) = self.0.get(at) else {
            return None;
        };
        let byte = find(text)?;
        let mut before = Self(self.0.get(..at)?.into());
        before.push_str(text.get(..byte)?);
        let mut after = Self::literal(text.get(byte + character.len_utf8()..)?);
        self.0
            .get(at + 1..)?
            .iter()
            .for_each(|piece| after.push(piece));
        Some((before, after))
    }

    /// The text after known characters at its start.
    #[must_use]
    pub fn strip_start(&self, prefix: &str) -> Option<Self> {
        if prefix.is_empty() {
            return Some(self.clone());
        }
        let rest = self.literal_start().strip_prefix(prefix)?;
        let mut text = Self::literal(rest);
        self.0.get(1..)?.iter().for_each(|piece| text.push(piece));
        Some(text)
    }

    /// The text before known characters at its end.
    #[must_use]
    pub fn strip_end(&self, suffix: &str) -> Option<Self> {
        if suffix.is_empty() {
            return Some(self.clone());
        }
        let rest = self.literal_end().strip_suffix(suffix)?;
        let mut text = Self(self.0.get(..self.0.len() - 1)?.into());
        text.push_str(rest);
        Some(text)
    }

    /// Puts a text in the place of an unknown.
    #[must_use]
    pub fn replace(&self, symbol: &Symbol, value: &Self) -> Self {
        let mut text = Self::new();
        for piece in &self.0 {
            match piece {
                Piece::Symbol(unknown) if **unknown == *symbol => text.append(value),
                _ => text.push(piece),
            }
        }
        text
    }

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

    /// The text with unknowns in braces, as messages print it.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Symbol(symbol) => {
                    let name = symbol.name();
                    let name = name.strip_prefix("github.event.").unwrap_or(name);
                    out.push('{');
                    out.push_str(name.strip_prefix("github.").unwrap_or(name));
                    out.push('}');
                }
            }
        }
        out
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
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

/// The shape of a text that came out of an unknown one.
impl From<&Text> for Shape {
    fn from(text: &Text) -> Self {
        if text.contains("\n") {
            Self::Text
        } else {
            Self::Word
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pattern: &str) -> Text {
        let mut out = Text::new();
        for (at, part) in pattern.split(['<', '>']).enumerate() {
            if at % 2 == 0 {
                out.push_str(part);
            } else {
                let shape = match part {
                    "sha" => Shape::Hexadecimal,
                    "n" => Shape::Digits,
                    "word" => Shape::Word,
                    _ => Shape::Any,
                };
                out.push(&Piece::Symbol(Symbol::new(part, shape)));
            }
        }
        out
    }

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
    fn growth_is_bounded() {
        for start in ["ab", "<x>", "a<x>"] {
            let mut grown = text(start);
            for _ in 0..60 {
                let copy = grown.clone();
                grown.append(&copy);
                grown.append(&copy);
            }
            assert!(grown.describe().len() < 1 << 18, "{start}");
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

    #[test]
    fn cutting() {
        let whole = text("r/<x>:t\nq");
        assert_eq!(whole.lines(), [text("r/<x>:t"), text("q")]);
        assert_eq!(
            text("a/<x>:1").split_last(':'),
            Some((text("a/<x>"), text("1")))
        );
        assert_eq!(
            text("a=b=c").split_first('='),
            Some((text("a"), text("b=c")))
        );
        assert_eq!(text(" <x> ").trim(), text("<x>"));
        assert_eq!(text("A<x>").lower().describe(), "a{lower(x)}");
    }
}
