//! Simple commands: what the shell does itself, functions, text tools in pipes, and calls of programs.

use std::rc::Rc;

use crate::source::Span;
use crate::symbolic::{Condition, Shape, Text, Value};

use super::super::syntax::{Assignment, Command, List, Word};
use super::super::tools;
use super::interpreter::{CALL_DEPTH_LIMIT, Interpreter};
use super::machine::{Call, Input, Machine, Output, join_path};

impl<M: Machine> Interpreter<'_, M> {
    pub(super) fn simple(
        &mut self,
        command: &Command,
        assignments: &[Assignment],
        words: &[Word],
        tolerated: bool,
    ) -> Condition {
        if words.is_empty() {
            assignments
                .iter()
                .for_each(|assignment| self.assign(assignment));
            return Condition::Always;
        }
        let program = words.first().and_then(Word::known);
        if let Some(program) = program.and_then(Text::as_literal) {
            match program {
                "export" | "local" | "declare" | "readonly" | "typeset" => {
                    words.iter().skip(1).for_each(|word| self.declare(word));
                    return Condition::Always;
                }
                "[" => {
                    return self.test(
                        words
                            .get(1..words.len().saturating_sub(1))
                            .unwrap_or_default(),
                        command.span,
                    );
                }
                "test" => return self.test(words.get(1..).unwrap_or_default(), command.span),
                _ => {}
            }
        }
        let saved: Vec<(String, Option<Value>)> = assignments
            .iter()
            .map(|a| (a.name.clone(), self.variables.get(&a.name).cloned()))
            .collect();
        assignments
            .iter()
            .for_each(|assignment| self.assign(assignment));
        let lines = self.fields_of(words);
        let outer = self.path.clone();
        let mut status = Condition::Never;
        let several = lines.len() > 1;
        for (condition, fields) in lines {
            self.path = outer.and(&condition);
            if self.path == Condition::Never {
                continue;
            }
            let one = self.program(fields, command.span, tolerated);
            status = status.or(&condition.and(&one));
        }
        if several {
            self.answer = None;
        }
        self.path = outer;
        for (name, value) in saved {
            self.restore(name, value);
        }
        status
    }

    fn program(&mut self, mut words: Vec<Text>, span: Span, tolerated: bool) -> Condition {
        self.answer = None;
        strip_wrappers(&mut words);
        let Some((first, arguments)) = words.split_first() else {
            return Condition::Always;
        };
        let name = first.as_literal().unwrap_or_default();
        if let Some(status) = self.builtin(name, arguments, span) {
            return status;
        }
        if let Some(body) = self.functions.get(name).cloned() {
            return self.function(&body, arguments, tolerated);
        }
        if let Some(status) = self.nested(name, arguments, span, tolerated) {
            return status;
        }
        // The machine knows some JSON by its parts.
        if name == "jq"
            && let output @ Output::Text(_) =
                self.machine
                    .call(&self.call(words.clone(), span, tolerated))
        {
            self.emit(output);
            return Condition::Always;
        }
        if self.text_tool(name, arguments) {
            return if tolerated && name == "grep" {
                self.answer = self.grep_answer(arguments);
                let answer = self.answer.clone();
                answer.unwrap_or_else(|| self.unknown_status(span))
            } else {
                Condition::Always
            };
        }
        let call = self.call(words, span, tolerated);
        let output = self.machine.call(&call);
        self.emit(output);
        if tolerated {
            self.unknown_status(span)
        } else {
            Condition::Always
        }
    }

    /// Runs what the shell does itself; the condition under which it succeeds.
    fn builtin(&mut self, name: &str, arguments: &[Text], span: Span) -> Option<Condition> {
        match name {
            ":" | "true" | "set" | "shopt" | "wait" | "unset" | "trap" | "umask" => {
                Some(Condition::Always)
            }
            "false" => Some(Condition::Never),
            "echo" => {
                self.emit(Output::Text(echo(arguments)));
                Some(Condition::Always)
            }
            "printf" => {
                self.emit(Output::Text(printf(arguments)));
                Some(Condition::Always)
            }
            "exit" | "return" if name == "exit" || self.depth == 0 => {
                let condition = self.now();
                let code = arguments.first().cloned().unwrap_or_default();
                if self.captures.is_empty() {
                    let span = self.at(span);
                    self.machine.exit(&code, &condition, span);
                }
                self.alive = self.alive.and(&self.path.negate());
                Some(Condition::Always)
            }
            "return" => Some(Condition::Always),
            "read" | "mapfile" | "readarray" => {
                for argument in arguments
                    .iter()
                    .filter_map(Text::as_literal)
                    .filter(|name| !name.starts_with('-'))
                {
                    let label = format!("{argument} read by {}", self.label(span));
                    self.set(argument.to_owned(), Value::unknown(label, Shape::Text));
                }
                Some(self.unknown_status(span))
            }
            "cd" | "pushd" => {
                let target = arguments
                    .first()
                    .cloned()
                    .unwrap_or_else(|| Text::literal("~"));
                let joined = join_path(&self.machine.directory(), &target);
                self.machine.set_directory(joined);
                Some(Condition::Always)
            }
            _ => None,
        }
    }

    /// Whether `grep` finds something in the text that is piped to it; nothing when that hangs on unknowns.
    fn grep_answer(&self, arguments: &[Text]) -> Option<Condition> {
        let Input::Piped(Output::Text(value)) = &self.input else {
            return None;
        };
        let mut found = Condition::Never;
        for (when, text) in value.texts() {
            if tools::grep_finds(arguments, text.as_literal()?)? {
                found = found.or(&when);
            }
        }
        Some(found)
    }

    /// Runs a text tool on text that is piped to it; says whether the program was one.
    fn call(&self, words: Vec<Text>, span: Span, tolerated: bool) -> Call {
        Call {
            words,
            span: self.at(span),
            condition: self.now(),
            input: self.input.clone(),
            tolerated,
            captured: !self.captures.is_empty(),
            asked: self.asking > 0,
        }
    }

    fn text_tool(&mut self, name: &str, arguments: &[Text]) -> bool {
        let Input::Piped(Output::Text(value)) = self.input.clone() else {
            return false;
        };
        let mut joined: Option<Value> = None;
        for (when, text) in value.texts().iter().rev() {
            let Some(output) = tools::apply(name, arguments, text) else {
                return false;
            };
            joined = Some(match joined {
                Some(rest) => Value::choose(when, &output, &rest),
                None => output,
            });
        }
        let found = joined.is_some();
        self.emit(joined.map_or(Output::Nothing, Output::Text));
        found
    }

    fn function(&mut self, body: &List, arguments: &[Text], tolerated: bool) -> Condition {
        if self.depth >= CALL_DEPTH_LIMIT {
            return Condition::Always;
        }
        self.depth += 1;
        let saved = Rc::clone(&self.variables);
        let all = joined(arguments);
        for number in 1..=9 {
            let argument = arguments.get(number - 1).cloned().unwrap_or_default();
            self.set(number.to_string(), argument.into());
        }
        self.arrays.insert("@".into(), arguments.to_vec());
        self.set("@".into(), all.into());
        let status = self.list(body, tolerated);
        self.arrays.remove("@");
        for number in 1..=9 {
            let name = number.to_string();
            let before = saved.get(&name).cloned();
            self.restore(name, before);
        }
        self.depth -= 1;
        status
    }
}

/// Drops programs that only run another one.
fn strip_wrappers(words: &mut Vec<Text>) {
    for _ in 0..4 {
        let name = words.first().and_then(Text::as_literal).unwrap_or_default();
        let skip = match name {
            "sudo" | "time" | "command" | "exec" | "nohup" | "builtin" => {
                1 + words
                    .iter()
                    .skip(1)
                    .take_while(|word| word.literal_start().starts_with('-'))
                    .count()
            }
            "env" => {
                1 + words
                    .iter()
                    .skip(1)
                    .take_while(|word| word.contains("="))
                    .count()
            }
            "timeout" | "nice" => 2,
            _ => return,
        };
        words.drain(..skip.min(words.len()));
    }
}

/// Words with a space between each two.
pub(super) fn joined(arguments: &[Text]) -> Text {
    let mut text = Text::new();
    for (at, argument) in arguments.iter().enumerate() {
        if at > 0 {
            text.push_str(" ");
        }
        text.append(argument);
    }
    text
}

fn echo(arguments: &[Text]) -> Value {
    let flag = |text: &Text| matches!(text.as_literal(), Some("-n" | "-e" | "-ne" | "-en" | "-E"));
    let skip = arguments
        .iter()
        .take_while(|argument| flag(argument))
        .count();
    let flags: String = arguments
        .iter()
        .take(skip)
        .filter_map(Text::as_literal)
        .collect();
    let mut text = joined(arguments.get(skip..).unwrap_or_default());
    if flags.contains('e') {
        text = text.map(
            |literal| literal.replace("\\n", "\n").replace("\\t", "\t"),
            std::sync::Arc::clone,
        );
    }
    if !flags.contains('n') {
        text.push_str("\n");
    }
    text.into()
}

fn printf(arguments: &[Text]) -> Value {
    let Some((format, rest)) = arguments.split_first() else {
        return Value::text("");
    };
    let unknown = || {
        Value::unknown(
            format!("printf {}", joined(arguments).describe()),
            Shape::Text,
        )
    };
    let Some(format) = format.as_literal() else {
        return unknown();
    };
    let format = format.replace("\\n", "\n").replace("\\t", "\t");
    let mut text = Text::new();
    let mut rest = rest.iter();
    let mut pieces = format.split("%s");
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        text.append(rest.next().unwrap_or(&Text::new()));
        text.push_str(piece);
    }
    if text.contains("%") || rest.next().is_some() {
        unknown()
    } else {
        text.into()
    }
}
