//! How bad a flaw is: ratings as published, what they come to, and which one is believed.
//!
//! The order of trust, first that can be read wins:
//! 1. the rating of the distribution, for packages of the distribution;
//! 2. CVSS of the record that hits (of the affected package before that of the record): version 4, else 3, else 2;
//! 3. the publisher's word in that record, such as GitHub's `MODERATE`;
//! 4. the same two of another record of the same flaw;
//! 5. the CVE's vector in the side table, the CVE authority's before CISA's;
//! 6. nothing: the severity is unknown, which is not low.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use cvss::Cvss;
use serde::{Deserialize, Serialize, Serializer};

/// How bad a flaw is, least first. Unknown is a level of its own below all.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nobody says.
    #[default]
    Unknown,
    /// No effect, or the distribution calls it unimportant.
    Negligible,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 9.0 to 10.0.
    Critical,
}

impl Severity {
    /// All levels, worst first.
    pub const WORST_FIRST: [Self; 6] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Negligible,
        Self::Unknown,
    ];

    /// The level of a CVSS score (CVSS 3.1, section 5; the same in version 4).
    #[must_use]
    pub fn from_score(score: f64) -> Self {
        match score {
            score if score >= 9.0 => Self::Critical,
            score if score >= 7.0 => Self::High,
            score if score >= 4.0 => Self::Medium,
            score if score > 0.0 => Self::Low,
            _ => Self::Negligible,
        }
    }

    /// The level as a lower-case word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Negligible => "negligible",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.word())
    }
}

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "critical" => Self::Critical,
            "high" | "important" => Self::High,
            "medium" | "moderate" => Self::Medium,
            "low" => Self::Low,
            "negligible" | "none" | "unimportant" => Self::Negligible,
            "unknown" => Self::Unknown,
            _ => return Err(UnknownSeverity(text.to_owned())),
        })
    }
}

/// A word that names no severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown severity `{0}`")]
pub struct UnknownSeverity(pub String);

/// A rating as its publisher wrote it, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating<'a> {
    /// What kind of rating it is.
    pub kind: RatingKind,
    /// A CVSS vector, a score or a word, by kind.
    pub text: Cow<'a, str>,
    grade: Grade,
}

/// What a rating comes to, as one small number: 0 if nobody can read it, else one more than the tenths of a score or than
/// the place of a level.
type Grade = u8;

impl<'a> Rating<'a> {
    /// Grades a text.
    #[must_use]
    pub fn new(kind: RatingKind, text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        let grade = if kind.is_word() {
            text.parse().map_or(0, grade_of_level)
        } else {
            let score = if kind.is_vector() {
                vector_score(&text)
            } else {
                text.parse().ok()
            };
            score.map_or(0, grade_of_score)
        };
        Self { kind, text, grade }
    }

    /// A rating that was graded when the index was made.
    pub(crate) fn graded(kind: RatingKind, text: &'a str, grade: u8) -> Self {
        Self {
            kind,
            text: text.into(),
            grade,
        }
    }

    pub(crate) fn grade(&self) -> u8 {
        self.grade
    }

    /// The CVSS score, of a vector or score that can be read.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        let tenths = self.grade.checked_sub(1).filter(|_| !self.kind.is_word())?;
        Some(f64::from(tenths.min(100)) / 10.0)
    }

    /// The level, unless nobody can read the rating or it says that nobody knows.
    #[must_use]
    pub fn level(&self) -> Option<Severity> {
        if !self.kind.is_word() {
            return self.score().map(Severity::from_score);
        }
        let place = usize::from(self.grade.checked_sub(1)?);
        Severity::WORST_FIRST.get(place).copied()
    }

    /// The one of several ratings that is believed, if any can be read.
    pub(crate) fn preferred(ratings: &[Self]) -> Option<&Self> {
        let readable = ratings.iter().filter(|rating| rating.level().is_some());
        readable.min_by_key(|rating| rating.kind.preference())
    }
}

fn grade_of_level(level: Severity) -> Grade {
    let place = Severity::WORST_FIRST
        .iter()
        .position(|known| *known == level)
        .filter(|_| level != Severity::Unknown);
    place
        .and_then(|place| u8::try_from(place + 1).ok())
        .unwrap_or(0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value lies between 1 and 101"
)]
fn grade_of_score(score: f64) -> Grade {
    ((score.clamp(0.0, 10.0) * 10.0).round() + 1.0) as u8
}

/// The kinds of ratings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RatingKind {
    /// A CVSS 2 vector.
    CvssV2,
    /// A CVSS 3.0 or 3.1 vector.
    CvssV3,
    /// A CVSS 4 vector.
    CvssV4,
    /// A CVSS 2 score whose vector is not known.
    ScoreV2,
    /// A CVSS 3 score whose vector is not known.
    ScoreV3,
    /// A CVSS 4 score whose vector is not known.
    ScoreV4,
    /// The word of the advisory's publisher.
    Word,
    /// The word of a distribution for its own package.
    Distribution,
}

impl RatingKind {
    /// All kinds; the position is the number in the index.
    pub(crate) const ALL: [Self; 8] = [
        Self::CvssV2,
        Self::CvssV3,
        Self::CvssV4,
        Self::ScoreV2,
        Self::ScoreV3,
        Self::ScoreV4,
        Self::Word,
        Self::Distribution,
    ];

    /// Whether such a rating is a CVSS vector.
    fn is_vector(self) -> bool {
        matches!(self, Self::CvssV2 | Self::CvssV3 | Self::CvssV4)
    }

    /// Whether such a rating is a word.
    fn is_word(self) -> bool {
        matches!(self, Self::Word | Self::Distribution)
    }

    /// Less is asked first: the newest CVSS with a vector, then without, then words.
    fn preference(self) -> u8 {
        match self {
            Self::Distribution => 0,
            Self::CvssV4 => 1,
            Self::CvssV3 => 2,
            Self::ScoreV4 => 3,
            Self::ScoreV3 => 4,
            Self::CvssV2 => 5,
            Self::ScoreV2 => 6,
            Self::Word => 7,
        }
    }
}

/// A severity with what it was taken from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assessment<'a> {
    /// The level.
    pub level: Severity,
    /// The CVSS score, if a vector or score was used.
    pub score: Option<f64>,
    /// The CVSS vector, if one was used.
    pub vector: Option<Cow<'a, str>>,
    /// Who said so.
    pub source: RatingSource<'a>,
}

/// Who said how bad a flaw is, such as `GHSA-... CVSS 3.1`: a record with what in it, or a CVE with who scored it. Empty if
/// nobody did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RatingSource<'a> {
    /// The record or CVE.
    author: &'a str,
    /// Who scored the CVE, or empty.
    scorer: &'a str,
    /// What kind of rating it is, or empty.
    what: &'static str,
}

impl RatingSource<'_> {
    /// That the package itself is made to do harm.
    pub(crate) const MALWARE: Self = RatingSource {
        author: "malware",
        scorer: "",
        what: "",
    };

    /// Whether nobody said anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.author.is_empty()
    }
}

impl fmt::Display for RatingSource<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.author)?;
        let rest = [self.scorer, self.what].into_iter();
        rest.filter(|part| !part.is_empty())
            .try_for_each(|part| write!(formatter, " {part}"))
    }
}

impl Serialize for RatingSource<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'a> Assessment<'a> {
    /// What a rating comes to, or nothing if it cannot be read. `author` is the record or CVE that it is from, and `scorer`
    /// who scored a CVE, or empty.
    #[must_use]
    pub(crate) fn of(rating: &Rating<'a>, author: &'a str, scorer: &'a str) -> Option<Self> {
        let what = match rating.kind {
            RatingKind::CvssV2 | RatingKind::CvssV3 | RatingKind::CvssV4 => {
                vector_name(&rating.text)
            }
            RatingKind::ScoreV2 | RatingKind::ScoreV3 | RatingKind::ScoreV4 => "score",
            RatingKind::Word => "word",
            RatingKind::Distribution => "distribution",
        };
        Some(Self {
            level: rating.level()?,
            score: rating.score(),
            vector: rating.kind.is_vector().then(|| rating.text.clone()),
            source: RatingSource {
                author,
                scorer,
                what,
            },
        })
    }
}

/// The score of a CVSS vector of any version, or `None` if it is malformed.
#[must_use]
pub fn vector_score(vector: &str) -> Option<f64> {
    if vector.len() > 512 {
        return None;
    }
    let score = vector.trim().parse::<Cvss>().ok()?.score();
    // Scores have one decimal; the arithmetic behind them may leave a residue.
    Some((score * 10.0).round() / 10.0).filter(|score| score.is_finite())
}

fn vector_name(vector: &str) -> &'static str {
    match vector.get(..8) {
        Some("CVSS:4.0") => "CVSS 4.0",
        Some("CVSS:3.1") => "CVSS 3.1",
        Some("CVSS:3.0") => "CVSS 3.0",
        _ => "CVSS 2.0",
    }
}
