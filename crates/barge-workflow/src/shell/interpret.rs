//! Runs a script over partly known values: both branches of an undecided condition run, each under its condition.
//!
//! Programs are the [`Machine`]'s affair; the interpreter knows the language, variables, and the text tools of pipelines.

mod compound;
mod nested;
mod program;
mod variable;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::source::Span;
use crate::symbolic::{Condition, Satisfiable, Shape, Symbol, Text, Value};

use super::syntax::{AndOr, Command, Direction, List, Pipeline, Redirect, Script};

const COMMAND_LIMIT: usize = 5_000;
const CALL_DEPTH_LIMIT: usize = 8;
const LOOP_LIMIT: usize = 32;

/// What flows between commands and files.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Nothing of interest.
    Nothing,
    /// Text.
    Text(Value),
    /// Data the machine knows by a number.
    Data(usize),
}

/// Where a command reads from.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The step's own input.
    Nothing,
    /// `< file`
    File(Text),
    /// A pipe, a here-document or a here-string.
    Piped(Output),
}

/// One program that is called.
#[derive(Debug, Clone)]
pub struct Call {
    /// The program and its arguments.
    pub words: Vec<Text>,
    /// Bytes of the command in the script.
    pub span: Span,
    /// When it is called, as far as the script decides.
    pub condition: Condition,
    /// What it reads.
    pub input: Input,
    /// The script goes on when it fails.
    pub tolerated: bool,
    /// Its output is captured, redirected or piped on.
    pub captured: bool,
    /// It stands in `$( ... )`: it is asked for a value.
    pub asked: bool,
}

/// What the script runs on.
pub trait Machine {
    /// The value of the workflow's expression with this number.
    fn placeholder(&self, number: usize) -> Value;
    /// An environment variable.
    fn environment(&self, name: &str) -> Option<Value>;
    /// A name for what stands at a place, for unknowns.
    fn label(&self, span: Span) -> String;
    /// Calls a program.
    fn call(&mut self, call: &Call) -> Output;
    /// Writes to a file.
    fn write(
        &mut self,
        path: &Text,
        append: bool,
        output: &Output,
        condition: &Condition,
        span: Span,
    );
    /// Text appears in the log, where `::set-output` commands are read from.
    fn print(&mut self, text: &Value, condition: &Condition);
    /// The script ends here with this status.
    fn exit(&mut self, status: &Text, condition: &Condition, span: Span);
    /// The directory, to be restored after a subshell.
    fn directory(&self) -> Text;
    /// The files that a pattern matches, when all of them are known; the pattern itself when there are none.
    fn matches(&self, pattern: &Text) -> Option<Vec<Text>>;
    /// Changes the directory.
    fn set_directory(&mut self, directory: Text);
    /// Something was not understood.
    fn opaque(&mut self, reason: &str, condition: &Condition, span: Span);
}

/// Captured output of commands.
#[derive(Default)]
struct Capture {
    text: Option<Value>,
    data: Option<usize>,
}

/// The state of a script.
pub struct Interpreter<'m, M> {
    /// What the script runs on.
    pub machine: &'m mut M,
    /// Shared with what is saved of them for the end of a subshell.
    variables: Rc<BTreeMap<String, Value>>,
    arrays: BTreeMap<String, Vec<Text>>,
    functions: BTreeMap<String, Arc<List>>,
    /// The condition of the branch that runs.
    path: Condition,
    /// Holds while no `exit` has been reached.
    alive: Condition,
    captures: Vec<Capture>,
    commands: usize,
    depth: usize,
    /// How many `$( ... )` are open.
    asking: usize,
    input: Input,
    /// What the program that ran last says for certain, where that is known from its input.
    answer: Option<Condition>,
    /// The call that handed on the text which runs, when it is not the step's own script.
    within: Option<Span>,
    /// What the placeholders of handed texts stand for.
    inserted: Vec<Text>,
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
    fn now(&self) -> Condition {
        self.path.and(&self.alive)
    }

    /// Runs commands; returns the condition under which the last one succeeds.
    fn list(&mut self, list: &List, tolerated: bool) -> Condition {
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

    fn unknown_status(&self, span: Span) -> Condition {
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
    pub(super) fn substitute(&mut self, script: &Script, text: &str) -> Value {
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

    fn emit(&mut self, output: Output) {
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

/// Whether the program that is called here succeeds.
#[must_use]
pub fn success_of(label: &str) -> Condition {
    Condition::truthy(&Symbol::success_of(&format!("`{label}`"), Shape::Boolean))
}

/// Joins a directory and a path; an absolute path stands alone.
#[must_use]
pub fn join_path(directory: &Text, path: &Text) -> Text {
    let absolute = path.literal_start().starts_with('/')
        || (path.literal_start().is_empty() && !path.is_empty());
    if absolute || directory.is_empty() {
        return path.clone();
    }
    let mut joined = directory.clone();
    if !joined.literal_end().ends_with('/') {
        joined.push_str("/");
    }
    joined.append(path);
    joined
}

#[cfg(test)]
mod tests;
