//! The tree of a shell script.

use std::sync::Arc;

use crate::source::Span;
use crate::symbolic::Text;

/// Commands in the order they run.
pub type List = Vec<AndOr>;

/// A parsed script.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// The commands that could be read.
    pub body: List,
    /// Why and at which byte reading stopped early.
    pub error: Option<(usize, String)>,
}

/// Pipelines joined by `&&` and `||`.
#[derive(Debug, Clone)]
pub struct AndOr {
    /// The first pipeline.
    pub first: Pipeline,
    /// The others, each with whether `||` (true) or `&&` (false) leads to it.
    pub rest: Vec<(bool, Pipeline)>,
}

/// Commands joined by `|`.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Preceded by `!`.
    pub negated: bool,
    /// At least one command.
    pub commands: Vec<Command>,
}

/// A command with its redirections.
#[derive(Debug, Clone)]
pub struct Command {
    /// Bytes in the script.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
    /// Redirections in order.
    pub redirects: Vec<Redirect>,
}

/// The forms of a command.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Assignments and words.
    Simple(Vec<Assignment>, Vec<Word>),
    /// Conditions with their branches, and the last `else`.
    If(Vec<(List, List)>, List),
    /// A loop over words; without `in`, over the parameters.
    For(String, Vec<Word>, List),
    /// `while`, and `until` likewise.
    While(List, List),
    /// The word and its arms.
    Case(Word, Vec<(Vec<Word>, List)>),
    /// `{ ... }`
    Group(List),
    /// `( ... )`
    Subshell(List),
    /// A function's definition.
    Function(String, Arc<List>),
    /// `[[ ... ]]`
    Test(Vec<Word>),
    /// `(( ... ))`
    Arithmetic,
}

/// `NAME=word` or `NAME+=word`.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// Its value; an array's words are joined by the parser into one list.
    pub value: Vec<Word>,
    /// Adds to the value instead of replacing it.
    pub append: bool,
    /// An array in parentheses.
    pub array: bool,
}

/// `2>&1`, `> file`, `<<< text`.
#[derive(Debug, Clone)]
pub struct Redirect {
    /// The file descriptor, when written.
    pub descriptor: Option<u32>,
    /// The direction.
    pub direction: Direction,
    /// The file, or the text of a here-document.
    pub target: Word,
}

/// Where a redirection goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `>`
    Write,
    /// `>>`
    Append,
    /// `<`
    Read,
    /// `<<` and `<<<`: the target is the text itself.
    Text,
    /// `>&` and `<&`
    Duplicate,
}

/// One word before expansion.
#[derive(Debug, Clone, Default)]
pub struct Word {
    /// Bytes in the script.
    pub span: Span,
    /// The parts, joined without space.
    pub parts: Vec<Part>,
    /// Its text, when nothing in it is expanded and it was made by [`Word::new`].
    known: Option<Text>,
}

/// A part of a word; `quoted` parts are not split.
#[derive(Debug, Clone)]
pub enum Part {
    /// Known characters.
    Literal(String, bool),
    /// `$NAME`, `${NAME...}`.
    Parameter(Parameter, bool),
    /// `$( ... )` and backquotes, with its own text.
    Command(Box<Script>, String, bool),
    /// `$(( ... ))`
    Arithmetic(String),
    /// The numbered `${{ }}` of the workflow.
    Placeholder(usize, bool),
}

/// A parameter and what is done to it.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The name, a digit or a special character.
    pub name: String,
    /// The operator and its word, as in `${NAME%pattern}`.
    pub operation: Option<(String, Word)>,
}

impl Script {
    /// Calls `visit` with every word that is expanded, those of command substitutions included and those of arrays left out.
    pub fn visit_words<'a>(&'a self, visit: &mut impl FnMut(&'a Word)) {
        visit_list(&self.body, visit);
    }
}

fn visit_list<'a>(list: &'a List, visit: &mut impl FnMut(&'a Word)) {
    for and_or in list {
        let rest = and_or.rest.iter().map(|(_, pipeline)| pipeline);
        for pipeline in std::iter::once(&and_or.first).chain(rest) {
            for command in &pipeline.commands {
                visit_command(command, visit);
            }
        }
    }
}

fn visit_command<'a>(command: &'a Command, visit: &mut impl FnMut(&'a Word)) {
    for redirect in &command.redirects {
        visit_word(&redirect.target, visit);
    }
    match &command.kind {
        Kind::Simple(assignments, words) => {
            // A line's end between the words of an array only parts them.
            let single = assignments.iter().filter(|assignment| !assignment.array);
            let values = single.flat_map(|assignment| &assignment.value);
            values.chain(words).for_each(|word| visit_word(word, visit));
        }
        Kind::If(branches, otherwise) => {
            for (condition, body) in branches {
                visit_list(condition, visit);
                visit_list(body, visit);
            }
            visit_list(otherwise, visit);
        }
        Kind::For(_, words, body) => {
            words.iter().for_each(|word| visit_word(word, visit));
            visit_list(body, visit);
        }
        Kind::While(condition, body) => {
            visit_list(condition, visit);
            visit_list(body, visit);
        }
        Kind::Case(subject, arms) => {
            visit_word(subject, visit);
            arms.iter().for_each(|(_, body)| visit_list(body, visit));
        }
        Kind::Group(body) | Kind::Subshell(body) => visit_list(body, visit),
        Kind::Function(_, body) => visit_list(body, visit),
        Kind::Test(words) => words.iter().for_each(|word| visit_word(word, visit)),
        Kind::Arithmetic => {}
    }
}

fn visit_word<'a>(word: &'a Word, visit: &mut impl FnMut(&'a Word)) {
    visit(word);
    for part in &word.parts {
        if let Part::Command(script, _, _) = part {
            script.visit_words(visit);
        }
    }
}

/// The text of parts that are all literal. A tilde can stand for a directory.
fn known_text(parts: &[Part]) -> Option<Text> {
    let mut text = Text::new();
    for part in parts {
        match part {
            Part::Literal(literal, quoted) if *quoted || !literal.starts_with('~') => {
                text.push_str(literal);
            }
            _ => return None,
        }
    }
    (!parts.is_empty()).then_some(text)
}

impl Word {
    /// A word of parts.
    #[must_use]
    pub fn new(span: Span, parts: Vec<Part>) -> Self {
        let known = known_text(&parts);
        Self { span, parts, known }
    }

    /// The text that it always expands to, if that was seen when it was read.
    #[must_use]
    pub fn known(&self) -> Option<&Text> {
        self.known.as_ref()
    }

    /// The text, if nothing in it needs expansion.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal, _) => text.push_str(literal),
                _ => return None,
            }
        }
        Some(text)
    }

    /// Says whether the word is exactly this unquoted text.
    #[must_use]
    pub fn is_bare(&self, text: &str) -> bool {
        matches!(self.parts.as_slice(), [Part::Literal(literal, false)] if literal == text)
    }
}
