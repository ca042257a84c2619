//! What happened and what it is called: events, the skip decision, tags, labels, annotations.
//!
//! Pure: the environment, payloads, the clock and git are handed in; nothing is read or printed here.

mod cause;
pub mod environment;
pub mod event;
mod facts;
pub mod gate;
pub mod git;
pub mod job;
pub mod meta;
pub mod pattern;
pub mod plan;
pub mod publish;
pub mod settings;
pub mod skip;

pub use cause::{Cause, Rule};
pub use environment::Environment;
pub use event::{Event, EventError};
pub use facts::{Changes, Facts};
pub use gate::{Results, Verdict};
pub use git::{Git, GitError};
pub use job::{Job, JobId, JobState, Switches};
pub use meta::Names;
pub use plan::{Build, Decision, Plan};
pub use publish::{Delivery, Destination};
pub use settings::Settings;
