//! A text of literal stretches and unknowns.

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
pub struct Text(pub(super) EcoVec<Piece>);

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
pub(super) mod tests {
    use super::*;

    /// A text in which unknowns stand between `<` and `>`; some names have a shape.
    pub(in super::super) fn text(pattern: &str) -> Text {
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
