//! Exit codes, the same for every command.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, and passed where there was something to pass.
    Done = 0,
    /// Failed while working.
    Failed = 1,
    /// Wrong usage or settings.
    Usage = 2,
    /// A reference that is not there, or not what it was.
    Reference = 3,
    /// The store failed, or does not hold what was asked for.
    Store = 4,
    /// Evidence is missing: no packages, no advisory data, a scan that did not finish.
    Evidence = 5,
    /// The policy says no.
    Policy = 10,
    /// Interrupted by the user.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
