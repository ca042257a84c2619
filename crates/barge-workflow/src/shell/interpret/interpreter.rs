//! The state of a script that runs, and lists, pipelines and redirections.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::source::Span;
use crate::symbolic::{Condition, Satisfiable, Shape, Text, Value};

use super::super::syntax::{AndOr, Command, Direction, List, Pipeline, Redirect, Script};
use super::machine::{Input, Machine, Output, success_of};

const COMMAND_LIMIT: usize = 5_000;

pub(super) const CALL_DEPTH_LIMIT: usize = 8;

pub(super) const LOOP_LIMIT: usize = 32;

/// Captured output of commands.
#[derive(Default)]
pub(super) struct Capture {
    text: Option<Value>,
    data: Option<usize>,
}

/// The state of a script.
pub struct Interpreter<'m, M> {
    /// What the script runs on.
    pub machine: &'m mut M,
    /// Shared with what is saved of them for the end of a subshell.
    pub(super) variables: Rc<BTreeMap<String, Value>>,
    pub(super) arrays: BTreeMap<String, Vec<Text>>,
    pub(super) functions: BTreeMap<String, Arc<List>>,
    /// The condition of the branch that runs.
    pub(super) path: Condition,
    /// Holds while no `exit` has been reached.
    pub(super) alive: Condition,
    pub(super) captures: Vec<Capture>,
    pub(super) commands: usize,
    pub(super) depth: usize,
    /// How many `$( ... )` are open.
    pub(super) asking: usize,
    pub(super) input: Input,
    /// What the program that ran last says for certain, where that is known from its input.
    pub(super) answer: Option<Condition>,
    /// The call that handed on the text which runs, when it is not the step's own script.
    pub(super) within: Option<Span>,
    /// What the placeholders of handed texts stand for.
    pub(super) inserted: Vec<Text>,
}

impl<M> std::fmt::Debug for Interpreter<'_, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interpreter")
            .field("variables", &self.variables)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl<'m, M: Machine> Interpreter<'m, M> {
    /// A fresh shell on a machine.
    pub fn new(machine: &'m mut M) -> Self {
        Self {
            machine,
            variables: Rc::default(),
            arrays: BTreeMap::new(),
            functions: BTreeMap::new(),
            path: Condition::Always,
            alive: Condition::Always,
            captures: Vec::new(),
            commands: 0,
            depth: 0,
            asking: 0,
            input: Input::Nothing,
            answer: None,
            within: None,
            inserted: Vec::new(),
        }
    }

    /// Runs a whole script.
    pub fn run(&mut self, script: &Script) {
        self.list(&script.body, false);
        if let Some((at, reason)) = &script.error {
            let condition = self.now();
            self.machine.opaque(reason, &condition, Span::new(*at, *at));
        }
    }

    /// The condition of the command that runs.
    pub(super) fn now(&self) -> Condition {
        self.path.and(&self.alive)
    }

    /// Runs commands; returns the condition under which the last one succeeds.
    pub(super) fn list(&mut self, list: &List, tolerated: bool) -> Condition {
        let mut status = Condition::Always;
        for (at, and_or) in list.iter().enumerate() {
            let last = at + 1 == list.len();
            status = self.and_or(and_or, tolerated && last);
        }
        status
    }

    fn and_or(&mut self, and_or: &AndOr, tolerated: bool) -> Condition {
        let last_or = and_or.rest.iter().rposition(|(or, _)| *or);
        let or_follows = |from: usize| last_or.is_some_and(|last| last >= from);
        let mut status = self.pipeline(&and_or.first, tolerated || or_follows(0));
        for (at, (or, pipeline)) in and_or.rest.iter().enumerate() {
            let needed = if *or { status.negate() } else { status.clone() };
            let outer = self.path.clone();
            self.path = outer.and(&needed);
            let next = if self.path == Condition::Never {
                Condition::Never
            } else {
                self.pipeline(pipeline, tolerated || or_follows(at + 1))
            };
            self.path = outer;
            status = if *or {
                status.or(&next)
            } else {
                status.and(&next)
            };
            if status.is_large() {
                status = self.unknown_status(span_of(pipeline));
            }
        }
        status
    }

    fn pipeline(&mut self, pipeline: &Pipeline, tolerated: bool) -> Condition {
        let tolerated = tolerated || pipeline.negated;
        let mut status = Condition::Always;
        let outer_input = self.input.clone();
        for (at, command) in pipeline.commands.iter().enumerate() {
            let last = at + 1 == pipeline.commands.len();
            self.answer = None;
            if last {
                status = self.command(command, tolerated);
            } else {
                self.captures.push(Capture::default());
                self.command(command, tolerated);
                let output = self.captured();
                self.input = Input::Piped(output);
            }
        }
        self.input = outer_input;
        if pipeline.commands.len() > 1 && tolerated {
            // What the last command of a pipe says depends on data.
            let answer = self.answer.take();
            status = answer.unwrap_or_else(|| self.unknown_status(span_of(pipeline)));
        }
        if pipeline.negated {
            status.negate()
        } else {
            status
        }
    }

    pub(super) fn unknown_status(&self, span: Span) -> Condition {
        success_of(&self.label(span))
    }

    fn captured(&mut self) -> Output {
        match self.captures.pop() {
            Some(Capture {
                data: Some(data), ..
            }) => Output::Data(data),
            Some(Capture {
                text: Some(text), ..
            }) => Output::Text(text),
            _ => Output::Nothing,
        }
    }

    /// The text of `$( ... )`, without line ends at its end.
    pub(in super::super) fn substitute(&mut self, script: &Script, text: &str) -> Value {
        if self.depth >= CALL_DEPTH_LIMIT {
            return Value::unknown(format!("$({text})"), Shape::Text);
        }
        self.depth += 1;
        self.captures.push(Capture::default());
        let directory = self.machine.directory();
        let alive = self.alive.clone();
        let variables = Rc::clone(&self.variables);
        self.asking += 1;
        self.list(&script.body, true);
        self.asking -= 1;
        self.variables = variables;
        self.alive = alive;
        self.machine.set_directory(directory);
        self.depth -= 1;
        match self.captured() {
            Output::Text(value) => value.map(|term| {
                let text = term.printed();
                let ends_blank = text.literal_end().ends_with('\n');
                crate::symbolic::Term::Text(if ends_blank { trim_end(&text) } else { text })
            }),
            _ => Value::unknown(format!("$({text})"), Shape::Text),
        }
    }

    pub(super) fn emit(&mut self, output: Output) {
        let path = self.path.clone();
        let Some(capture) = self.captures.last_mut() else {
            if let Output::Text(text) = output {
                let condition = self.now();
                self.machine.print(&text, &condition);
            }
            return;
        };
        match output {
            Output::Nothing => {}
            Output::Data(data) => capture.data = Some(data),
            Output::Text(value) => {
                let before = capture.text.clone().unwrap_or_else(|| Value::text(""));
                let after = before.concat(&value);
                capture.text = Some(Value::choose(&path, &after, &before));
            }
        }
    }

    fn command(&mut self, command: &Command, tolerated: bool) -> Condition {
        self.commands += 1;
        if self.commands > COMMAND_LIMIT {
            if self.commands == COMMAND_LIMIT + 1 {
                let reason = "the rest of a script that is too long";
                let span = self.at(command.span);
                self.machine.opaque(reason, &Condition::Always, span);
            }
            return Condition::Always;
        }
        let outer_input = self.input.clone();
        let written = self.redirects(&command.redirects);
        if written.is_some() {
            self.captures.push(Capture::default());
        }
        let status = self.body(command, tolerated);
        if let Some((path, append)) = written {
            let output = self.captured();
            let (condition, span) = (self.now(), self.at(command.span));
            for (when, path) in path.texts() {
                self.machine
                    .write(&path, append, &output, &condition.and(&when), span);
            }
        }
        self.input = outer_input;
        status
    }

    /// Sets the input; returns the file that takes the output.
    fn redirects(&mut self, redirects: &[Redirect]) -> Option<(Value, bool)> {
        let mut written = None;
        for redirect in redirects {
            let standard = redirect.descriptor.is_none_or(|descriptor| descriptor <= 1);
            match redirect.direction {
                Direction::Write | Direction::Append if standard => {
                    written = Some((
                        self.value_of(&redirect.target),
                        redirect.direction == Direction::Append,
                    ));
                }
                Direction::Read => {
                    if let Some(file) = self.value_of(&redirect.target).sole_text() {
                        self.input = Input::File(file);
                    }
                }
                Direction::Text => {
                    let text = self.value_of(&redirect.target);
                    self.input = Input::Piped(Output::Text(text));
                }
                _ => {}
            }
        }
        written
    }

    /// Says whether the script can still be running.
    #[must_use]
    pub fn can_end(&self) -> bool {
        self.alive.satisfiable() != Satisfiable::No
    }
}

/// The bytes of a pipeline in its script.
fn span_of(pipeline: &Pipeline) -> Span {
    let start = pipeline.commands.first().map(|first| first.span.start);
    let end = pipeline.commands.last().map(|last| last.span.end);
    Span::new(start.unwrap_or_default(), end.unwrap_or_default())
}

fn trim_end(text: &Text) -> Text {
    let mut text = text.clone();
    while let Some(shorter) = text.strip_end("\n") {
        text = shorter;
    }
    text
}
