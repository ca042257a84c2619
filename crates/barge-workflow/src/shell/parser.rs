//! Reads a shell script. Expressions of the workflow arrive as placeholder characters (see [`PLACEHOLDER`]).

use crate::source::Span;

use super::syntax::{
    AndOr, Assignment, Command, Direction, Kind, List, Parameter, Part, Pipeline, Redirect, Script,
    Word,
};

/// The character of placeholder 0; placeholder n is n characters further, in Unicode's private area.
pub const PLACEHOLDER: u32 = 0xE000;
/// How many placeholders a script can hold.
pub const PLACEHOLDER_LIMIT: usize = 6400;

const DEPTH_LIMIT: usize = 40;
const RESERVED: [&str; 9] = ["then", "elif", "else", "fi", "do", "done", "esac", "}", ")"];

/// Reads a script up to its end or the first thing that cannot be understood.
#[must_use]
pub fn parse(text: &str) -> Script {
    parse_nested(text, 0)
}

fn parse_nested(text: &str, depth: usize) -> Script {
    let mut parser = Parser {
        text,
        at: 0,
        depth,
        heredocs: Vec::new(),
    };
    let mut body = Vec::new();
    let error = match parser.list_into(&mut body) {
        Ok(()) if parser.at < text.len() => Some((parser.at, "unexpected text".to_owned())),
        Ok(()) => None,
        Err(Stop(reason)) => Some((parser.at, reason)),
    };
    fill_heredocs(&mut body, &parser.heredocs);
    Script { body, error }
}

struct Stop(String);

type Parsed<T> = Result<T, Stop>;

/// A here-document whose text follows on the next lines; found by its number when the text has been read.
struct HereDocument {
    delimiter: String,
    literal: bool,
    strip_tabs: bool,
    text: Option<Word>,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    heredocs: Vec<HereDocument>,
}

impl<'a> Parser<'a> {
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

    fn read_heredocs(&mut self) {
        for number in 0..self.heredocs.len() {
            let Some((delimiter, literal, strip_tabs)) = self
                .heredocs
                .get(number)
                .filter(|document| document.text.is_none())
                .map(|document| {
                    (
                        document.delimiter.clone(),
                        document.literal,
                        document.strip_tabs,
                    )
                })
            else {
                continue;
            };
            let start = self.at;
            let mut body = String::new();
            while self.at < self.text.len() {
                let rest = self.rest();
                let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
                let line = rest.get(..end).unwrap_or_default();
                self.at += end;
                let content = if strip_tabs {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                if content.trim_end_matches(['\n', '\r']) == delimiter {
                    break;
                }
                body.push_str(content);
            }
            let word = if literal {
                Word {
                    span: Span::new(start, self.at),
                    parts: literal_with_placeholders(&body),
                }
            } else {
                let mut inner = Parser {
                    text: &body,
                    at: 0,
                    depth: self.depth + 1,
                    heredocs: Vec::new(),
                };
                let parts = inner.quoted_parts(None).unwrap_or_default();
                Word {
                    span: Span::new(start, self.at),
                    parts,
                }
            };
            if let Some(document) = self.heredocs.get_mut(number) {
                document.text = Some(word);
            }
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
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return self.stop("the script is nested too deeply");
        }
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
            let body = self.command()?;
            Kind::Function(
                name,
                vec![AndOr {
                    first: Pipeline {
                        negated: false,
                        commands: vec![body],
                    },
                    rest: Vec::new(),
                }],
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
                        span: Span::new(start, self.at),
                        kind,
                        redirects,
                    });
                }
            }
        }
    }

    fn if_clause(&mut self) -> Parsed<Kind> {
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

    fn for_clause(&mut self) -> Parsed<Kind> {
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

    fn case_clause(&mut self) -> Parsed<Kind> {
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

    fn test_clause(&mut self) -> Parsed<Kind> {
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
                words.push(Word {
                    span: Span::new(start, self.at),
                    parts,
                });
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
        Ok(Word {
            span: Span::new(start, self.at),
            parts: vec![Part::Literal(text, true)],
        })
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
            span: Span::new(start, end),
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

    fn heredoc(&mut self, descriptor: Option<u32>, strip_tabs: bool) -> Parsed<Redirect> {
        let word = self.word()?;
        let literal = word
            .parts
            .iter()
            .any(|part| matches!(part, Part::Literal(_, true)));
        let delimiter = word.literal().unwrap_or_default();
        self.heredocs.push(HereDocument {
            delimiter,
            literal,
            strip_tabs,
            text: None,
        });
        // The number stands for the text until it has been read.
        let number = format!("\u{0}{}", self.heredocs.len() - 1);
        let target = Word {
            span: word.span,
            parts: vec![Part::Literal(number, true)],
        };
        Ok(Redirect {
            descriptor,
            direction: Direction::Text,
            target,
        })
    }

    fn word(&mut self) -> Parsed<Word> {
        let start = self.at;
        let mut parts = Vec::new();
        while let Some(character) = self.peek() {
            match character {
                ' ' | '\t' | '\n' | '\r' | ';' | '&' | '|' | ')' => break,
                '(' | '<' | '>'
                    if self.at == start
                        && !self.rest().starts_with("<(")
                        && !self.rest().starts_with(">(") =>
                {
                    break;
                }
                '<' | '>' if self.at != start => break,
                '(' => self.bare_parenthesis(&mut parts)?,
                '<' | '>' => {
                    self.at += 1;
                    self.bare_parenthesis(&mut parts)?;
                }
                '\\' => {
                    self.bump();
                    if let Some(escaped) = self.bump().filter(|c| *c != '\n') {
                        push_literal(&mut parts, escaped, true);
                    }
                }
                '\'' => {
                    self.bump();
                    let Some(end) = self.rest().find('\'') else {
                        return self.stop("a quote is not closed");
                    };
                    let text = self.rest().get(..end).unwrap_or_default();
                    parts.extend(literal_with_placeholders(text));
                    self.at += end + 1;
                }
                '"' => {
                    self.bump();
                    parts.extend(self.quoted_parts(Some('"'))?);
                }
                '$' if self.rest().starts_with("$'") => {
                    self.at += 2;
                    let Some(end) = self.rest().find('\'') else {
                        return self.stop("a quote is not closed");
                    };
                    let text = self
                        .rest()
                        .get(..end)
                        .unwrap_or_default()
                        .replace("\\n", "\n")
                        .replace("\\t", "\t");
                    parts.push(Part::Literal(text, true));
                    self.at += end + 1;
                }
                '$' | '`' => parts.push(self.expansion(false)?),
                _ => {
                    self.bump();
                    match placeholder(character) {
                        Some(number) => parts.push(Part::Placeholder(number, false)),
                        None => push_literal(&mut parts, character, false),
                    }
                }
            }
        }
        if self.at == start {
            return self.stop("expected a word");
        }
        Ok(Word {
            span: Span::new(start, self.at),
            parts,
        })
    }

    /// `<( ... )`, or the parentheses of a pattern: kept as text.
    fn bare_parenthesis(&mut self, parts: &mut Vec<Part>) -> Parsed<()> {
        let start = self.at;
        let inner = self.enclosed('(', ')')?;
        let text = format!("({inner})");
        debug_assert!(self.at > start);
        parts.push(Part::Literal(text, true));
        Ok(())
    }

    /// The text between a bracket and its partner; quotes are respected.
    fn enclosed(&mut self, open: char, close: char) -> Parsed<&'a str> {
        self.bump();
        let start = self.at;
        let mut depth = 1_usize;
        let mut quote: Option<char> = None;
        while let Some(character) = self.peek() {
            let here = self.at;
            self.bump();
            match (quote, character) {
                (_, '\\') if quote != Some('\'') => {
                    self.bump();
                }
                (Some(open_quote), _) if character == open_quote => quote = None,
                (Some('"'), '$') if self.rest().starts_with('(') => {
                    self.enclosed('(', ')')?;
                }
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(character),
                (None, _) if character == open => depth += 1,
                (None, _) if character == close => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(self.text.get(start..here).unwrap_or_default());
                    }
                }
                _ => {}
            }
        }
        self.stop("a bracket is not closed")
    }

    /// Parts up to the closing quote, or to the end for a here-document.
    fn quoted_parts(&mut self, close: Option<char>) -> Parsed<Vec<Part>> {
        let mut parts = Vec::new();
        loop {
            let Some(character) = self.peek() else {
                return if close.is_none() {
                    Ok(parts)
                } else {
                    self.stop("a quote is not closed")
                };
            };
            if Some(character) == close {
                self.bump();
                if parts.is_empty() {
                    parts.push(Part::Literal(String::new(), true));
                }
                return Ok(parts);
            }
            match character {
                '\\' => {
                    self.bump();
                    match self.bump() {
                        Some('\n') | None => {}
                        Some(escaped @ ('"' | '$' | '`' | '\\')) => {
                            push_literal(&mut parts, escaped, true);
                        }
                        Some(other) => {
                            push_literal(&mut parts, '\\', true);
                            push_literal(&mut parts, other, true);
                        }
                    }
                }
                '$' | '`' => parts.push(self.expansion(true)?),
                _ => {
                    self.bump();
                    match placeholder(character) {
                        Some(number) => parts.push(Part::Placeholder(number, true)),
                        None => push_literal(&mut parts, character, true),
                    }
                }
            }
        }
    }

    fn expansion(&mut self, quoted: bool) -> Parsed<Part> {
        if self.depth > DEPTH_LIMIT {
            return self.stop("the script is nested too deeply");
        }
        if self.accept("`") {
            let Some(end) = self.rest().find('`') else {
                return self.stop("a quote is not closed");
            };
            let inner = self.rest().get(..end).unwrap_or_default();
            self.at += end + 1;
            return Ok(Part::Command(
                Box::new(parse_nested(inner, self.depth + 1)),
                inner.trim().to_owned(),
                quoted,
            ));
        }
        self.bump();
        if self.rest().starts_with("((") {
            let inner = self.enclosed('(', ')')?;
            return Ok(Part::Arithmetic(inner.to_owned()));
        }
        if self.peek() == Some('(') {
            let inner = self.enclosed('(', ')')?;
            return Ok(Part::Command(
                Box::new(parse_nested(inner, self.depth + 1)),
                inner.trim().to_owned(),
                quoted,
            ));
        }
        if self.peek() == Some('{') {
            let inner = self.enclosed('{', '}')?;
            return Ok(Part::Parameter(parameter(inner, self.depth), quoted));
        }
        if let Some(special) = self
            .peek()
            .filter(|c| matches!(c, '@' | '*' | '#' | '?' | '$' | '!' | '0'..='9'))
        {
            self.bump();
            return Ok(Part::Parameter(
                Parameter {
                    name: special.to_string(),
                    operation: None,
                },
                quoted,
            ));
        }
        let name = self.name();
        if name.is_empty() {
            return Ok(Part::Literal("$".into(), quoted));
        }
        Ok(Part::Parameter(
            Parameter {
                name,
                operation: None,
            },
            quoted,
        ))
    }
}

/// The inside of `${ }`.
fn parameter(inner: &str, depth: usize) -> Parameter {
    let (length, rest) = match inner.strip_prefix('#') {
        Some(rest) if !rest.is_empty() => (true, rest),
        _ => (false, inner),
    };
    let rest = rest.strip_prefix('!').unwrap_or(rest);
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    let (mut name, mut tail) = (
        rest.get(..end).unwrap_or_default().to_owned(),
        rest.get(end..).unwrap_or_default(),
    );
    if name.is_empty() {
        let special = tail.chars().next().map_or(0, char::len_utf8);
        name = tail.get(..special).unwrap_or_default().to_owned();
        tail = tail.get(special..).unwrap_or_default();
    }
    if let Some(close) = tail.strip_prefix('[').and_then(|after| after.find(']')) {
        // An element of an array: all of them or the first, which the interpreter keeps as one value.
        if !matches!(tail.get(1..=close), Some("@" | "*" | "0")) {
            name.push_str(tail.get(..close + 2).unwrap_or_default());
        }
        tail = tail.get(close + 2..).unwrap_or_default();
    }
    if length {
        return Parameter {
            name,
            operation: Some(("#".into(), Word::default())),
        };
    }
    if tail.is_empty() {
        return Parameter {
            name,
            operation: None,
        };
    }
    let operators = [
        ",,", "^^", ":-", ":=", ":+", ":?", "##", "%%", "//", "/#", "/%", ",", "^", "#", "%", "/",
        ":", "-", "=", "+", "?", "@",
    ];
    let operator = operators
        .into_iter()
        .find(|operator| tail.starts_with(operator))
        .unwrap_or("@");
    let text = tail.get(operator.len()..).unwrap_or_default();
    let mut parser = Parser {
        text,
        at: 0,
        depth: depth + 1,
        heredocs: Vec::new(),
    };
    let parts = parser.operand_parts().unwrap_or_default();
    Parameter {
        name,
        operation: Some((
            operator.to_owned(),
            Word {
                span: Span::default(),
                parts,
            },
        )),
    }
}

impl Parser<'_> {
    /// The operand of an expansion: quotes are removed, white space stays.
    fn operand_parts(&mut self) -> Parsed<Vec<Part>> {
        let mut parts = Vec::new();
        while let Some(character) = self.peek() {
            match character {
                '"' => {
                    self.bump();
                    parts.extend(self.quoted_parts(Some('"'))?);
                }
                '\'' => {
                    self.bump();
                    let Some(end) = self.rest().find('\'') else {
                        return self.stop("a quote is not closed");
                    };
                    parts.push(Part::Literal(
                        self.rest().get(..end).unwrap_or_default().to_owned(),
                        true,
                    ));
                    self.at += end + 1;
                }
                '\\' => {
                    self.bump();
                    if let Some(escaped) = self.bump() {
                        push_literal(&mut parts, escaped, true);
                    }
                }
                '$' | '`' => parts.push(self.expansion(true)?),
                _ => {
                    self.bump();
                    match placeholder(character) {
                        Some(number) => parts.push(Part::Placeholder(number, true)),
                        None => push_literal(&mut parts, character, false),
                    }
                }
            }
        }
        Ok(parts)
    }
}

fn placeholder(character: char) -> Option<usize> {
    let number = usize::try_from(u32::from(character).checked_sub(PLACEHOLDER)?).ok()?;
    (number < PLACEHOLDER_LIMIT).then_some(number)
}

fn push_literal(parts: &mut Vec<Part>, character: char, quoted: bool) {
    match parts.last_mut() {
        Some(Part::Literal(text, same)) if *same == quoted => text.push(character),
        _ => parts.push(Part::Literal(character.to_string(), quoted)),
    }
}

fn literal_with_placeholders(text: &str) -> Vec<Part> {
    let mut parts = vec![Part::Literal(String::new(), true)];
    for character in text.chars() {
        match placeholder(character) {
            Some(number) => parts.push(Part::Placeholder(number, true)),
            None => push_literal(&mut parts, character, true),
        }
    }
    parts
}

/// Puts the texts of here-documents where their numbers stand.
fn fill_heredocs(list: &mut List, documents: &[HereDocument]) {
    for and_or in list {
        for pipeline in std::iter::once(&mut and_or.first)
            .chain(and_or.rest.iter_mut().map(|(_, pipeline)| pipeline))
        {
            for command in &mut pipeline.commands {
                for redirect in &mut command.redirects {
                    let number = redirect
                        .target
                        .literal()
                        .and_then(|text| text.strip_prefix('\u{0}')?.parse::<usize>().ok());
                    if let Some(text) = number
                        .and_then(|number| documents.get(number))
                        .and_then(|document| document.text.clone())
                    {
                        redirect.target = text;
                    }
                }
                match &mut command.kind {
                    Kind::If(branches, otherwise) => {
                        for (condition, body) in branches {
                            fill_heredocs(condition, documents);
                            fill_heredocs(body, documents);
                        }
                        fill_heredocs(otherwise, documents);
                    }
                    Kind::For(_, _, body)
                    | Kind::Group(body)
                    | Kind::Subshell(body)
                    | Kind::Function(_, body) => {
                        fill_heredocs(body, documents);
                    }
                    Kind::While(condition, body) => {
                        fill_heredocs(condition, documents);
                        fill_heredocs(body, documents);
                    }
                    Kind::Case(_, arms) => arms
                        .iter_mut()
                        .for_each(|(_, body)| fill_heredocs(body, documents)),
                    Kind::Simple(..) | Kind::Test(_) | Kind::Arithmetic => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
