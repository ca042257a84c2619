//! A workflow's script: its expressions replaced by placeholders, parsed, with the way back to the original bytes.

use crate::expression::{Part, Template};

use super::parser::{PLACEHOLDER, PLACEHOLDER_LIMIT, parse};
use super::syntax::Script;

/// A script as the shell's parser sees it.
#[derive(Debug)]
pub struct ScriptText {
    text: String,
    tree: Script,
    /// From a byte of `text` on, how many bytes the original is longer.
    shifts: Vec<(usize, usize)>,
}

impl ScriptText {
    /// Replaces the expressions of a script and parses it.
    #[must_use]
    pub fn new(original: &str, template: &Template) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut shifts = Vec::new();
        let mut shift = 0;
        let mut number = 0;
        for part in &template.parts {
            let range = match part {
                Part::Literal(range) => {
                    text.push_str(original.get(range.clone()).unwrap_or_default());
                    continue;
                }
                Part::Expression(range, _) | Part::Broken(range, _) => range,
            };
            let limited =
                u32::try_from(usize::min(number, PLACEHOLDER_LIMIT - 1)).unwrap_or_default();
            number += 1;
            let Some(character) = char::from_u32(PLACEHOLDER + limited) else {
                continue;
            };
            text.push(character);
            shift += range.len().saturating_sub(character.len_utf8());
            shifts.push((text.len(), shift));
        }
        Self {
            tree: parse(&text),
            text,
            shifts,
        }
    }

    /// The text with placeholders.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parsed script.
    #[must_use]
    pub fn tree(&self) -> &Script {
        &self.tree
    }

    /// The byte of the original for a byte of the text.
    #[must_use]
    pub fn original(&self, offset: usize) -> usize {
        let at = self.shifts.partition_point(|(start, _)| *start <= offset);
        offset
            + at.checked_sub(1)
                .and_then(|last| self.shifts.get(last))
                .map_or(0, |(_, shift)| *shift)
    }
}
