//! Reads a shell script. Expressions of the workflow arrive as placeholder characters (see [`PLACEHOLDER`]).

use std::sync::Arc;

use crate::source::Span;

use super::syntax::{
    AndOr, Assignment, Command, Direction, Kind, List, Pipeline, Redirect, Script, Word,
};

mod clause;
mod heredoc;
mod word;

use self::heredoc::{HereDocument, fill_heredocs};

/// The character of placeholder 0; placeholder n is n characters further, in Unicode's private area.
pub const PLACEHOLDER: u32 = 0xE000;
/// How many placeholders a script can hold.
pub const PLACEHOLDER_LIMIT: usize = 6400;

const DEPTH_LIMIT: usize = 40;
const RESERVED: [&str; 9] = ["then", "elif", "else", "fi", "do", "done", "esac", "}", ")"];

/// Reads a script up to its end or the first thing that cannot be understood.
#[must_use]
pub fn parse(text: &str) -> Script {
    parse_nested(text, 0, 0)
}

/// Reads a script that stands in another one, from its byte `base` on.
fn parse_nested(text: &str, base: usize, depth: usize) -> Script {
    let mut parser = Parser::new(text, base, depth);
    let mut body = Vec::new();
    let error = match parser.list_into(&mut body) {
        Ok(()) if parser.at < text.len() => Some((base + parser.at, "unexpected text".to_owned())),
        Ok(()) => None,
        Err(Stop(reason)) => Some((base + parser.at, reason)),
    };
    fill_heredocs(&mut body, &parser.heredocs);
    Script { body, error }
}

struct Stop(String);

type Parsed<T> = Result<T, Stop>;

struct Parser<'a> {
    text: &'a str,
    /// Where the text starts in the whole script.
    base: usize,
    at: usize,
    depth: usize,
    heredocs: Vec<HereDocument>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, base: usize, depth: usize) -> Self {
        Self {
            text,
            base,
            at: 0,
            depth,
            heredocs: Vec::new(),
        }
    }

    /// The bytes from `start` to `end`, as the whole script counts them.
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.base + start, self.base + end)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn accept(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn stop<T>(&self, reason: &str) -> Parsed<T> {
        Err(Stop(reason.to_owned()))
    }

    /// Goes down one level.
    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return self.stop("the script is nested too deeply");
        }
        Ok(())
    }

    /// Skips spaces, escaped line ends and a comment.
    fn skip_blank(&mut self) {
        loop {
            if self.accept("\\\n") || self.accept("\\\r\n") {
                continue;
            }
            match self.peek() {
                Some(' ' | '\t' | '\r') => {
                    self.bump();
                }
                Some('#') => {
                    let rest = self.rest();
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    /// Skips blank space, line ends and `;`, and reads the here-documents that are due.
    fn skip_separators(&mut self) {
        loop {
            self.skip_blank();
            match self.peek() {
                Some('\n') => {
                    self.bump();
                    self.read_heredocs();
                }
                Some(';') if !self.rest().starts_with(";;") => {
                    self.bump();
                }
                Some('&') if !self.rest().starts_with("&&") => {
                    self.bump();
                }
                _ => return,
            }
        }
    }

    fn skip_newlines(&mut self) {
        loop {
            self.skip_blank();
            if self.peek() != Some('\n') {
                return;
            }
            self.bump();
            self.read_heredocs();
        }
    }

    fn at_reserved(&self) -> bool {
        let rest = self.rest();
        RESERVED.iter().any(|word| {
            rest.strip_prefix(word).is_some_and(|after| {
                *word == ")"
                    || after.is_empty()
                    || after.starts_with([' ', '\t', '\n', '\r', ';', '&', '|', ')', '>', '<'])
            })
        }) || rest.starts_with(";;")
    }

    fn list(&mut self) -> Parsed<List> {
        let mut list = Vec::new();
        self.list_into(&mut list)?;
        Ok(list)
    }

    fn list_into(&mut self, list: &mut List) -> Parsed<()> {
        self.deeper()?;
        loop {
            self.skip_separators();
            if self.at >= self.text.len() || self.at_reserved() {
                break;
            }
            let before = self.at;
            list.push(self.and_or()?);
            if self.at == before {
                return self.stop("unexpected text");
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn and_or(&mut self) -> Parsed<AndOr> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.skip_blank();
            let or = if self.accept("&&") {
                false
            } else if self.accept("||") {
                true
            } else {
                return Ok(AndOr { first, rest });
            };
            self.skip_newlines();
            rest.push((or, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        self.skip_blank();
        let mut negated = false;
        while self.rest().starts_with("! ") {
            self.at += 2;
            negated = !negated;
            self.skip_blank();
        }
        let mut commands = vec![self.command()?];
        loop {
            self.skip_blank();
            if self.rest().starts_with('|') && !self.rest().starts_with("||") {
                self.bump();
                self.accept("&");
                self.skip_newlines();
                commands.push(self.command()?);
            } else {
                return Ok(Pipeline { negated, commands });
            }
        }
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = self.rest().strip_prefix(word).is_some_and(|after| {
            after.is_empty() || after.starts_with([' ', '\t', '\n', '\r', ';', '('])
        });
        if found {
            self.at += word.len();
        }
        found
    }

    fn expect(&mut self, word: &str) -> Parsed<()> {
        self.skip_separators();
        if self.rest().starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        self.stop(&format!("expected `{word}`"))
    }

    fn command(&mut self) -> Parsed<Command> {
        self.skip_blank();
        let start = self.at;
        let kind = if self.keyword("if") {
            self.if_clause()?
        } else if self.keyword("for") {
            self.for_clause()?
        } else if self.keyword("while") || self.keyword("until") {
            let condition = self.list()?;
            self.expect("do")?;
            let body = self.list()?;
            self.expect("done")?;
            Kind::While(condition, body)
        } else if self.keyword("case") {
            self.case_clause()?
        } else if self.rest().starts_with("((") {
            let close = self.rest().find("))");
            let Some(close) = close else {
                return self.stop("expected `))`");
            };
            self.at += close + 2;
            Kind::Arithmetic
        } else if self.keyword("[[") {
            self.test_clause()?
        } else if self.accept("(") {
            let body = self.list()?;
            self.expect(")")?;
            Kind::Subshell(body)
        } else if self.keyword("{") {
            let body = self.list()?;
            self.expect("}")?;
            Kind::Group(body)
        } else if let Some(name) = self.function_name() {
            self.skip_newlines();
            self.deeper()?;
            let body = self.command()?;
            self.depth -= 1;
            Kind::Function(
                name,
                Arc::new(vec![AndOr {
                    first: Pipeline {
                        negated: false,
                        commands: vec![body],
                    },
                    rest: Vec::new(),
                }]),
            )
        } else {
            return self.simple(start);
        };
        let mut redirects = Vec::new();
        loop {
            self.skip_blank();
            match self.redirect()? {
                Some(redirect) => redirects.push(redirect),
                None => {
                    return Ok(Command {
                        span: self.span(start, self.at),
                        kind,
                        redirects,
                    });
                }
            }
        }
    }

    fn name(&mut self) -> String {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default().to_owned()
    }

    fn function_name(&mut self) -> Option<String> {
        let start = self.at;
        let keyword = self.keyword("function");
        self.skip_blank();
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':')))
            .unwrap_or(rest.len());
        let name = rest.get(..end)?.to_owned();
        self.at += end;
        self.skip_blank();
        let parentheses = self.accept("()") || self.accept("( )");
        if !name.is_empty() && (keyword || parentheses) {
            return Some(name);
        }
        self.at = start;
        None
    }

    fn simple(&mut self, start: usize) -> Parsed<Command> {
        let mut assignments = Vec::new();
        let mut words: Vec<Word> = Vec::new();
        let mut redirects = Vec::new();
        let mut end = start;
        loop {
            self.skip_blank();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                end = self.at;
                continue;
            }
            if matches!(self.peek(), None | Some('\n' | ';' | '&' | '|' | ')' | '(')) {
                break;
            }
            if words.is_empty()
                && let Some(assignment) = self.assignment()?
            {
                assignments.push(assignment);
            } else {
                words.push(self.word()?);
            }
            end = self.at;
        }
        if assignments.is_empty() && words.is_empty() && redirects.is_empty() {
            return self.stop("expected a command");
        }
        Ok(Command {
            span: self.span(start, end),
            kind: Kind::Simple(assignments, words),
            redirects,
        })
    }

    fn assignment(&mut self) -> Parsed<Option<Assignment>> {
        let start = self.at;
        let name = self.name();
        let starts_right = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if starts_right && self.rest().starts_with('[') {
            // `array[key]=value`: kept as a variable of that name.
            if let Some(close) = self.rest().find(']').filter(|close| {
                !self
                    .rest()
                    .get(..*close)
                    .unwrap_or("\n")
                    .contains([' ', '\n'])
            }) {
                self.at += close + 1;
            }
        }
        let append = self.accept("+=");
        if !starts_right || !(append || self.accept("=")) {
            self.at = start;
            return Ok(None);
        }
        if self.accept("(") {
            let mut value = Vec::new();
            loop {
                self.skip_newlines();
                if self.accept(")") {
                    return Ok(Some(Assignment {
                        name,
                        value,
                        append,
                        array: true,
                    }));
                }
                value.push(self.word()?);
            }
        }
        let value = match self.peek() {
            None | Some(' ' | '\t' | '\n' | '\r' | ';' | '&' | '|' | ')') => Word::default(),
            _ => self.word()?,
        };
        Ok(Some(Assignment {
            name,
            value: vec![value],
            append,
            array: false,
        }))
    }

    fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        let start = self.at;
        let rest = self.rest();
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let descriptor = rest.get(..digits).and_then(|digits| digits.parse().ok());
        self.at += digits;
        let all = descriptor.is_none() && self.rest().starts_with("&>");
        if all {
            self.at += 1;
        }
        let operator = ["<<<", "<<-", "<<", ">>", ">&", "<&", ">|", "<>", "<", ">"]
            .into_iter()
            .find(|op| self.rest().starts_with(op));
        let process = self.rest().starts_with("<(") || self.rest().starts_with(">(");
        let Some(operator) = operator.filter(|_| !process) else {
            self.at = start;
            return Ok(None);
        };
        self.at += operator.len();
        self.skip_blank();
        if operator.starts_with("<<") && operator != "<<<" {
            return self.heredoc(descriptor, operator == "<<-").map(Some);
        }
        let target = self.word()?;
        let direction = match operator {
            "<<<" => Direction::Text,
            ">>" => Direction::Append,
            ">&" | "<&" => Direction::Duplicate,
            "<" | "<>" => Direction::Read,
            _ => Direction::Write,
        };
        Ok(Some(Redirect {
            descriptor,
            direction,
            target,
        }))
    }
}

#[cfg(test)]
mod tests;
