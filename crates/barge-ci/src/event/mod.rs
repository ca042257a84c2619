//! What happened: one typed event, whichever forge or checkout it came from.
//!
//! Every fact that a later decision rests on is a field of its own, and absent facts are `None`, never an empty text:
//! a pull request event has no head commit message, a manual run has no pull request unless it names one.

mod checkout;
mod commit;
mod error;
mod github;
mod gitlab;
mod model;
mod payload;
mod reference;

pub use commit::CommitId;
pub use error::EventError;
pub use model::{Event, Forge, PullRequest, Repository, Run, Trigger, UpstreamRun};
pub use reference::GitReference;
