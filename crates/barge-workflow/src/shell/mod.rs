//! Reading shell scripts: a grammar for what CI scripts write, and an interpreter over partly known values.
//!
//! Covers the POSIX grammar with bash's tests, here-strings and expansions. What is not understood becomes an unknown
//! value or an opaque command; a script that cannot be parsed is read up to the error.

pub mod expand;
pub mod interpret;
pub mod parser;
pub mod syntax;
pub mod test;
pub mod text;
pub mod tools;

pub use interpret::{Call, Input, Interpreter, Machine, Output, success_of};
pub use parser::parse;
pub use syntax::Script;
pub use text::ScriptText;
