//! Git references as forges report them: `refs/heads/…`, `refs/tags/…`, `refs/pull/N/…`, `refs/merge-requests/N/…`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A full git reference, sorted by what it names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GitReference {
    /// `refs/heads/<name>`.
    Branch(String),
    /// `refs/tags/<name>`.
    Tag(String),
    /// `refs/pull/<number>/<kind>`, the kind being `merge` or `head`.
    PullRequest {
        /// The number of the pull request.
        number: u64,
        /// `merge` or `head`.
        kind: String,
    },
    /// Anything else, unchanged.
    Other(String),
}

impl GitReference {
    /// The branch's name without `refs/heads/`.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        match self {
            Self::Branch(name) => Some(name),
            _ => None,
        }
    }

    /// The tag's name without `refs/tags/`.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::Tag(name) => Some(name),
            _ => None,
        }
    }

    fn parse_pull_request(text: &str) -> Option<Self> {
        let (number, kind) = text.strip_prefix("refs/pull/")?.split_once('/')?;
        let number = number.parse().ok()?;
        matches!(kind, "merge" | "head").then(|| Self::PullRequest {
            number,
            kind: kind.to_owned(),
        })
    }
}

impl FromStr for GitReference {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if let Some(name) = text.strip_prefix("refs/heads/") {
            Self::Branch(name.to_owned())
        } else if let Some(name) = text.strip_prefix("refs/tags/") {
            Self::Tag(name.to_owned())
        } else {
            Self::parse_pull_request(text).unwrap_or_else(|| Self::Other(text.to_owned()))
        })
    }
}

impl fmt::Display for GitReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch(name) => write!(f, "refs/heads/{name}"),
            Self::Tag(name) => write!(f, "refs/tags/{name}"),
            Self::PullRequest { number, kind } => write!(f, "refs/pull/{number}/{kind}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl Serialize for GitReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GitReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(String::deserialize(deserializer)?
            .parse()
            .unwrap_or_else(|never| match never {}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_survives_the_round_trip() {
        for text in [
            "refs/heads/main",
            "refs/heads/feature/a/b",
            "refs/tags/v1.2.3",
            "refs/pull/12/merge",
            "refs/pull/5/head",
            "refs/pull/x/head",
            "refs/merge-requests/7/head",
            "HEAD",
        ] {
            let parsed: GitReference = text.parse().unwrap();
            assert_eq!(parsed.to_string(), text);
        }
        assert_eq!(
            "refs/heads/a/b".parse(),
            Ok(GitReference::Branch("a/b".into()))
        );
        assert_eq!(
            "refs/pull/x/head".parse(),
            Ok(GitReference::Other("refs/pull/x/head".into()))
        );
    }
}
