//! From which severity on something happens.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::severity::Severity;

/// A severity from which on something happens, or `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold(pub Option<Severity>);

impl Threshold {
    pub(super) fn reached_by(self, severity: Severity) -> bool {
        severity != Severity::Unknown && self.0.is_some_and(|least| severity >= least)
    }
}

impl std::str::FromStr for Threshold {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "never" => return Ok(Self(None)),
            // As a severity it is the least, by which everything would fail.
            "none" => return Err(Error::Policy("say `never` instead of `none`".to_owned())),
            _ => {}
        }
        let severity: Severity = text
            .parse()
            .map_err(|error| Error::Policy(format!("{error}")))?;
        if severity == Severity::Unknown {
            return Err(Error::Policy(
                "unknown severities have a switch of their own: `fail-on-unknown`".to_owned(),
            ));
        }
        Ok(Self(Some(severity)))
    }
}

impl std::fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.map_or("never", Severity::word))
    }
}

impl Serialize for Threshold {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
