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
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use cvss::Cvss;
use serde::{Deserialize, Serialize};

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

/// A rating as its publisher wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating<'a> {
    /// What kind of rating it is.
    pub kind: RatingKind,
    /// A CVSS vector, a score or a word, by kind.
    pub score: Cow<'a, str>,
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The level.
    pub level: Severity,
    /// The CVSS score, if a vector or score was used.
    pub score: Option<f64>,
    /// The CVSS vector, if one was used.
    pub vector: Option<String>,
    /// Who said so: a record's id with what in it, or the side table's source. Empty if nobody did.
    pub source: String,
}

impl Assessment {
    /// What one set of ratings comes to, or `None` if none can be read.
    #[must_use]
    pub fn of(ratings: &[Rating<'_>], source: &str, scores: &mut Scores) -> Option<Self> {
        let mut sorted: Vec<&Rating<'_>> = ratings.iter().collect();
        sorted.sort_by_key(|rating| rating.kind.preference());
        sorted
            .into_iter()
            .find_map(|rating| Self::of_rating(rating, source, scores))
    }

    fn of_rating(rating: &Rating<'_>, source: &str, scores: &mut Scores) -> Option<Self> {
        match rating.kind {
            RatingKind::CvssV2 | RatingKind::CvssV3 | RatingKind::CvssV4 => {
                let score = scores.of(&rating.score)?;
                let level = Severity::from_score(score);
                let source = format!("{source} {}", vector_name(&rating.score));
                Some(Self {
                    level,
                    score: Some(score),
                    vector: Some(rating.score.to_string()),
                    source,
                })
            }
            RatingKind::ScoreV2 | RatingKind::ScoreV3 | RatingKind::ScoreV4 => {
                let score: f64 = rating.score.parse().ok()?;
                let source = format!("{source} score");
                Some(Self {
                    level: Severity::from_score(score),
                    score: Some(score),
                    vector: None,
                    source,
                })
            }
            RatingKind::Word | RatingKind::Distribution => {
                let level = rating
                    .score
                    .parse()
                    .ok()
                    .filter(|level| *level != Severity::Unknown)?;
                let source = match rating.kind {
                    RatingKind::Distribution => format!("{source} distribution"),
                    _ => format!("{source} word"),
                };
                Some(Self {
                    level,
                    score: None,
                    vector: None,
                    source,
                })
            }
        }
    }
}

/// Scores of vectors that were asked before: few vectors make up most of the data.
#[derive(Debug, Default)]
pub struct Scores(HashMap<String, Option<f64>>);

impl Scores {
    /// The score of a CVSS vector, as [`vector_score`] computes it.
    pub fn of(&mut self, vector: &str) -> Option<f64> {
        if let Some(score) = self.0.get(vector) {
            return *score;
        }
        let score = vector_score(vector);
        self.0.insert(vector.to_owned(), score);
        score
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
