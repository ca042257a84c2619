//! Handlebars templates, the part of version 4.7 that needs no registered helpers, partials or decorators.
//!
//! Follows the grammar (`handlebars.l`, `handlebars.yy`), the standalone rules and the runtime of Handlebars: HTML
//! escaping, the built-in helpers, data variables, block parameters, functions in the context. Property access is
//! limited to own properties, as there.

mod ast;
mod blocks;
mod helper;
mod lexer;
mod parser;
mod render;
mod value;
mod whitespace;

pub(crate) use render::{Dialect, Template, render};
pub(crate) use value::{Arguments, Value};

/// Why a template could not be parsed or rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The text breaks the grammar.
    #[error("Parse error on line {line}: {message}")]
    Syntax {
        /// Counts the lines from 1.
        line: usize,
        /// What was found and what was expected.
        message: String,
    },
    /// A name with parameters that is neither a helper nor a function.
    #[error("Missing helper: \"{0}\"")]
    MissingHelper(String),
    /// A partial, of which there are none.
    #[error("The partial {0} could not be found")]
    MissingPartial(String),
    /// A function of the context refused its arguments; the text is its own.
    #[error("{0}")]
    Function(String),
    /// The template does something that ends a JavaScript program with a `TypeError`.
    #[error("{0}")]
    Type(String),
    /// Blocks within blocks beyond reason.
    #[error("blocks or expressions are nested deeper than {0} levels")]
    Depth(usize),
}
