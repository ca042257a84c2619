//! Scripts that a script hands to another shell as text: `bash -c "..."`, `eval`, and a here-document for `bash`.

use crate::source::Span;
use crate::symbolic::{Condition, Piece, Text};

use super::super::parser::{PLACEHOLDER, parse};
use super::interpreter::CALL_DEPTH_LIMIT;
use super::program::joined;
use super::{Input, Interpreter, Machine, Output};

/// The first placeholder that stands for an unknown of the handed text, far behind those of a workflow's expressions.
const FIRST: usize = 6000;
/// More unknowns than this are not followed.
const LIMIT: usize = 256;

impl<M: Machine> Interpreter<'_, M> {
    /// Runs the text that a call hands to a shell; nothing when the program is none, or the text is not understood.
    pub(super) fn nested(
        &mut self,
        name: &str,
        arguments: &[Text],
        span: Span,
        tolerated: bool,
    ) -> Option<Condition> {
        let text = self.handed(name, arguments)?;
        let (first, outer) = (self.inserted.len(), self.within);
        let tree = self
            .with_placeholders(&text)
            .map(|script| parse(&script))
            .filter(|tree| tree.error.is_none() && self.depth < CALL_DEPTH_LIMIT);
        let Some(tree) = tree else {
            self.inserted.truncate(first);
            return None;
        };
        self.depth += 1;
        self.within = outer.or(Some(span));
        let (directory, variables, alive) = (
            self.machine.directory(),
            self.variables.clone(),
            self.alive.clone(),
        );
        let input = std::mem::replace(&mut self.input, Input::Nothing);
        let status = self.list(&tree.body, tolerated);
        self.input = input;
        if name != "eval" {
            self.machine.set_directory(directory);
            self.variables = variables;
            self.alive = alive;
        }
        self.within = outer;
        self.depth -= 1;
        Some(status)
    }

    /// The script that a call hands on.
    fn handed(&self, name: &str, arguments: &[Text]) -> Option<Text> {
        if name == "eval" {
            return Some(joined(arguments));
        }
        if !matches!(name, "bash" | "sh" | "dash") {
            return None;
        }
        let is_flag = |word: &Text| word.literal_start().starts_with(['-', '+']);
        let takes_text = |word: &Text| {
            let flags = word.as_literal().unwrap_or_default();
            !flags.starts_with("--") && flags.ends_with('c')
        };
        let flags = arguments.iter().take_while(|word| is_flag(word));
        if let Some(at) = flags.clone().position(takes_text) {
            return arguments.get(at + 1).cloned();
        }
        match &self.input {
            Input::Piped(Output::Text(text)) if flags.count() == arguments.len() => {
                text.sole_text()
            }
            _ => None,
        }
    }

    /// The text with a placeholder for each of its unknowns.
    fn with_placeholders(&mut self, text: &Text) -> Option<String> {
        let mut script = String::new();
        for piece in text.pieces() {
            match piece {
                Piece::Literal(text) => script.push_str(text),
                Piece::Symbol(symbol) => {
                    let number = u32::try_from(FIRST + self.inserted.len()).ok()?;
                    if self.inserted.len() >= LIMIT {
                        return None;
                    }
                    script.push(char::from_u32(PLACEHOLDER + number)?);
                    self.inserted.push(Text::symbol(symbol.clone()));
                }
            }
        }
        Some(script)
    }

    /// What a placeholder of a handed text stands for.
    pub(in super::super) fn inserted(&self, number: usize) -> Option<&Text> {
        self.inserted.get(number.checked_sub(FIRST)?)
    }

    /// The place of a command in the step's own script: that of the call which hands on the text it stands in.
    pub(in super::super) fn at(&self, span: Span) -> Span {
        self.within.unwrap_or(span)
    }

    /// A name for what stands at a place, for unknowns.
    pub(in super::super) fn label(&self, span: Span) -> String {
        match self.within {
            Some(call) => format!("{}, byte {}", self.machine.label(call), span.start),
            None => self.machine.label(span),
        }
    }
}
