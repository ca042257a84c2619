//! Conditions over unknowns, and a sound procedure that decides whether one can hold.
//!
//! The atoms are tests of one unknown: equal to a text, or true. An unknown that is tested against several texts has
//! one of them or none, so tests of one unknown exclude each other by themselves.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::symbol::{Shape, Symbol};

/// More unknowns than this are not tried out.
const SUBJECT_LIMIT: usize = 16;
/// More assignments than this are not tried out.
const ASSIGNMENT_LIMIT: usize = 1 << 16;
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
    /// Is it a true value?
    Truthy,
}

/// The value of one unknown in a case that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assignment {
    /// The unknown.
    pub subject: Arc<Symbol>,
    /// Its text; nothing for "anything else than the texts it is compared with".
    pub value: Option<String>,
    /// The texts it is not, when it has no value.
    pub others: Vec<String>,
}

/// Whether a condition can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Satisfiable {
    /// No case exists.
    No,
    /// This case exists, as far as the file tells.
    Yes(Vec<Assignment>),
    /// Too many unknowns to try out.
    Unknown,
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
        } else if !(text.is_empty() && subject.may_be_empty()) {
            let fits = !text.is_empty()
                && text.chars().all(|c| {
                    subject.may_hold(c) || c.to_uppercase().any(|upper| subject.may_hold(upper))
                });
            if !fits {
                return Self::Never;
            }
        }
        Self::Test(Arc::new(Test {
            subject: Arc::clone(subject),
            expectation: Expectation::Equals(text),
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
                .map(|value| is_true(subject, value))
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
        let mut parts = Vec::new();
        for side in [left, right] {
            let inner = match side {
                Self::All(inner) if all => inner,
                Self::Any(inner) if !all => inner,
                _ => std::slice::from_ref(side),
            };
            for part in inner {
                if parts.iter().any(|known: &Self| known.is_opposite(part)) {
                    return absorbing;
                }
                if !parts.contains(part) {
                    parts.push(part.clone());
                }
            }
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

    /// Collects the unknowns that are tested, with the texts they are compared with.
    fn subjects<'a>(&'a self, into: &mut BTreeMap<&'a Arc<Symbol>, Vec<&'a str>>) {
        match self {
            Self::Always | Self::Never => {}
            Self::Test(test) => {
                let texts = into.entry(&test.subject).or_default();
                if let Expectation::Equals(text) = &test.expectation
                    && !texts.contains(&text.as_str())
                {
                    texts.push(text);
                }
            }
            Self::Not(inner) => inner.subjects(into),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.subjects(into));
            }
        }
    }

    /// The unknowns that are tested.
    #[must_use]
    pub fn symbols(&self) -> Vec<Arc<Symbol>> {
        let mut subjects = BTreeMap::new();
        self.subjects(&mut subjects);
        subjects.into_keys().cloned().collect()
    }

    /// Looks for a case in which the condition holds.
    #[must_use]
    pub fn satisfiable(&self) -> Satisfiable {
        match self {
            Self::Always => return Satisfiable::Yes(Vec::new()),
            Self::Never => return Satisfiable::No,
            _ => {}
        }
        let mut subjects = BTreeMap::new();
        self.subjects(&mut subjects);
        if subjects.len() > SUBJECT_LIMIT {
            return Satisfiable::Unknown;
        }
        let choices: Vec<Choices<'_>> = subjects
            .into_iter()
            .map(|(subject, texts)| Choices::new(subject, &texts))
            .collect();
        let total = choices.iter().try_fold(1_usize, |total, choice| {
            total.checked_mul(choice.values.len())
        });
        match total {
            Some(total) if total <= ASSIGNMENT_LIMIT => self.search(&choices, total),
            _ => Satisfiable::Unknown,
        }
    }

    fn search(&self, choices: &[Choices<'_>], total: usize) -> Satisfiable {
        let compiled = self.compile(choices);
        let mut case = vec![0_usize; choices.len()];
        for _ in 0..total {
            if compiled.holds(&case) {
                let found = choices.iter().zip(&case).map(|(choice, at)| {
                    choice.assignment(choice.values.get(*at).and_then(Option::as_deref))
                });
                return Satisfiable::Yes(found.collect());
            }
            for (at, choice) in case.iter_mut().zip(choices) {
                *at += 1;
                if *at < choice.values.len() {
                    break;
                }
                *at = 0;
            }
        }
        Satisfiable::No
    }

    /// The same condition with every test answered beforehand, for each choice of its unknown.
    fn compile(&self, choices: &[Choices<'_>]) -> Compiled {
        let all = |parts: &[Self]| parts.iter().map(|part| part.compile(choices)).collect();
        match self {
            Self::Always => Compiled::All(Vec::new()),
            Self::Never => Compiled::Any(Vec::new()),
            Self::Test(test) => {
                let subject = choices
                    .iter()
                    .position(|choice| **choice.subject == *test.subject)
                    .unwrap_or_default();
                let values = choices
                    .get(subject)
                    .map(|choice| choice.values.as_slice())
                    .unwrap_or_default();
                Compiled::Test(
                    subject,
                    values
                        .iter()
                        .map(|value| test.holds(value.as_deref()))
                        .collect(),
                )
            }
            Self::Not(inner) => Compiled::Not(Box::new(inner.compile(choices))),
            Self::All(parts) => Compiled::All(all(parts)),
            Self::Any(parts) => Compiled::Any(all(parts)),
        }
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

impl Test {
    /// The answer for a value; nothing stands for any text that is not asked for.
    fn holds(&self, value: Option<&str>) -> bool {
        match &self.expectation {
            Expectation::Equals(text) => value.is_some_and(|value| value.to_lowercase() == *text),
            Expectation::Truthy => value.is_none_or(|value| is_true(&self.subject, value)),
        }
    }
}

/// A condition over numbered choices.
enum Compiled {
    Test(usize, Vec<bool>),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl Compiled {
    fn holds(&self, case: &[usize]) -> bool {
        match self {
            Self::Test(subject, answers) => case
                .get(*subject)
                .and_then(|choice| answers.get(*choice))
                .copied()
                .unwrap_or(false),
            Self::Not(inner) => !inner.holds(case),
            Self::All(parts) => parts.iter().all(|part| part.holds(case)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(case)),
        }
    }
}

/// Truth of a text: boolean unknowns print `false`, texts are true unless empty.
fn is_true(subject: &Symbol, value: &str) -> bool {
    match subject.shape() {
        Shape::Boolean => value == "true",
        Shape::Any => !matches!(value, "" | "false" | "0"),
        _ => !value.is_empty(),
    }
}

struct Choices<'a> {
    subject: &'a Arc<Symbol>,
    values: Vec<Option<String>>,
    texts: Vec<String>,
}

impl<'a> Choices<'a> {
    fn new(subject: &'a Arc<Symbol>, texts: &[&str]) -> Self {
        let mut values: Vec<Option<String>> = Vec::new();
        if subject.shape() == Shape::Boolean {
            values.extend([Some("true".to_owned()), Some("false".to_owned())]);
        } else if subject.values().is_empty() {
            values.extend(texts.iter().map(|text| Some((*text).to_owned())));
            values.push(None);
            if subject.may_be_empty() && !texts.contains(&"") {
                values.push(Some(String::new()));
            }
        } else {
            values.extend(subject.values().iter().cloned().map(Some));
        }
        Self {
            subject,
            values,
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    fn assignment(&self, value: Option<&str>) -> Assignment {
        let others = if value.is_none() {
            self.texts.clone()
        } else {
            Vec::new()
        };
        Assignment {
            subject: Arc::clone(self.subject),
            value: value.map(str::to_owned),
            others,
        }
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.value, self.others.as_slice()) {
            (Some(value), _) if self.subject.shape() == Shape::Boolean => {
                write!(f, "{} is {value}", self.subject)
            }
            (Some(value), _) => write!(f, "{} = '{value}'", self.subject),
            (None, []) => write!(f, "{} is set", self.subject),
            (None, others) => write!(f, "{} is not '{}'", self.subject, others.join("' or '")),
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
                Expectation::Truthy => write!(f, "{}", test.subject),
            },
            Self::Not(inner) => match &**inner {
                Self::Test(test) => match &test.expectation {
                    Expectation::Equals(text) => write!(f, "{} != '{text}'", test.subject),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(name: &str) -> Arc<Symbol> {
        Symbol::new(name, Shape::Text)
    }

    #[test]
    fn texts_of_one_unknown_exclude_each_other() {
        let event = symbol("event");
        let both = Condition::equals(&event, "a").and(&Condition::equals(&event, "b"));
        assert_eq!(both.satisfiable(), Satisfiable::No);
        let a = Condition::equals(&event, "a");
        assert_eq!(
            a.implies(&Condition::equals(&event, "b").negate()),
            Some(true)
        );
        assert_eq!(a.implies(&Condition::truthy(&event)), Some(true));
        assert_eq!(Condition::truthy(&event).implies(&a), Some(false));
    }

    #[test]
    fn witnesses_name_the_case() {
        let skip = symbol("steps.skip.outputs.skip_build");
        let pull = Condition::truthy(&Symbol::new("pr", Shape::Boolean));
        let built = pull.and(&Condition::equals(&skip, "true").negate());
        let Satisfiable::Yes(case) = pull.and(&built.negate()).satisfiable() else {
            panic!("a case exists")
        };
        let case: Vec<String> = case.iter().map(ToString::to_string).collect();
        assert_eq!(
            case,
            ["pr is true", "steps.skip.outputs.skip_build = 'true'"]
        );
    }

    #[test]
    fn too_many_unknowns_are_given_up() {
        let mut all = Condition::Always;
        for number in 0..20 {
            all = all.and(&Condition::truthy(&symbol(&number.to_string())));
        }
        assert_eq!(all.satisfiable(), Satisfiable::Unknown);
    }

    #[test]
    fn listed_values_decide() {
        let branch = Symbol::one_of("ref", Shape::Text, vec!["main".into(), "dev".into()]);
        assert_eq!(Condition::equals(&branch, "release"), Condition::Never);
        let neither = Condition::equals(&branch, "main")
            .or(&Condition::equals(&branch, "dev"))
            .negate();
        assert_eq!(neither.satisfiable(), Satisfiable::No);
    }
}
