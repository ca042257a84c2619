//! Existing workflow files: a model with positions, expressions, image-reference dataflow, rules, fixes.

pub mod expression;
pub mod flow;
pub mod model;
pub mod scenario;
pub mod shell;
pub mod source;
pub mod symbolic;
pub mod yaml;
