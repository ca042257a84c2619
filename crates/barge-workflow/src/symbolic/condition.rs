//! Conditions over unknowns.
//!
//! The atoms are tests of one unknown: equal to a text, starting with one, or true. An unknown that is tested against several
//! texts has one of them or none, so tests of one unknown exclude each other by themselves.

use std::fmt;
use std::sync::Arc;

use super::satisfiable::Satisfiable;
use super::symbol::{Shape, Symbol};

/// A condition with more parts than this is given up by [`Condition::is_large`].
const SIZE_LIMIT: usize = 400;

/// A boolean combination of tests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Holds always.
    Always,
    /// Holds never.
    Never,
    /// Holds when the test does.
    Test(Arc<Test>),
    /// Holds when the other does not.
    Not(Arc<Self>),
    /// Holds when all do.
    All(Arc<[Self]>),
    /// Holds when one does.
    Any(Arc<[Self]>),
}

/// A question to one unknown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Test {
    /// The unknown.
    pub subject: Arc<Symbol>,
    /// What is asked.
    pub expectation: Expectation,
}

/// What a test asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expectation {
    /// Is it this text? In lower case, for comparison ignores case.
    Equals(String),
    /// Does it start with this text? In lower case too.
    StartsWith(String),
    /// Is it a true value?
    Truthy,
}

impl Condition {
    /// A test for a text.
    #[must_use]
    pub fn equals(subject: &Arc<Symbol>, text: &str) -> Self {
        let text = text.to_lowercase();
        let listed = subject.values();
        if !listed.is_empty() {
            if !listed.iter().any(|value| value.to_lowercase() == text) {
                return Self::Never;
            }
            if listed.len() == 1 {
                return Self::Always;
            }
        } else if text.is_empty() {
            if !subject.may_be_empty() {
                return Self::Never;
            }
        } else if !subject.may_spell(&text) {
            return Self::Never;
        }
        Self::Test(Arc::new(Test {
            subject: Arc::clone(subject),
            expectation: Expectation::Equals(text),
        }))
    }

    /// A test for the start of a text.
    #[must_use]
    pub fn starts_with(subject: &Arc<Symbol>, start: &str) -> Self {
        let start = start.to_lowercase();
        if start.is_empty() {
            return Self::Always;
        }
        let listed = subject.values();
        if !listed.is_empty() {
            let fits = |value: &&String| value.to_lowercase().starts_with(&start);
            if listed.iter().all(|value| fits(&value)) {
                return Self::Always;
            }
            let fitting = listed.iter().filter(fits);
            return fitting.fold(Self::Never, |any, value| {
                any.or(&Self::equals(subject, value))
            });
        }
        if !subject.may_spell(&start) {
            return Self::Never;
        }
        Self::Test(Arc::new(Test {
            subject: Arc::clone(subject),
            expectation: Expectation::StartsWith(start),
        }))
    }

    /// A test for truth.
    #[must_use]
    pub fn truthy(subject: &Arc<Symbol>) -> Self {
        if subject.values().is_empty()
            && !subject.may_be_empty()
            && subject.shape() != Shape::Boolean
        {
            return Self::Always;
        }
        if !subject.values().is_empty() {
            let truths: Vec<bool> = subject
                .values()
                .iter()
                .map(|value| subject.is_true(value))
                .collect();
            if truths.iter().all(|truth| *truth) {
                return Self::Always;
            }
            if truths.iter().all(|truth| !truth) {
                return Self::Never;
            }
        }
        Self::Test(Arc::new(Test {
            subject: Arc::clone(subject),
            expectation: Expectation::Truthy,
        }))
    }

    /// The opposite.
    #[must_use]
    pub fn negate(&self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::Not(inner) => (**inner).clone(),
            other => Self::Not(Arc::new(other.clone())),
        }
    }

    /// Both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self::join(self, other, true)
    }

    /// Either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self::join(self, other, false)
    }

    fn join(left: &Self, right: &Self, all: bool) -> Self {
        let (neutral, absorbing) = if all {
            (Self::Always, Self::Never)
        } else {
            (Self::Never, Self::Always)
        };
        if *left == absorbing || *right == absorbing {
            return absorbing;
        }
        if *left == neutral || left == right {
            return right.clone();
        }
        if *right == neutral {
            return left.clone();
        }
        // The parts of one side are known to differ from each other.
        let (known, more) = (left.parts(all), right.parts(all));
        let is_opposite = |part: &&Self| known.iter().any(|known| known.is_opposite(part));
        if more.iter().any(|part| is_opposite(&part)) {
            return absorbing;
        }
        let new = more.iter().filter(|part| !known.contains(part));
        let parts: Vec<Self> = known.iter().chain(new).cloned().collect();
        if parts.len() == known.len() {
            return left.clone();
        }
        if let [only] = parts.as_slice() {
            return only.clone();
        }
        if all {
            Self::All(parts.into())
        } else {
            Self::Any(parts.into())
        }
    }

    /// What it joins by "and" (or by "or"); itself when it does not.
    fn parts(&self, all: bool) -> &[Self] {
        match self {
            Self::All(parts) if all => parts,
            Self::Any(parts) if !all => parts,
            _ => std::slice::from_ref(self),
        }
    }

    fn is_opposite(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Not(inner), _) if **inner == *other => true,
            (_, Self::Not(inner)) if **inner == *self => true,
            _ => false,
        }
    }

    /// Says whether the condition is too large to go on with.
    #[must_use]
    pub fn is_large(&self) -> bool {
        fn count(condition: &Condition, left: &mut usize) {
            if *left == 0 {
                return;
            }
            *left -= 1;
            match condition {
                Condition::Not(inner) => count(inner, left),
                Condition::All(parts) | Condition::Any(parts) => {
                    parts.iter().for_each(|part| count(part, left));
                }
                _ => {}
            }
        }
        let mut left = SIZE_LIMIT;
        count(self, &mut left);
        left == 0
    }

    /// Says whether this condition holds in every case in which it could be decided; too many unknowns count as "yes".
    #[must_use]
    pub fn implies(&self, other: &Self) -> Option<bool> {
        match self.and(&other.negate()).satisfiable() {
            Satisfiable::No => Some(true),
            Satisfiable::Yes(_) => Some(false),
            Satisfiable::Unknown => None,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("always"),
            Self::Never => f.write_str("never"),
            Self::Test(test) => match &test.expectation {
                Expectation::Equals(text) => write!(f, "{} == '{text}'", test.subject),
                Expectation::StartsWith(text) => {
                    write!(f, "startsWith({}, '{text}')", test.subject)
                }
                Expectation::Truthy => write!(f, "{}", test.subject),
            },
            Self::Not(inner) => match &**inner {
                Self::Test(test) => match &test.expectation {
                    Expectation::Equals(text) => write!(f, "{} != '{text}'", test.subject),
                    Expectation::StartsWith(text) => {
                        write!(f, "!startsWith({}, '{text}')", test.subject)
                    }
                    Expectation::Truthy => write!(f, "!{}", test.subject),
                },
                inner => write!(f, "!({inner})"),
            },
            Self::All(parts) | Self::Any(parts) => {
                let joint = if matches!(self, Self::All(_)) {
                    " && "
                } else {
                    " || "
                };
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        f.write_str(joint)?;
                    }
                    match part {
                        Self::All(_) | Self::Any(_) => write!(f, "({part})")?,
                        _ => write!(f, "{part}")?,
                    }
                }
                Ok(())
            }
        }
    }
}
