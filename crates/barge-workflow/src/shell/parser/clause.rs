//! Compound commands: `if`, `for`, `case`, `[[ ]]`.

use super::super::syntax::{Kind, Part, Word};
use super::cursor::{Parsed, Parser};

impl Parser<'_> {
    pub(super) fn if_clause(&mut self) -> Parsed<Kind> {
        let mut branches = Vec::new();
        loop {
            let condition = self.list()?;
            self.expect("then")?;
            branches.push((condition, self.list()?));
            self.skip_separators();
            if self.accept("elif") {
                continue;
            }
            let otherwise = if self.accept("else") {
                self.list()?
            } else {
                Vec::new()
            };
            self.expect("fi")?;
            return Ok(Kind::If(branches, otherwise));
        }
    }

    pub(super) fn for_clause(&mut self) -> Parsed<Kind> {
        self.skip_blank();
        if self.accept("((") {
            let Some(close) = self.rest().find("))") else {
                return self.stop("expected `))`");
            };
            self.at += close + 2;
            self.expect("do")?;
            let body = self.list()?;
            self.expect("done")?;
            return Ok(Kind::While(Vec::new(), body));
        }
        let name = self.name();
        self.skip_newlines();
        let mut words = Vec::new();
        if self.keyword("in") {
            loop {
                self.skip_blank();
                if matches!(self.peek(), None | Some('\n' | ';')) {
                    break;
                }
                words.push(self.word()?);
            }
        }
        self.expect("do")?;
        let body = self.list()?;
        self.expect("done")?;
        Ok(Kind::For(name, words, body))
    }

    pub(super) fn case_clause(&mut self) -> Parsed<Kind> {
        self.skip_blank();
        let subject = self.word()?;
        self.skip_newlines();
        self.expect("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_separators();
            if self.accept("esac") {
                return Ok(Kind::Case(subject, arms));
            }
            self.accept("(");
            let mut patterns = Vec::new();
            loop {
                self.skip_blank();
                patterns.push(self.word()?);
                self.skip_blank();
                if self.accept("|") {
                    continue;
                }
                break;
            }
            self.expect(")")?;
            let body = self.list()?;
            arms.push((patterns, body));
            self.skip_separators();
            if !self.accept(";;&") && !self.accept(";;") && !self.rest().starts_with("esac") {
                return self.stop("expected `;;`");
            }
        }
    }

    pub(super) fn test_clause(&mut self) -> Parsed<Kind> {
        let mut words = Vec::new();
        loop {
            self.skip_newlines();
            let start = self.at;
            if self.keyword("]]") || self.accept("]]") {
                return Ok(Kind::Test(words));
            }
            let operator = ["&&", "||", "(", ")", "<", ">"]
                .iter()
                .find(|operator| self.rest().starts_with(**operator));
            // The right side of `=~` is a pattern in which these characters are ordinary.
            let pattern = words.last().is_some_and(|word: &Word| word.is_bare("=~"));
            if let Some(operator) = operator.filter(|_| !pattern) {
                self.at += operator.len();
                let parts = vec![Part::Literal((*operator).to_owned(), false)];
                words.push(Word::new(self.span(start, self.at), parts));
            } else if self.at >= self.text.len() {
                return self.stop("expected `]]`");
            } else if pattern {
                words.push(self.pattern_word()?);
            } else {
                words.push(self.word()?);
            }
        }
    }

    /// The pattern after `=~`: up to a space outside quotes and parentheses.
    fn pattern_word(&mut self) -> Parsed<Word> {
        let start = self.at;
        let mut depth = 0_usize;
        let mut text = String::new();
        while let Some(character) = self.peek() {
            match character {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                ' ' | '\t' | '\n' if depth == 0 => break,
                '\n' => break,
                _ => {}
            }
            text.push(character);
            self.bump();
        }
        if text.is_empty() {
            return self.stop("expected a pattern");
        }
        let parts = vec![Part::Literal(text, true)];
        Ok(Word::new(self.span(start, self.at), parts))
    }
}
