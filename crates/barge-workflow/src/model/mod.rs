//! A workflow or composite action as typed parts, each with its place in the file.
//!
//! Tolerant: keys it does not know are left alone, values of the wrong kind are left out. Checking a file's shape is not
//! its purpose. Names are GitHub's; other forges get a model of their own that yields the same steps.

mod action;
mod field;
mod input;
mod job;
mod workflow;

pub use action::Action;
pub use field::{Entry, Field, Guard};
pub use input::Input;
pub use job::{Defaults, Job, Step};
pub use workflow::{Trigger, Workflow};
