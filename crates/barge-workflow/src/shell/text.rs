//! A workflow's script: its expressions replaced by placeholders, parsed, with the way back to the original bytes.

use std::collections::BTreeSet;

use ecow::EcoString;

use crate::expression::{Part, Template};

use super::parser::{PLACEHOLDER, PLACEHOLDER_LIMIT, parse};
use super::syntax::Script;

/// What sets variables in ways that are not followed.
const UNSEEN: [&str; 9] = [
    "source ",
    ". ",
    "eval ",
    "printf -v",
    "getopts ",
    "declare -n",
    "((",
    "let ",
    "select ",
];

/// A script as the shell's parser sees it, and what of its text every walk asks for.
#[derive(Debug)]
pub struct ScriptText {
    text: String,
    tree: Script,
    /// From a byte of `text` on, how many bytes the original is longer.
    shifts: Vec<(usize, usize)>,
    variables: BTreeSet<EcoString>,
    sets_unseen: bool,
    reads_all: bool,
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
            variables: variables(&text),
            sets_unseen: UNSEEN.iter().any(|word| text.contains(word)),
            reads_all: ["bake", "compose", "ko "]
                .iter()
                .any(|name| text.contains(name)),
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

    /// The names of the variables that it can mean: those behind a `$`.
    pub(crate) fn variables(&self) -> &BTreeSet<EcoString> {
        &self.variables
    }

    /// Says whether it can set variables in ways that are not followed.
    pub(crate) fn sets_unseen(&self) -> bool {
        self.sets_unseen
    }

    /// Says whether it can call programs that read files which mean variables of their own.
    pub(crate) fn reads_all_variables(&self) -> bool {
        self.reads_all
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

/// The names behind each `$` of a script, those in `${...}` included.
fn variables(script: &str) -> BTreeSet<EcoString> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names = script.match_indices('$').map(|(at, _)| {
        let rest = script.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let rest = rest.trim_start_matches(['#', '!']);
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    });
    let names = names.filter(|name| !name.is_empty());
    names.map(EcoString::from).collect()
}
