//! GitHub's expression language: `${{ ... }}` in texts and the bare expressions of `if:`.
//!
//! Follows GitHub's documentation of expressions, and `spec` facts about the runner's behaviour that the documentation
//! leaves open. [`syntax`] is the tree, [`parser`] reads it, [`template`] splits texts, [`coerce`] holds the rules for
//! comparing values of different types. Evaluation over partly known values is in [`crate::symbolic`].

pub mod coerce;
pub mod parser;
pub mod syntax;
pub mod template;

pub use parser::{ParseExpressionError, parse};
pub use syntax::{Expression, Kind, Operator};
pub use template::{Part, Template};
