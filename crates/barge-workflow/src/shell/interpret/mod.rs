//! Runs a script over partly known values: both branches of an undecided condition run, each under its condition.
//!
//! Programs are the [`Machine`]'s affair; the interpreter knows the language, variables, and the text tools of pipelines.

mod compound;
mod interpreter;
mod machine;
mod nested;
mod program;
mod variable;

pub use self::interpreter::Interpreter;
pub use self::machine::{Call, Input, Machine, Output, join_path, success_of};

#[cfg(test)]
mod tests;
