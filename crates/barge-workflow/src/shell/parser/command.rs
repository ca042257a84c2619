//! Commands: simple ones with their assignments and redirections, and the heads of compound ones.

use std::sync::Arc;

use super::super::syntax::{AndOr, Assignment, Command, Direction, Kind, Pipeline, Redirect, Word};
use super::cursor::{Parsed, Parser};

impl<'a> Parser<'a> {
    pub(super) fn command(&mut self) -> Parsed<Command> {
        self.skip_blank();
        let start = self.at;
        let Some(kind) = self.compound()? else {
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

    /// A command that begins with a word or sign of the shell's own.
    fn compound(&mut self) -> Parsed<Option<Kind>> {
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
            let Some(close) = self.rest().find("))") else {
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
            self.function_body(name)?
        } else {
            return Ok(None);
        };
        Ok(Some(kind))
    }

    fn function_body(&mut self, name: String) -> Parsed<Kind> {
        self.skip_newlines();
        self.deeper()?;
        let first = Pipeline {
            negated: false,
            commands: vec![self.command()?],
        };
        self.depth -= 1;
        let rest = Vec::new();
        Ok(Kind::Function(name, Arc::new(vec![AndOr { first, rest }])))
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
