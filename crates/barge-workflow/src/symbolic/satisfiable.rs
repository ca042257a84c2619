//! Looks for a case in which a condition holds, by trying out the unknowns it tests.
//!
//! An unknown has finitely many values that its tests can tell apart: each text it is compared with, each start it is asked
//! for, and "something else". The search fixes one unknown after the other and turns back as soon as the condition is
//! decided, so that a case names only what it hangs on.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::condition::{Condition, Expectation, Test};
use super::symbol::{Shape, Symbol};

/// More unknowns than this are not tried out.
const SUBJECT_LIMIT: usize = 16;
/// More cases than this are not tried out.
const CASE_LIMIT: usize = 1 << 10;

/// The value of one unknown in a case that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assignment {
    /// The unknown.
    pub subject: Arc<Symbol>,
    /// Its value.
    pub value: Candidate,
    /// The texts it is not, when it is [`Candidate::Other`].
    pub others: Vec<String>,
}

/// A value that the tests of an unknown can tell from its other values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Candidate {
    /// This text.
    Text(String),
    /// A text that starts like this, and is none of those it is compared with.
    Starting(String),
    /// Anything else than what it is compared with.
    Other,
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

/// What the tests of one unknown ask for.
#[derive(Default)]
struct Asked<'a> {
    texts: Vec<&'a str>,
    starts: Vec<&'a str>,
}

impl Condition {
    /// Looks for a case in which the condition holds.
    #[must_use]
    pub fn satisfiable(&self) -> Satisfiable {
        match self {
            Self::Always => return Satisfiable::Yes(Vec::new()),
            Self::Never => return Satisfiable::No,
            _ => {}
        }
        let mut subjects = BTreeMap::new();
        self.collect_asked(&mut subjects);
        if subjects.len() > SUBJECT_LIMIT {
            return Satisfiable::Unknown;
        }
        let choices = subjects
            .into_iter()
            .map(|(subject, asked)| Choices::new(subject, &asked));
        let mut choices: Vec<Choices<'_>> = choices.collect();
        // A case that stands without the guesses is worth more than one that hangs on them.
        choices.sort_by_key(|choice| choice.subject.doubt().is_some());
        let mut search = Search {
            condition: self.compile(&choices),
            sizes: choices.iter().map(|choice| choice.values.len()).collect(),
            case: vec![None; choices.len()],
            left: CASE_LIMIT,
        };
        match search.from(0) {
            Some(true) => Satisfiable::Yes(assignments(&choices, &search.case)),
            Some(false) => Satisfiable::No,
            None => Satisfiable::Unknown,
        }
    }

    /// The unknowns that are tested.
    #[must_use]
    pub fn symbols(&self) -> Vec<Arc<Symbol>> {
        let mut subjects = BTreeMap::new();
        self.collect_asked(&mut subjects);
        subjects.into_keys().cloned().collect()
    }

    /// Collects the unknowns that are tested, with what they are asked for.
    fn collect_asked<'a>(&'a self, into: &mut BTreeMap<&'a Arc<Symbol>, Asked<'a>>) {
        match self {
            Self::Always | Self::Never => {}
            Self::Test(test) => {
                let asked = into.entry(&test.subject).or_default();
                let (list, text) = match &test.expectation {
                    Expectation::Equals(text) => (&mut asked.texts, text),
                    Expectation::StartsWith(text) => (&mut asked.starts, text),
                    Expectation::Truthy => return,
                };
                if !list.contains(&text.as_str()) {
                    list.push(text);
                }
            }
            Self::Not(inner) => inner.collect_asked(into),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.collect_asked(into));
            }
        }
    }

    /// The same condition with every test answered beforehand, for each value of its unknown.
    fn compile(&self, choices: &[Choices<'_>]) -> Compiled {
        let all = |parts: &[Self]| parts.iter().map(|part| part.compile(choices)).collect();
        match self {
            Self::Always => Compiled::All(Vec::new()),
            Self::Never => Compiled::Any(Vec::new()),
            Self::Test(test) => {
                let subject = choices
                    .iter()
                    .position(|choice| **choice.subject == *test.subject);
                let subject = subject.unwrap_or_default();
                let values = choices.get(subject).map(|choice| choice.values.as_slice());
                let answers = values
                    .unwrap_or_default()
                    .iter()
                    .map(|value| test.holds(value));
                Compiled::Test(subject, answers.collect())
            }
            Self::Not(inner) => Compiled::Not(Box::new(inner.compile(choices))),
            Self::All(parts) => Compiled::All(all(parts)),
            Self::Any(parts) => Compiled::Any(all(parts)),
        }
    }
}

impl Test {
    /// The answer for a value.
    fn holds(&self, value: &Candidate) -> bool {
        match (&self.expectation, value) {
            (Expectation::Equals(text), Candidate::Text(value)) => value.to_lowercase() == *text,
            (Expectation::Equals(_), _) => false,
            (
                Expectation::StartsWith(start),
                Candidate::Text(value) | Candidate::Starting(value),
            ) => value.to_lowercase().starts_with(start.as_str()),
            (Expectation::StartsWith(_), Candidate::Other) => false,
            (Expectation::Truthy, Candidate::Text(value)) => self.subject.is_true(value),
            (Expectation::Truthy, _) => true,
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
    /// The answer, if the unknowns that are fixed decide it.
    fn decided(&self, case: &[Option<usize>]) -> Option<bool> {
        match self {
            Self::Test(subject, answers) => {
                let chosen = (*case.get(*subject)?)?;
                answers.get(chosen).copied()
            }
            Self::Not(inner) => inner.decided(case).map(|holds| !holds),
            Self::All(parts) => joined(parts, case, false),
            Self::Any(parts) => joined(parts, case, true),
        }
    }
}

/// The answer of several parts, of which one that says `absorbing` decides.
fn joined(parts: &[Compiled], case: &[Option<usize>], absorbing: bool) -> Option<bool> {
    let mut open = false;
    for part in parts {
        match part.decided(case) {
            Some(answer) if answer == absorbing => return Some(absorbing),
            Some(_) => {}
            None => open = true,
        }
    }
    (!open).then_some(!absorbing)
}

struct Search {
    condition: Compiled,
    /// The number of values of each unknown.
    sizes: Vec<usize>,
    case: Vec<Option<usize>>,
    /// How many more cases are tried.
    left: usize,
}

impl Search {
    /// Fixes the unknowns from this one on; true with the case in place, nothing when it takes too long.
    fn from(&mut self, subject: usize) -> Option<bool> {
        if let Some(decided) = self.condition.decided(&self.case) {
            return Some(decided);
        }
        self.left = self.left.checked_sub(1)?;
        for value in 0..self.sizes.get(subject).copied().unwrap_or_default() {
            *self.case.get_mut(subject)? = Some(value);
            if self.from(subject + 1)? {
                return Some(true);
            }
        }
        *self.case.get_mut(subject)? = None;
        Some(false)
    }
}

/// An unknown with the values that its tests tell apart.
struct Choices<'a> {
    subject: &'a Arc<Symbol>,
    values: Vec<Candidate>,
    texts: Vec<String>,
}

impl<'a> Choices<'a> {
    fn new(subject: &'a Arc<Symbol>, asked: &Asked<'_>) -> Self {
        let text = |text: &str| Candidate::Text(text.to_owned());
        let values: Vec<Candidate> = if subject.shape() == Shape::Boolean {
            ["true", "false"].map(text).into()
        } else if subject.values().is_empty() {
            let texts = asked.texts.iter().map(|one| text(one));
            let starts = asked
                .starts
                .iter()
                .map(|start| Candidate::Starting((*start).to_owned()));
            let empty = subject.may_be_empty() && !asked.texts.contains(&"");
            let rest = std::iter::once(Candidate::Other).chain(empty.then(|| text("")));
            texts.chain(starts).chain(rest).collect()
        } else {
            subject.values().iter().map(|value| text(value)).collect()
        };
        let not = asked.texts.iter().chain(&asked.starts);
        Self {
            subject,
            values,
            texts: not.map(|text| (*text).to_owned()).collect(),
        }
    }
}

/// The case, with the unknowns it hangs on in the order of their names.
fn assignments(choices: &[Choices<'_>], case: &[Option<usize>]) -> Vec<Assignment> {
    let fixed = choices.iter().zip(case).filter_map(|(choice, at)| {
        let value = choice.values.get((*at)?)?.clone();
        let others = if value == Candidate::Other {
            choice.texts.clone()
        } else {
            Vec::new()
        };
        Some(Assignment {
            subject: Arc::clone(choice.subject),
            value,
            others,
        })
    });
    let mut fixed: Vec<Assignment> = fixed.collect();
    fixed.sort();
    fixed
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = &self.subject;
        match (&self.value, self.others.as_slice()) {
            (Candidate::Text(value), _) if subject.shape() == Shape::Boolean => {
                write!(f, "{subject} is {value}")
            }
            (Candidate::Text(value), _) => write!(f, "{subject} = '{value}'"),
            (Candidate::Starting(start), _) => write!(f, "{subject} starts with '{start}'"),
            (Candidate::Other, []) => write!(f, "{subject} is set"),
            (Candidate::Other, others) => {
                write!(f, "{subject} is not '{}'", others.join("' or '"))
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
    fn starts_of_one_unknown_exclude_each_other_unless_one_continues_the_other() {
        let reference = Symbol::new("github.ref", Shape::Word);
        let starts = |start| Condition::starts_with(&reference, start);
        let both = starts("refs/heads/").and(&starts("refs/tags/"));
        assert_eq!(both.satisfiable(), Satisfiable::No);
        assert_eq!(
            starts("refs/heads/release/").implies(&starts("refs/heads/")),
            Some(true)
        );
        assert_eq!(
            starts("refs/heads/").implies(&starts("refs/heads/release/")),
            Some(false)
        );
        let main = Condition::equals(&reference, "refs/heads/main");
        assert_eq!(main.implies(&starts("refs/heads/")), Some(true));
        assert_eq!(main.implies(&starts("refs/tags/")), Some(false));
        let neither = starts("refs/heads/").or(&starts("refs/tags/")).negate();
        assert!(matches!(neither.satisfiable(), Satisfiable::Yes(_)));
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
    fn witnesses_leave_out_what_does_not_matter() {
        let (a, b) = (
            Condition::truthy(&symbol("a")),
            Condition::truthy(&symbol("b")),
        );
        let Satisfiable::Yes(case) = a.or(&b).satisfiable() else {
            panic!("a case exists")
        };
        let case: Vec<String> = case.iter().map(ToString::to_string).collect();
        assert_eq!(case, ["a is set"]);
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
