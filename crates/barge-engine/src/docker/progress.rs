//! What a build tells while it runs.

/// One thing that happened in a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildEvent {
    /// A step began.
    Started {
        /// The step, as the builder names it.
        step: String,
    },
    /// A step ended.
    Completed {
        /// The step, as the builder names it.
        step: String,
        /// Whether its result was there already.
        cached: bool,
    },
    /// A step wrote a line.
    Output {
        /// The line, without its end.
        line: String,
    },
}
