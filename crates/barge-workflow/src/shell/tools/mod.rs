//! Text tools of pipelines (`tr`, `cut`, `sed`, `head`) on partly known texts.
//!
//! What a tool does to an unknown becomes an unknown named by the tool, its arguments and its input, so that the same
//! derivation in two places is recognised as the same value.

mod cut;
mod grep;
mod pattern;
mod sed;
mod tool;

pub use grep::grep_finds;
pub use pattern::{replace_pattern, strip_pattern, substring};
pub use tool::{apply, derived};

#[cfg(test)]
mod tests;
