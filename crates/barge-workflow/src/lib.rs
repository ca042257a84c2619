//! Existing workflow files: a model with positions, expressions, image-reference dataflow, rules, fixes.

pub mod check;
pub mod daemon_error;
pub mod expression;
pub mod filter;
pub mod finding;
pub mod flow;
pub mod ignore;
pub mod mend;
pub mod model;
pub mod plan;
pub mod reference;
pub mod render;
pub mod rule;
pub mod scenario;
pub mod shell;
pub mod source;
pub mod symbolic;
pub mod yaml;

pub use check::{Checked, check};
pub use finding::{Finding, Fix, Severity};
pub use flow::Repository;
pub use source::Source;
