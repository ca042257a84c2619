//! What can be set, and what makes no sense.

use serde::{Deserialize, Serialize};

use super::ignore::IgnoreRule;
use super::threshold::Threshold;
use crate::error::Error;
use crate::severity::Severity;
use crate::unread::UnreadLimit;

/// The section `[scan]` of the settings. The default: critical fails, high warns, what is exploited fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Policy {
    /// The least severity that fails.
    pub fail_on: Threshold,
    /// The least severity that warns.
    pub warn_on: Threshold,
    /// Whether a flaw of unknown severity fails.
    pub fail_on_unknown: bool,
    /// Whether ecosystems without any data fail the scan as incomplete.
    pub fail_on_missing_data: bool,
    /// Which evidence that could not be read fails the scan as incomplete.
    pub fail_on_unread: UnreadLimit,
    /// Whether only flaws with a fix count.
    pub only_fixed: bool,
    /// Whether only flaws count that the baseline does not have.
    pub only_new: bool,
    /// The greatest age of the data, in days; no limit unless set.
    pub max_age: Option<u32>,
    /// What does not count, each with a reason.
    pub ignore: Vec<IgnoreRule>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            fail_on: Threshold(Some(Severity::Critical)),
            warn_on: Threshold(Some(Severity::High)),
            fail_on_unknown: false,
            fail_on_missing_data: false,
            fail_on_unread: UnreadLimit::default(),
            only_fixed: false,
            only_new: false,
            max_age: None,
            ignore: Vec::new(),
        }
    }
}

impl Policy {
    /// Checks what the format cannot: every ignore rule selects something and says why.
    pub fn check(&self) -> Result<(), Error> {
        for rule in &self.ignore {
            if rule.id.is_none() && rule.package.is_none() && rule.path.is_none() {
                return Err(Error::Policy(
                    "an ignore rule selects nothing: give `id`, `package` or `path`".to_owned(),
                ));
            }
            if rule.reason.trim().is_empty() {
                return Err(Error::Policy(format!(
                    "the ignore rule for {} has no reason",
                    rule.describe()
                )));
            }
        }
        Ok(())
    }
}
