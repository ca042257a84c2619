//! Whether a version is affected (OSV schema 1.7.5, "Evaluation"): listed by name, or inside any range.

mod beyond;
mod hit;
mod installed;
mod walk;

pub(crate) use beyond::beyond_ranges;
pub(crate) use hit::Hit;
pub use hit::{End, HitBy};
pub(crate) use installed::{Installed, is_readable};

#[cfg(test)]
mod tests;
