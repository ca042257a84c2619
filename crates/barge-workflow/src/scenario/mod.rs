//! The events a workflow can run for, and what each of them makes known.
//!
//! A scenario is one kind of event; what varies within the kind stays an unknown. `github.event` fields that an event does
//! not have are null, as on GitHub. Facts from GitHub's documentation of events and contexts.

mod event;
mod github;
mod kind;
mod triggers;

pub use event::EVENTS;
pub use github::outside;
pub use kind::{RefKind, Scenario};
pub use triggers::scenarios;
