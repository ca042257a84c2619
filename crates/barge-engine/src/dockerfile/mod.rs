//! Dockerfiles as text: parsed, typed, with line spans (Docker's Dockerfile reference, BuildKit's frontend as oracle).
//!
//! Pure over text: nothing is looked up or built here. [`Dockerfile::parse`] gives the stages and their instructions,
//! [`expand`] substitutes variables in a word, [`Dockerfile::globals`] gives the values that `FROM` can use.

mod arguments;
mod error;
pub mod expand;
mod flags;
mod healthcheck;
mod instruction;
mod lines;
mod parse;
mod scope;

pub use error::ParseError;
pub(crate) use error::shorten;
pub use instruction::{
    Argument, CommandLine, Dockerfile, Healthcheck, Heredoc, Instruction, Kind, Pair, Span, Stage,
    Transfer,
};
pub use scope::Scope;
