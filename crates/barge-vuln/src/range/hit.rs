//! What a hit is, and how it is shown.

use std::fmt;

use serde::{Serialize, Serializer};

/// Why an entry hits a version, and what would heal it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit<'a> {
    /// What holds the version.
    pub(crate) by: HitBy<'a>,
    /// The least fixed version above the installed one.
    pub(crate) fixed: Option<&'a str>,
    /// An event of the range that cannot be compared with the installed version, and was passed over.
    pub(crate) unread: Option<&'a str>,
}

/// What of an entry holds a version. Shown as an interval such as `>= 1.2, < 1.3`, or as `listed 1.2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HitBy<'a> {
    /// A range.
    Range {
        /// The version that it starts with, `0` for the first of all.
        start: &'a str,
        /// The version that it ends with, if it ends.
        end: Option<End<'a>>,
    },
    /// The list of versions, by the version as it stands there.
    Listed(&'a str),
}

/// The end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End<'a> {
    /// The first version outside.
    Fixed(&'a str),
    /// The last version inside.
    LastAffected(&'a str),
}

impl Serialize for HitBy<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for HitBy<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = match self {
            Self::Listed(version) => return write!(formatter, "listed {version}"),
            Self::Range { start: "0", end } => ("", end),
            Self::Range { start, end } => (*start, end),
        };
        let comma = match (start, end) {
            ("", None) => return formatter.write_str("all versions"),
            ("", _) => "",
            (start, end) => {
                write!(formatter, ">= {start}")?;
                end.map_or("", |_| ", ")
            }
        };
        match end {
            None => Ok(()),
            Some(End::Fixed(version)) => write!(formatter, "{comma}< {version}"),
            Some(End::LastAffected(version)) => write!(formatter, "{comma}<= {version}"),
        }
    }
}
