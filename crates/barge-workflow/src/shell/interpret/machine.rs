//! What a script runs on: the programs it calls, and what flows between them.

use crate::source::Span;
use crate::symbolic::{Condition, Shape, Symbol, Text, Value};

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

/// Whether the program that is called here succeeds.
#[must_use]
pub fn success_of(label: &str) -> Condition {
    Condition::truthy(&Symbol::success_of(
        format_args!("`{label}`"),
        Shape::Boolean,
    ))
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
