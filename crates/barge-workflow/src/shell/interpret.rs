//! Runs a script over partly known values: both branches of an undecided condition run, each under its condition.
//!
//! Programs are the [`Machine`]'s affair; the interpreter knows the language, variables, and the text tools of pipelines.

use std::collections::BTreeMap;

use crate::source::Span;
use crate::symbolic::{Condition, Satisfiable, Shape, Symbol, Text, Value};

use super::syntax::{
    AndOr, Assignment, Command, Direction, Kind, List, Part, Pipeline, Redirect, Script, Word,
};
use super::{test, tools};

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
    variables: BTreeMap<String, Value>,
    arrays: BTreeMap<String, Vec<Text>>,
    functions: BTreeMap<String, List>,
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
            variables: BTreeMap::new(),
            arrays: BTreeMap::new(),
            functions: BTreeMap::new(),
            path: Condition::Always,
            alive: Condition::Always,
            captures: Vec::new(),
            commands: 0,
            depth: 0,
            asking: 0,
            input: Input::Nothing,
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
        let or_follows = |from: usize| and_or.rest.iter().skip(from).any(|(or, _)| *or);
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
        }
        status
    }

    fn pipeline(&mut self, pipeline: &Pipeline, tolerated: bool) -> Condition {
        let tolerated = tolerated || pipeline.negated;
        let mut status = Condition::Always;
        let outer_input = self.input.clone();
        for (at, command) in pipeline.commands.iter().enumerate() {
            let last = at + 1 == pipeline.commands.len();
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
            let span = pipeline
                .commands
                .first()
                .map_or_else(Span::default, |first| {
                    Span::new(
                        first.span.start,
                        pipeline
                            .commands
                            .last()
                            .map_or(first.span.end, |last| last.span.end),
                    )
                });
            status = self.unknown_status(span);
        }
        if pipeline.negated {
            status.negate()
        } else {
            status
        }
    }

    fn unknown_status(&self, span: Span) -> Condition {
        Condition::truthy(&Symbol::new(
            format!("success of `{}`", self.machine.label(span)),
            Shape::Boolean,
        ))
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
        let variables = self.variables.clone();
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
            let condition = self.now();
            for (when, path) in path.texts() {
                self.machine
                    .write(&path, append, &output, &condition.and(&when), command.span);
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

    fn body(&mut self, command: &Command, tolerated: bool) -> Condition {
        match &command.kind {
            Kind::Simple(assignments, words) => self.simple(command, assignments, words, tolerated),
            Kind::If(branches, otherwise) => self.branches(branches, otherwise),
            Kind::For(name, words, body) => self.for_loop(name, words, body, command.span),
            Kind::While(condition, body) => {
                self.list(condition, true);
                let outer = self.path.clone();
                self.path = outer.and(&self.unknown_status(command.span));
                self.list(body, false);
                self.path = outer;
                Condition::Always
            }
            Kind::Case(subject, arms) => self.case(subject, arms, command.span),
            Kind::Group(body) => self.list(body, tolerated),
            Kind::Subshell(body) => {
                let (directory, variables) = (self.machine.directory(), self.variables.clone());
                let status = self.list(body, tolerated);
                self.machine.set_directory(directory);
                self.variables = variables;
                status
            }
            Kind::Function(name, body) => {
                self.functions.insert(name.clone(), body.clone());
                Condition::Always
            }
            Kind::Test(words) => self.test(words, command.span),
            Kind::Arithmetic => self.unknown_status(command.span),
        }
    }

    fn branches(&mut self, branches: &[(List, List)], otherwise: &List) -> Condition {
        let outer = self.path.clone();
        let mut rest = outer.clone();
        for (condition, body) in branches {
            self.path = rest.clone();
            let holds = self.list(condition, true);
            self.path = rest.and(&holds);
            if self.path != Condition::Never {
                self.list(body, false);
            }
            rest = rest.and(&holds.negate());
        }
        self.path = rest;
        if self.path != Condition::Never {
            self.list(otherwise, false);
        }
        self.path = outer;
        Condition::Always
    }

    fn for_loop(&mut self, name: &str, words: &[Word], body: &List, span: Span) -> Condition {
        let lines = self.fields_of(words);
        let outer = self.path.clone();
        for (condition, fields) in lines {
            let known = fields.len() <= LOOP_LIMIT;
            self.path = outer.and(&condition);
            for field in fields.iter().take(if known { LOOP_LIMIT } else { 1 }) {
                let many = field
                    .symbols()
                    .any(|symbol| matches!(symbol.shape(), Shape::Any | Shape::Text))
                    || field.contains("*");
                let value = if many || !known {
                    let label = format!(
                        "{name} in {}",
                        self.machine.label(span).lines().next().unwrap_or_default()
                    );
                    Value::unknown(label, Shape::Text)
                } else {
                    field.clone().into()
                };
                self.variables.insert(name.to_owned(), value);
                self.list(body, false);
            }
        }
        self.path = outer;
        Condition::Always
    }

    fn case(&mut self, subject: &Word, arms: &[(Vec<Word>, List)], span: Span) -> Condition {
        let outer = self.path.clone();
        let mut rest = outer.clone();
        let subject = self.value_of(subject);
        for (patterns, body) in arms {
            let mut holds = Condition::Never;
            for pattern in patterns {
                let bare = pattern
                    .parts
                    .iter()
                    .any(|part| matches!(part, Part::Literal(_, false)));
                let pattern = self.value_of(pattern).sole_text().unwrap_or_default();
                let unknown = self.unknown_status(Span::new(span.start, span.end));
                let fits =
                    subject
                        .texts()
                        .into_iter()
                        .fold(Condition::Never, |any, (when, text)| {
                            let words = [
                                test::Operand { text, bare: false },
                                test::Operand {
                                    text: Text::literal("="),
                                    bare: true,
                                },
                                test::Operand {
                                    text: pattern.clone(),
                                    bare,
                                },
                            ];
                            any.or(&when.and(&test::condition(&words, &|| unknown.clone())))
                        });
                holds = holds.or(&fits);
            }
            self.path = rest.and(&holds);
            if self.path != Condition::Never {
                self.list(body, false);
            }
            rest = rest.and(&holds.negate());
        }
        self.path = outer;
        Condition::Always
    }

    fn test(&mut self, words: &[Word], span: Span) -> Condition {
        let mut lines: Vec<(Condition, Vec<test::Operand>)> = vec![(Condition::Always, Vec::new())];
        for word in words {
            let bare = word
                .parts
                .iter()
                .any(|part| matches!(part, Part::Literal(_, false)));
            let texts = self.value_of(word).texts();
            let mut next = Vec::new();
            for (condition, operands) in &lines {
                for (when, text) in &texts {
                    let mut operands = operands.clone();
                    operands.push(test::Operand {
                        text: text.clone(),
                        bare,
                    });
                    next.push((condition.and(when), operands));
                }
            }
            if next.len() > LOOP_LIMIT {
                return self.unknown_status(span);
            }
            lines = next;
        }
        let unknown = self.unknown_status(span);
        lines.iter().fold(Condition::Never, |any, (when, words)| {
            any.or(&when.and(&test::condition(words, &|| unknown.clone())))
        })
    }

    fn simple(
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
        if let Some(program) = words.first().and_then(Word::literal) {
            match program.as_str() {
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
        for (condition, fields) in lines {
            self.path = outer.and(&condition);
            if self.path == Condition::Never {
                continue;
            }
            let one = self.program(fields, command.span, tolerated);
            status = status.or(&condition.and(&one));
        }
        self.path = outer;
        for (name, value) in saved {
            match value {
                Some(value) => self.variables.insert(name, value),
                None => self.variables.remove(&name),
            };
        }
        status
    }

    fn program(&mut self, mut words: Vec<Text>, span: Span, tolerated: bool) -> Condition {
        strip_wrappers(&mut words);
        let Some(first) = words.first() else {
            return Condition::Always;
        };
        let name = first.as_literal().unwrap_or_default().to_owned();
        let arguments = words.get(1..).unwrap_or_default().to_vec();
        if let Some(status) = self.builtin(&name, &arguments, span) {
            return status;
        }
        if let Some(body) = self.functions.get(&name).cloned() {
            return self.function(&body, &arguments, tolerated);
        }
        if self.text_tool(&name, &arguments) {
            return if tolerated && name == "grep" {
                self.unknown_status(span)
            } else {
                Condition::Always
            };
        }
        let call = Call {
            words,
            span,
            condition: self.now(),
            input: self.input.clone(),
            tolerated,
            captured: !self.captures.is_empty(),
            asked: self.asking > 0,
        };
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
                    let label = format!("{argument} read by {}", self.machine.label(span));
                    self.variables
                        .insert(argument.to_owned(), Value::unknown(label, Shape::Text));
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

    /// Runs a text tool on text that is piped to it; says whether the program was one.
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
        let saved = self.variables.clone();
        let all = arguments
            .iter()
            .enumerate()
            .fold(Text::new(), |mut all, (at, argument)| {
                if at > 0 {
                    all.push_str(" ");
                }
                all.append(argument);
                all
            });
        for number in 1..=9 {
            let argument = arguments.get(number - 1).cloned().unwrap_or_default();
            self.variables.insert(number.to_string(), argument.into());
        }
        self.arrays.insert("@".into(), arguments.to_vec());
        self.variables.insert("@".into(), all.into());
        let status = self.list(body, tolerated);
        self.arrays.remove("@");
        for number in 1..=9 {
            let name = number.to_string();
            match saved.get(&name) {
                Some(value) => self.variables.insert(name, value.clone()),
                None => self.variables.remove(&name),
            };
        }
        self.depth -= 1;
        status
    }

    fn assign(&mut self, assignment: &Assignment) {
        if assignment.array {
            let mut items = if assignment.append {
                self.arrays
                    .get(&assignment.name)
                    .cloned()
                    .unwrap_or_default()
            } else {
                Vec::new()
            };
            items.extend(
                self.fields_of(&assignment.value)
                    .into_iter()
                    .flat_map(|(_, fields)| fields),
            );
            self.arrays.insert(assignment.name.clone(), items);
            return;
        }
        let mut value = assignment
            .value
            .first()
            .map_or_else(|| Value::text(""), |word| self.value_of(word));
        let before = self.variable(&assignment.name);
        if assignment.append {
            value = before.concat(&value);
        }
        let now = self.now();
        let value = Value::choose(&now, &value, &before);
        let value = value.or_unknown(&format!("${}", assignment.name));
        self.variables.insert(assignment.name.clone(), value);
    }

    /// `export NAME=value`, where the assignment is a word.
    fn declare(&mut self, word: &Word) {
        let Some(Part::Literal(first, quoted)) = word.parts.first() else {
            return;
        };
        let Some((name, rest)) = first.split_once('=') else {
            return;
        };
        let mut parts = vec![Part::Literal(rest.to_owned(), *quoted)];
        parts.extend(word.parts.iter().skip(1).cloned());
        let value = vec![Word {
            span: word.span,
            parts,
        }];
        self.assign(&Assignment {
            name: name.to_owned(),
            value,
            append: false,
            array: false,
        });
    }

    /// A variable of the script, or of the environment.
    pub(super) fn variable(&self, name: &str) -> Value {
        if let Some(value) = self.variables.get(name) {
            return value.clone();
        }
        if let Some(items) = self.arrays.get(name) {
            let joined = items
                .iter()
                .enumerate()
                .fold(Text::new(), |mut all, (at, item)| {
                    if at > 0 {
                        all.push_str(" ");
                    }
                    all.append(item);
                    all
                });
            return joined.into();
        }
        if name == "?" {
            return Value::unknown("success of the last command", Shape::Digits);
        }
        self.machine
            .environment(name)
            .unwrap_or_else(|| Value::unknown(format!("${name}"), Shape::Text))
    }

    /// The items of an array.
    pub(super) fn array(&self, name: &str) -> Option<Vec<Text>> {
        self.arrays.get(name).cloned()
    }

    /// Says whether the script can still be running.
    #[must_use]
    pub fn can_end(&self) -> bool {
        self.alive.satisfiable() != Satisfiable::No
    }
}

fn trim_end(text: &Text) -> Text {
    let mut text = text.clone();
    while let Some(shorter) = text.strip_end("\n") {
        text = shorter;
    }
    text
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

fn joined(arguments: &[Text]) -> Text {
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

#[cfg(test)]
mod tests;
