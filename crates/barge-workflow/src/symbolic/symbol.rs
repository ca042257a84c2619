//! A named unknown: what a run will know and a reader of the file cannot.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

/// Longer names, in bytes, are cut and told apart by a hash.
const NAME_LIMIT: usize = 512;

/// What the texts a symbol stands for look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Anything, also nothing; may be a boolean or number.
    Any,
    /// A text, also an empty one, also of many lines.
    Text,
    /// One or more characters, no white space.
    Word,
    /// A word that a container registry takes as part of a tag: no `/`, `:` or `@`.
    TagWord,
    /// A word without `/`: the owner or the name of a repository.
    Segment,
    /// One or more decimal digits.
    Digits,
    /// Hexadecimal digits, as of a commit.
    Hexadecimal,
    /// `true` or `false`, as a boolean.
    Boolean,
}

/// Why an unknown is only as good as a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It is whether a program succeeds: two such unknowns with different names can still be one question.
    Success,
    /// What it stands for is not documented.
    Undocumented,
}

/// An unknown, identified by its canonical name.
#[derive(Debug, Clone)]
pub struct Symbol {
    name: Box<str>,
    shape: Shape,
    values: Box<[String]>,
    doubt: Option<Doubt>,
}

impl Symbol {
    /// An unknown of a shape.
    #[must_use]
    pub fn new(name: impl Into<Box<str>>, shape: Shape) -> Arc<Self> {
        Self::build(name.into(), shape, Box::default(), None)
    }

    /// An unknown that is one of the given texts.
    #[must_use]
    pub fn one_of(name: impl Into<Box<str>>, shape: Shape, values: Vec<String>) -> Arc<Self> {
        Self::build(name.into(), shape, sorted(values), None)
    }

    /// Whether something succeeds: `success of the last command`.
    #[must_use]
    pub fn success_of(what: &str, shape: Shape) -> Arc<Self> {
        let name = format!("success of {what}");
        Self::build(name.into(), shape, Box::default(), Some(Doubt::Success))
    }

    /// What nobody says what it stands for.
    #[must_use]
    pub fn undocumented(name: &str, shape: Shape) -> Arc<Self> {
        let name = format!("undecided {name}");
        let doubt = Some(Doubt::Undocumented);
        Self::build(name.into(), shape, Box::default(), doubt)
    }

    /// What was made of this unknown: under another name, as doubtful as it.
    #[must_use]
    pub fn derived(&self, name: String) -> Arc<Self> {
        Self::build(name.into(), self.shape, Box::default(), self.doubt)
    }

    fn build(
        name: Box<str>,
        shape: Shape,
        values: Box<[String]>,
        doubt: Option<Doubt>,
    ) -> Arc<Self> {
        Arc::new(Self {
            name: bounded(name),
            shape,
            values,
            doubt,
        })
    }

    /// The canonical name, `github.event.pull_request.number`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its texts look like.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The only texts it can be; empty when that is not known.
    #[must_use]
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// The same unknown in lower case.
    #[must_use]
    pub fn lower(self: &Arc<Self>) -> Arc<Self> {
        if matches!(
            self.shape,
            Shape::Digits | Shape::Hexadecimal | Shape::Boolean
        ) || self.is_lower()
        {
            return Arc::clone(self);
        }
        let values = self.values.iter().map(|value| value.to_lowercase());
        let name = format!("lower({})", self.name);
        Self::build(
            name.into(),
            self.shape,
            sorted(values.collect()),
            self.doubt,
        )
    }

    /// Says whether the unknown went through lower-casing.
    #[must_use]
    pub fn is_lower(&self) -> bool {
        self.name.starts_with("lower(")
    }

    /// Why the unknown is only as good as a guess, if it is: what hangs on it is never proven.
    #[must_use]
    pub fn doubt(&self) -> Option<Doubt> {
        self.doubt
    }

    /// The length of every text it can be, in characters: a commit has 40, its short form as many as were taken.
    #[must_use]
    pub fn length(&self) -> Option<usize> {
        const COMMIT: usize = 40;
        match self.name.strip_prefix("github.sha")? {
            "" => Some(COMMIT),
            taken => taken.strip_prefix("[..")?.strip_suffix(']')?.parse().ok(),
        }
    }

    /// Says whether the texts are versions, which start with a digit: those of pushed tags behind their `v`.
    #[must_use]
    pub fn is_version(&self) -> bool {
        let name = self.name.strip_prefix("lower(").unwrap_or(&self.name);
        name.trim_end_matches(')') == "github.ref_name[1..]"
    }

    /// Says whether the text can be empty.
    #[must_use]
    pub fn may_be_empty(&self) -> bool {
        if !self.values.is_empty() {
            return self.values.iter().any(String::is_empty);
        }
        matches!(self.shape, Shape::Any | Shape::Text)
    }

    /// Says whether the text can hold these characters, in either case.
    #[must_use]
    pub fn may_spell(&self, text: &str) -> bool {
        text.chars()
            .all(|c| self.may_hold(c) || c.to_uppercase().any(|upper| self.may_hold(upper)))
    }

    /// The truth of one of its texts: boolean unknowns print `false`, texts are true unless empty.
    #[must_use]
    pub fn is_true(&self, value: &str) -> bool {
        match self.shape {
            Shape::Boolean => value == "true",
            Shape::Any => !matches!(value, "" | "false" | "0"),
            _ => !value.is_empty(),
        }
    }

    /// Says whether a character can occur in the text.
    #[must_use]
    pub fn may_hold(&self, character: char) -> bool {
        match self.shape {
            Shape::Any | Shape::Text => true,
            Shape::Word => !character.is_whitespace(),
            Shape::TagWord => !character.is_whitespace() && !matches!(character, '/' | ':' | '@'),
            Shape::Segment => {
                character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
            }
            Shape::Digits => character.is_ascii_digit(),
            Shape::Hexadecimal => character.is_ascii_hexdigit() && !character.is_ascii_uppercase(),
            Shape::Boolean => character.is_ascii_lowercase(),
        }
    }
}

/// Texts in order, each once.
fn sorted(mut values: Vec<String>) -> Box<[String]> {
    values.sort_unstable();
    values.dedup();
    values.into()
}

/// A name of bounded length: what a tool makes of an unknown is named by both, again and again.
fn bounded(name: Box<str>) -> Box<str> {
    if name.len() <= NAME_LIMIT {
        return name;
    }
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let end = name.floor_char_boundary(NAME_LIMIT / 2);
    let start = name.get(..end).unwrap_or_default();
    format!("{start}… ({:016x})", hasher.finish()).into()
}

impl PartialEq for Symbol {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.name == other.name
    }
}

impl Eq for Symbol {}

impl PartialOrd for Symbol {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Symbol {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(&other.name)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
