//! A value as alternatives under conditions.

use std::sync::Arc;

use ecow::EcoString;
use smallvec::{SmallVec, smallvec};

use crate::expression::coerce;

use super::condition::Condition;
use super::symbol::{Shape, Symbol};
use super::text::Text;

/// More alternatives than this become one unknown.
const ALTERNATIVE_LIMIT: usize = 12;

/// One possible content of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// Nothing.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A text, known or not. A sole unknown of [`Shape::Any`] may be of any type.
    Text(Text),
    /// A list.
    List(Arc<Vec<Self>>),
    /// An object; keys as written.
    Map(Arc<Vec<(String, Self)>>),
}

/// Alternatives that exclude each other and leave no case out.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    alternatives: SmallVec<[(Condition, Term); 1]>,
}

impl Term {
    /// A known text.
    #[must_use]
    pub fn text(text: impl Into<EcoString>) -> Self {
        Self::Text(Text::literal(text))
    }

    /// An unknown.
    #[must_use]
    pub fn unknown(name: impl Into<Box<str>>, shape: Shape) -> Self {
        Self::Text(Text::symbol(Symbol::new(name, shape)))
    }

    /// What `${{ }}` prints.
    #[must_use]
    pub fn printed(&self) -> Text {
        match self {
            Self::Null => Text::new(),
            Self::Boolean(value) => Text::literal(value.to_string()),
            Self::Number(number) => Text::literal(coerce::text_of_number(*number)),
            Self::Text(text) => text.clone(),
            Self::List(_) => Text::literal("Array"),
            Self::Map(_) => Text::literal("Object"),
        }
    }

    /// The condition under which it counts as true.
    #[must_use]
    pub fn truth(&self) -> Condition {
        let known = |truth| {
            if truth {
                Condition::Always
            } else {
                Condition::Never
            }
        };
        match self {
            Self::Null => Condition::Never,
            Self::Boolean(value) => known(*value),
            Self::Number(number) => known(*number != 0.0 && !number.is_nan()),
            Self::List(_) | Self::Map(_) => Condition::Always,
            Self::Text(text) => match (text.as_literal(), text.as_symbol()) {
                (Some(literal), _) => known(!literal.is_empty()),
                (_, Some(symbol)) => Condition::truthy(symbol),
                _ if text.may_be_empty() => {
                    Condition::truthy(&Symbol::new(text.describe(), Shape::Text))
                }
                _ => Condition::Always,
            },
        }
    }

    /// The number it is compared as, when that is known.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Null => Some(0.0),
            Self::Boolean(value) => Some(f64::from(u8::from(*value))),
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.as_literal().map(coerce::number_of_text),
            Self::List(_) | Self::Map(_) => Some(f64::NAN),
        }
    }

    /// A member of an object, or an item of a list.
    #[must_use]
    pub fn member(&self, key: &Self) -> Option<Self> {
        match self {
            Self::Map(entries) => {
                let key = key.printed();
                let key = key.as_literal()?;
                let found = entries
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(key));
                Some(found.map_or(Self::Null, |(_, value)| value.clone()))
            }
            Self::List(items) => {
                let index = key.number()?;
                let item = items
                    .iter()
                    .enumerate()
                    .find(|(at, _)| u32::try_from(*at).is_ok_and(|at| f64::from(at) == index));
                Some(item.map_or(Self::Null, |(_, item)| item.clone()))
            }
            Self::Null | Self::Boolean(_) | Self::Number(_) => Some(Self::Null),
            Self::Text(text) => text.as_literal().map(|_| Self::Null),
        }
    }
}

impl From<Term> for Value {
    fn from(term: Term) -> Self {
        Self {
            alternatives: smallvec![(Condition::Always, term)],
        }
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Term::Text(text).into()
    }
}

impl From<&Condition> for Value {
    fn from(condition: &Condition) -> Self {
        Self::choose(
            condition,
            &Term::Boolean(true).into(),
            &Term::Boolean(false).into(),
        )
    }
}

impl Value {
    /// Null.
    #[must_use]
    pub fn null() -> Self {
        Term::Null.into()
    }

    /// A known text.
    #[must_use]
    pub fn text(text: impl Into<EcoString>) -> Self {
        Term::text(text).into()
    }

    /// An unknown.
    #[must_use]
    pub fn unknown(name: impl Into<Box<str>>, shape: Shape) -> Self {
        Term::unknown(name, shape).into()
    }

    /// The alternatives.
    #[must_use]
    pub fn alternatives(&self) -> &[(Condition, Term)] {
        &self.alternatives
    }

    /// One value when the condition holds, the other when it does not.
    #[must_use]
    pub fn choose(condition: &Condition, then: &Self, otherwise: &Self) -> Self {
        match condition {
            Condition::Always => return then.clone(),
            Condition::Never => return otherwise.clone(),
            _ => {}
        }
        let negated = condition.negate();
        let first = then
            .alternatives
            .iter()
            .map(|(when, term)| (condition.and(when), term.clone()));
        let second = otherwise
            .alternatives
            .iter()
            .map(|(when, term)| (negated.and(when), term.clone()));
        Self::gather(first.chain(second))
    }

    /// Joins equal alternatives and drops impossible ones.
    fn gather(alternatives: impl Iterator<Item = (Condition, Term)>) -> Self {
        let mut gathered: SmallVec<[(Condition, Term); 1]> = SmallVec::new();
        for (condition, term) in alternatives {
            if condition == Condition::Never {
                continue;
            }
            match gathered.iter_mut().find(|(_, known)| *known == term) {
                Some((known, _)) => *known = known.or(&condition),
                None => gathered.push((condition, term)),
            }
        }
        if let [(condition, _)] = gathered.as_mut_slice() {
            // The alternatives leave no case out, so a single one is certain.
            *condition = Condition::Always;
        }
        Self {
            alternatives: gathered,
        }
    }

    /// Says whether this grew too large to stay exact.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.alternatives.len() > ALTERNATIVE_LIMIT
            || self
                .alternatives
                .iter()
                .any(|(condition, _)| condition.is_large())
    }

    /// This value, or an unknown of this name in its place when it grew too large.
    #[must_use]
    pub fn or_unknown<N: Into<Box<str>>>(self, name: impl FnOnce() -> N) -> Self {
        if self.is_large() {
            Self::unknown(name(), Shape::Any)
        } else {
            self
        }
    }

    /// Applies a change to each alternative.
    #[must_use]
    pub fn map(&self, change: impl Fn(&Term) -> Term) -> Self {
        Self::gather(
            self.alternatives
                .iter()
                .map(|(condition, term)| (condition.clone(), change(term))),
        )
    }

    /// Applies a change that may itself have alternatives.
    #[must_use]
    pub fn flat_map(&self, change: impl Fn(&Term) -> Self) -> Self {
        if let [(Condition::Always, term)] = self.alternatives.as_slice() {
            return change(term);
        }
        Self::gather(self.alternatives.iter().flat_map(|(condition, term)| {
            let inner = change(term).alternatives;
            inner
                .into_iter()
                .map(|(when, term)| (condition.and(&when), term))
                .collect::<Vec<_>>()
        }))
    }

    /// Joins two texts.
    #[must_use]
    pub fn concat(&self, other: &Self) -> Self {
        self.flat_map(|left| {
            other.map(|right| {
                let mut text = left.printed();
                text.append(&right.printed());
                Term::Text(text)
            })
        })
    }

    /// The condition under which it counts as true.
    #[must_use]
    pub fn truth(&self) -> Condition {
        let truths = self
            .alternatives
            .iter()
            .map(|(condition, term)| condition.and(&term.truth()));
        truths.fold(Condition::Never, |all, one| all.or(&one))
    }

    /// What `${{ }}` prints, per alternative.
    #[must_use]
    pub fn texts(&self) -> Vec<(Condition, Text)> {
        self.alternatives
            .iter()
            .map(|(condition, term)| (condition.clone(), term.printed()))
            .collect()
    }

    /// The only text it can be.
    #[must_use]
    pub fn sole_text(&self) -> Option<Text> {
        match self.alternatives.as_slice() {
            [(_, term)] => Some(term.printed()),
            _ => None,
        }
    }

    /// The known text it is in every case.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        self.sole_text()?.as_literal().map(str::to_owned)
    }

    /// Says whether it is nothing in every case.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.alternatives.as_slice(), [(_, Term::Null)])
    }

    /// This value where the condition holds, in the cases it allows.
    #[must_use]
    pub fn under(&self, condition: &Condition) -> Self {
        if self.alternatives.len() < 2 || *condition == Condition::Always {
            return self.clone();
        }
        let kept = self.alternatives.iter().filter(|(when, _)| {
            !matches!(
                condition.and(when).satisfiable(),
                super::satisfiable::Satisfiable::No
            )
        });
        Self::gather(kept.cloned())
    }
}
