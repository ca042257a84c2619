//! One file per command: its arguments, whose comments are the help text, and what it does with them.

pub(crate) mod completions;
