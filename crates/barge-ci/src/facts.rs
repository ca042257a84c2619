//! What is known beside the event and the settings.

use crate::job::Switches;

/// What a plan needs to know beside the event and the settings.
#[derive(Debug, Clone)]
pub struct Facts<'f> {
    /// The time of the run, or `SOURCE_DATE_EPOCH`.
    pub now: jiff::Timestamp,
    /// When the commit was made, if known.
    pub commit_time: Option<jiff::Timestamp>,
    /// The files that the event touched, by git.
    pub changes: Changes,
    /// The head commit's message from git, where the event has none.
    pub head_message: Option<&'f str>,
    /// Jobs that the operator has switched off.
    pub switches: &'f Switches,
    /// The tags of the repository, for `latest = "highest"`.
    pub tags: &'f [String],
}

/// The files that an event touched, as far as git could tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// All of them.
    Known(Vec<String>),
    /// Git was not asked, or could not tell; why, for people.
    Unknown(String),
}

impl Default for Changes {
    fn default() -> Self {
        Self::Unknown("git was not asked".into())
    }
}
