//! Splits a template into tokens, by the rules of `handlebars.l` in their order: the first that matches wins.

use super::TemplateError;
use crate::meta::ecmascript::is_white_space;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Content,
    Comment,
    OpenRawBlock,
    CloseRawBlock,
    EndRawBlock,
    OpenPartial,
    OpenPartialBlock,
    OpenBlock,
    OpenEndBlock,
    Inverse,
    OpenInverse,
    OpenInverseChain,
    OpenUnescaped,
    CloseUnescaped,
    Open,
    Close,
    OpenExpression,
    CloseExpression,
    Equals,
    Name,
    Separator,
    Text,
    Data,
    Boolean,
    Undefined,
    Null,
    Number,
    OpenParameters,
    Bar,
    Invalid,
    End,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Inside `{{ }}`.
    Mustache,
    /// Right after an escaped `\{{`.
    Escaped,
    /// Inside a raw block.
    Raw,
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, TemplateError> {
    let mut lexer = Lexer {
        rest: text,
        modes: Vec::new(),
        tokens: Vec::new(),
        line: 1,
    };
    while !lexer.rest.is_empty() {
        match lexer.modes.last() {
            None => lexer.outside(),
            Some(Mode::Escaped) => lexer.escaped(),
            Some(Mode::Raw) => lexer.raw()?,
            Some(Mode::Mustache) => lexer.mustache()?,
        }
    }
    if lexer.modes.contains(&Mode::Raw) {
        return Err(lexer.error("the raw block is not closed"));
    }
    lexer.push(Kind::End, "");
    Ok(lexer.tokens)
}

struct Lexer<'t> {
    rest: &'t str,
    modes: Vec<Mode>,
    tokens: Vec<Token>,
    line: usize,
}

impl<'t> Lexer<'t> {
    fn push(&mut self, kind: Kind, text: &str) {
        self.tokens.push(Token {
            kind,
            text: text.to_owned(),
            line: self.line,
        });
    }

    fn take(&mut self, length: usize) -> &'t str {
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.line += text.matches('\n').count();
        text
    }

    fn error(&self, message: &str) -> TemplateError {
        TemplateError::Syntax {
            line: self.line,
            message: message.to_owned(),
        }
    }

    fn outside(&mut self) {
        let Some(at) = self.rest.find("{{") else {
            let text = self.take(self.rest.len());
            return self.push(Kind::Content, text);
        };
        let text = self.take(at);
        let (text, mode) = if let Some(kept) = text.strip_suffix("\\\\") {
            (&text[..=kept.len()], Mode::Mustache)
        } else if let Some(kept) = text.strip_suffix('\\') {
            (kept, Mode::Escaped)
        } else {
            (text, Mode::Mustache)
        };
        self.modes.push(mode);
        if !text.is_empty() {
            self.push(Kind::Content, text);
        }
    }

    /// Two characters at least, up to what may be the next tag.
    fn escaped(&mut self) {
        let two = self
            .rest
            .char_indices()
            .nth(2)
            .map_or(self.rest.len(), |(at, _)| at);
        let stops = ["{{", "\\{{", "\\\\{{"];
        let end = stops
            .iter()
            .filter_map(|stop| self.rest[two..].find(stop))
            .min();
        let text = self.take(end.map_or(self.rest.len(), |end| two + end));
        self.modes.pop();
        self.push(Kind::Content, text);
    }

    fn raw(&mut self) -> Result<(), TemplateError> {
        if let Some(inner) = self.rest.strip_prefix("{{{{") {
            if !inner.starts_with('/') && !inner.is_empty() {
                self.modes.push(Mode::Raw);
                let text = self.take(4);
                self.push(Kind::Content, text);
                return Ok(());
            }
            let name = inner.get(1..).map_or(0, name_length);
            if name > 0 && inner[1 + name..].starts_with("}}}}") {
                self.modes.pop();
                let text = self.take(4 + 1 + name + 4);
                if self.modes.last() == Some(&Mode::Raw) {
                    self.push(Kind::Content, text);
                } else {
                    self.push(Kind::EndRawBlock, &text[5..5 + name]);
                }
                return Ok(());
            }
        }
        let first = self.rest.chars().next().map_or(0, char::len_utf8);
        match self.rest[first..].find("{{{{") {
            Some(at) => {
                let text = self.take(first + at);
                self.push(Kind::Content, text);
                Ok(())
            }
            None => Err(self.error("the raw block is not closed")),
        }
    }

    fn mustache(&mut self) -> Result<(), TemplateError> {
        if self.rest.starts_with("{{") {
            return self.opening();
        }
        if self.closing() || self.literal() {
            return Ok(());
        }
        let space = self.rest.len() - self.rest.trim_start_matches(is_white_space).len();
        if space > 0 {
            self.take(space);
            return Ok(());
        }
        let length = self.rest.chars().next().map_or(0, char::len_utf8);
        let (kind, length) = match self.rest.as_bytes().first() {
            Some(b'(') => (Kind::OpenExpression, 1),
            Some(b')') => (Kind::CloseExpression, 1),
            Some(b'=') => (Kind::Equals, 1),
            Some(b'@') => (Kind::Data, 1),
            Some(b'|') => (Kind::Bar, 1),
            Some(b'.') if self.rest.starts_with("..") => (Kind::Name, 2),
            Some(b'.') if self.rest[1..].starts_with(ends_name) => (Kind::Name, 1),
            Some(b'.' | b'/') => (Kind::Separator, 1),
            _ => match name_length(self.rest) {
                0 => (Kind::Invalid, length),
                name if self.rest[name..].starts_with(ends_name) => (Kind::Name, name),
                _ => (Kind::Invalid, length),
            },
        };
        let text = self.take(length);
        self.push(kind, text);
        Ok(())
    }

    fn opening(&mut self) -> Result<(), TemplateError> {
        if self.rest.starts_with("{{{{") {
            let text = self.take(4);
            self.push(Kind::OpenRawBlock, text);
            return Ok(());
        }
        let tilde = usize::from(self.rest[2..].starts_with('~'));
        let inner = &self.rest[2 + tilde..];
        if inner.starts_with('!') {
            return self.comment(2 + tilde);
        }
        if let Some(length) = inverse_length(inner) {
            let text = self.take(2 + tilde + length);
            self.modes.pop();
            self.push(Kind::Inverse, text);
            return Ok(());
        }
        let (kind, length) = opening_kind(inner);
        let text = self.take(2 + tilde + length);
        self.push(kind, text);
        Ok(())
    }

    /// `{{!-- … --}}` may hold braces, `{{! … }}` may not.
    fn comment(&mut self, prefix: usize) -> Result<(), TemplateError> {
        let long = self.rest[prefix..].starts_with("!--");
        let end = if long {
            let ends = ["--}}", "--~}}"].into_iter();
            let found = ends
                .filter_map(|end| self.rest.find(end).map(|at| (at, at + end.len())))
                .min();
            found.map(|(_, end)| end)
        } else {
            self.rest.find("}}").map(|at| at + 2)
        };
        let Some(end) = end else {
            if long {
                return Err(self.error("the comment is not closed"));
            }
            // Without an end, `{{` opens a tag whose name may not start with `!`.
            let text = self.take(prefix);
            self.push(Kind::Open, text);
            return Ok(());
        };
        let text = self.take(end);
        self.modes.pop();
        self.push(Kind::Comment, text);
        Ok(())
    }

    fn closing(&mut self) -> bool {
        const CLOSINGS: [(&str, Kind); 5] = [
            ("}}}}", Kind::CloseRawBlock),
            ("}~}}", Kind::CloseUnescaped),
            ("}}}", Kind::CloseUnescaped),
            ("~}}", Kind::Close),
            ("}}", Kind::Close),
        ];
        let Some((closing, kind)) = CLOSINGS
            .into_iter()
            .find(|(closing, _)| self.rest.starts_with(closing))
        else {
            return false;
        };
        let text = self.take(closing.len());
        self.modes.pop();
        if kind == Kind::CloseRawBlock {
            self.modes.push(Mode::Raw);
        }
        self.push(kind, text);
        true
    }

    fn literal(&mut self) -> bool {
        for quote in ['"', '\''] {
            if let Some(length) = quoted_length(self.rest, quote) {
                let text = self.take(length);
                let inner = &text[1..length - 1];
                self.push(
                    Kind::Text,
                    &inner.replace(&format!("\\{quote}"), &quote.to_string()),
                );
                return true;
            }
        }
        for (word, kind) in [
            ("true", Kind::Boolean),
            ("false", Kind::Boolean),
            ("undefined", Kind::Undefined),
            ("null", Kind::Null),
        ] {
            let after = self.rest.strip_prefix(word);
            if after.is_some_and(|after| after.starts_with(ends_literal)) {
                let text = self.take(word.len());
                self.push(kind, text);
                return true;
            }
        }
        if let Some(length) = number_length(self.rest) {
            let text = self.take(length);
            self.push(Kind::Number, text);
            return true;
        }
        if let Some(length) = parameters_length(self.rest) {
            let text = self.take(length);
            self.push(Kind::OpenParameters, text);
            return true;
        }
        self.bracketed()
    }

    /// `[any text]`, with `\]` and `\\` for the two special characters.
    fn bracketed(&mut self) -> bool {
        let Some(length) = self
            .rest
            .strip_prefix('[')
            .and_then(bracket_end)
            .map(|end| end + 2)
        else {
            return false;
        };
        let text = self.take(length);
        let mut plain = String::with_capacity(length);
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            match characters.peek() {
                Some(next @ ('\\' | ']')) if c == '\\' => {
                    plain.push(*next);
                    characters.next();
                }
                _ => plain.push(c),
            }
        }
        self.push(Kind::Name, &plain);
        true
    }
}

/// What stands between `{{` or `{{~` and the content of a tag.
fn opening_kind(inner: &str) -> (Kind, usize) {
    if inner.starts_with("#>") {
        return (Kind::OpenPartialBlock, 2);
    }
    if inner.starts_with("#*") {
        return (Kind::OpenBlock, 2);
    }
    let trimmed = inner.trim_start_matches(is_white_space);
    if let Some(after) = trimmed.strip_prefix("else")
        && !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    {
        return (Kind::OpenInverseChain, inner.len() - after.len());
    }
    match inner.as_bytes().first() {
        Some(b'>') => (Kind::OpenPartial, 1),
        Some(b'#') => (Kind::OpenBlock, 1),
        Some(b'/') => (Kind::OpenEndBlock, 1),
        Some(b'^') => (Kind::OpenInverse, 1),
        Some(b'{') => (Kind::OpenUnescaped, 1),
        Some(b'&' | b'*') => (Kind::Open, 1),
        _ => (Kind::Open, 0),
    }
}

/// `^}}` or `else}}`, with spaces and `~`.
fn inverse_length(inner: &str) -> Option<usize> {
    let after = match inner.strip_prefix('^') {
        Some(after) => after,
        None => inner
            .trim_start_matches(is_white_space)
            .strip_prefix("else")?,
    };
    let after = after.trim_start_matches(is_white_space);
    let after = after
        .strip_prefix('~')
        .unwrap_or(after)
        .strip_prefix("}}")?;
    Some(inner.len() - after.len())
}

fn is_name(c: char) -> bool {
    !is_white_space(c)
        && !matches!(c, '!' | '"' | '#' | '%'..=',' | '.' | '/' | ';'..='>' | '@' | '['..='^' | '`' | '{'..='~')
}

fn name_length(text: &str) -> usize {
    text.find(|c| !is_name(c)).unwrap_or(text.len())
}

fn ends_name(c: char) -> bool {
    is_white_space(c) || matches!(c, '=' | '~' | '}' | '/' | '.' | ')' | '|')
}

fn ends_literal(c: char) -> bool {
    is_white_space(c) || matches!(c, '~' | '}' | ')')
}

/// The length of a quoted text with its quotes; a backslash before a quote keeps it inside if another one follows.
fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let inner = text.strip_prefix(quote)?;
    let mut fallback = None;
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        if c == quote {
            if !escaped {
                return Some(at + 2);
            }
            // The expression backtracks to the last quote when no unescaped one follows.
            fallback = Some(at + 2);
        }
        escaped = c == '\\';
    }
    fallback
}

fn bracket_end(text: &str) -> Option<usize> {
    let mut fallback = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == ']' {
            if !escaped {
                return Some(at);
            }
            fallback = Some(at);
        }
        escaped = c == '\\';
    }
    fallback
}

fn number_length(text: &str) -> Option<usize> {
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let sign = usize::from(text.starts_with('-'));
    let whole = sign + digits(&text[sign..]);
    if whole == sign {
        return None;
    }
    let fraction = text[whole..].strip_prefix('.').map_or(0, digits);
    let length = if fraction > 0 {
        whole + 1 + fraction
    } else {
        whole
    };
    text[length..].starts_with(ends_literal).then_some(length)
}

fn parameters_length(text: &str) -> Option<usize> {
    let after = text.strip_prefix("as")?;
    let bar = after.trim_start_matches(is_white_space);
    (bar.len() < after.len() && bar.starts_with('|')).then(|| text.len() - bar.len() + 1)
}
