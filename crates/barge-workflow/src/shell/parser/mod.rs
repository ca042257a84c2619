//! Reads a shell script. Expressions of the workflow arrive as placeholder characters (see [`PLACEHOLDER`]).

mod clause;
mod command;
mod cursor;
mod heredoc;
mod list;
mod word;

pub use list::parse;

/// The character of placeholder 0; placeholder n is n characters further, in Unicode's private area.
pub const PLACEHOLDER: u32 = 0xE000;

/// How many placeholders a script can hold.
pub const PLACEHOLDER_LIMIT: usize = 6400;

#[cfg(test)]
mod tests;
