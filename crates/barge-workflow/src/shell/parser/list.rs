//! Lists, and-or lists and pipelines.

use super::super::syntax::{AndOr, List, Pipeline, Script};
use super::cursor::{Parsed, Parser, Stop};
use super::heredoc::fill_heredocs;

/// Reads a script up to its end or the first thing that cannot be understood.
#[must_use]
pub fn parse(text: &str) -> Script {
    parse_nested(text, 0, 0)
}

/// Reads a script that stands in another one, from its byte `base` on.
pub(super) fn parse_nested(text: &str, base: usize, depth: usize) -> Script {
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

impl<'a> Parser<'a> {
    pub(super) fn list(&mut self) -> Parsed<List> {
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

    pub(super) fn pipeline(&mut self) -> Parsed<Pipeline> {
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
}
