//! The place in a script up to which it is read, and the small steps from there.

use crate::source::Span;

use super::heredoc::HereDocument;

pub(super) const DEPTH_LIMIT: usize = 40;

const RESERVED: [&str; 9] = ["then", "elif", "else", "fi", "do", "done", "esac", "}", ")"];

pub(super) struct Stop(pub(super) String);

pub(super) type Parsed<T> = Result<T, Stop>;

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    /// Where the text starts in the whole script.
    pub(super) base: usize,
    pub(super) at: usize,
    pub(super) depth: usize,
    pub(super) heredocs: Vec<HereDocument>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, base: usize, depth: usize) -> Self {
        Self {
            text,
            base,
            at: 0,
            depth,
            heredocs: Vec::new(),
        }
    }

    /// The bytes from `start` to `end`, as the whole script counts them.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.base + start, self.base + end)
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    pub(super) fn accept(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    pub(super) fn stop<T>(&self, reason: &str) -> Parsed<T> {
        Err(Stop(reason.to_owned()))
    }

    /// Goes down one level.
    pub(super) fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return self.stop("the script is nested too deeply");
        }
        Ok(())
    }

    /// Skips spaces, escaped line ends and a comment.
    pub(super) fn skip_blank(&mut self) {
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
    pub(super) fn skip_separators(&mut self) {
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

    pub(super) fn skip_newlines(&mut self) {
        loop {
            self.skip_blank();
            if self.peek() != Some('\n') {
                return;
            }
            self.bump();
            self.read_heredocs();
        }
    }

    pub(super) fn at_reserved(&self) -> bool {
        let rest = self.rest();
        RESERVED.iter().any(|word| {
            rest.strip_prefix(word).is_some_and(|after| {
                *word == ")"
                    || after.is_empty()
                    || after.starts_with([' ', '\t', '\n', '\r', ';', '&', '|', ')', '>', '<'])
            })
        }) || rest.starts_with(";;")
    }

    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let found = self.rest().strip_prefix(word).is_some_and(|after| {
            after.is_empty() || after.starts_with([' ', '\t', '\n', '\r', ';', '('])
        });
        if found {
            self.at += word.len();
        }
        found
    }

    pub(super) fn expect(&mut self, word: &str) -> Parsed<()> {
        self.skip_separators();
        if self.rest().starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        self.stop(&format!("expected `{word}`"))
    }

    pub(super) fn name(&mut self) -> String {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default().to_owned()
    }
}
