//! Finding damage: every blob against its name, every layer against its diff_id, everything that a pointer leads to.

mod examine;
mod finding;
mod repair;

pub use finding::{Check, Finding, Report, Trouble};
