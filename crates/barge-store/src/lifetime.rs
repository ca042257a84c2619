//! How long artifacts are kept.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// How long an artifact is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Lifetime {
    /// Until somebody removes it.
    Forever,
    /// So long after it was made.
    For(SignedDuration),
}

/// Why a text is no lifetime.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a length of time: give a number and `m`, `h`, `d` or `w`, such as `7d`, or `never`"
)]
pub struct ParseLifetimeError(String);

/// A length of time, such as `36h`, in the words of [`Lifetime`].
///
/// # Errors
/// When the text is not a number and a unit.
pub fn parse_duration(text: &str) -> Result<SignedDuration, ParseLifetimeError> {
    let refused = || ParseLifetimeError(text.to_owned());
    let unit = text.chars().last().ok_or_else(refused)?;
    let seconds: i64 = match unit {
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return Err(refused()),
    };
    let count = &text[..text.len() - 1];
    let is_number = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    let count: Option<i64> = count.parse().ok().filter(|_| is_number);
    let seconds = count.and_then(|count| count.checked_mul(seconds));
    seconds.map(SignedDuration::from_secs).ok_or_else(refused)
}

impl Lifetime {
    /// When an artifact that is made now may go.
    #[must_use]
    pub fn from(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Forever => None,
            // Beyond the end of the calendar is never.
            Self::For(duration) => now.checked_add(duration).ok(),
        }
    }
}

impl FromStr for Lifetime {
    type Err = ParseLifetimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "never" {
            return Ok(Self::Forever);
        }
        let refused = |_| ParseLifetimeError(text.to_owned());
        parse_duration(text).map(Self::For).map_err(refused)
    }
}

impl TryFrom<String> for Lifetime {
    type Error = ParseLifetimeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forever => f.write_str("never"),
            Self::For(duration) => write!(f, "{duration:#}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lifetimes() {
        let hours = |hours| Lifetime::For(SignedDuration::from_hours(hours));
        for (text, expected) in [
            ("never", Lifetime::Forever),
            ("36h", hours(36)),
            ("7d", hours(168)),
            ("0d", hours(0)),
            ("2w", hours(336)),
        ] {
            assert_eq!(text.parse(), Ok(expected));
        }
        for text in [
            "",
            "d",
            "7",
            "-1d",
            "+1d",
            "1.5d",
            "7 d",
            "9999999999999999w",
            "7д",
        ] {
            assert!(text.parse::<Lifetime>().is_err(), "{text}");
        }
        assert_eq!(hours(i64::MAX / 4000).from(Timestamp::UNIX_EPOCH), None);
    }
}
