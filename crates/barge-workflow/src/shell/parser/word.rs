//! Words: quotes, expansions, command substitutions.

use crate::source::Span;

use super::super::syntax::{Parameter, Part, Word};
use super::cursor::{DEPTH_LIMIT, Parsed, Parser};
use super::list::parse_nested;
use super::{PLACEHOLDER, PLACEHOLDER_LIMIT};

impl<'a> Parser<'a> {
    pub(super) fn word(&mut self) -> Parsed<Word> {
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
        Ok(Word::new(self.span(start, self.at), parts))
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
                    self.deeper()?;
                    self.enclosed('(', ')')?;
                    self.depth -= 1;
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
    pub(super) fn quoted_parts(&mut self, close: Option<char>) -> Parsed<Vec<Part>> {
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
            let (inner, start) = (self.rest().get(..end).unwrap_or_default(), self.at);
            self.at += end + 1;
            return Ok(Part::Command(
                Box::new(parse_nested(inner, self.base + start, self.depth + 1)),
                inner.trim().to_owned(),
                quoted,
            ));
        }
        self.bump();
        if self.rest().starts_with("((") {
            let inner = self.enclosed('(', ')')?;
            return Ok(Part::Arithmetic(inner.to_owned()));
        }
        // The first byte inside the bracket.
        let inside = self.base + self.at + 1;
        if self.peek() == Some('(') {
            let inner = self.enclosed('(', ')')?;
            return Ok(Part::Command(
                Box::new(parse_nested(inner, inside, self.depth + 1)),
                inner.trim().to_owned(),
                quoted,
            ));
        }
        if self.peek() == Some('{') {
            let inner = self.enclosed('{', '}')?;
            return Ok(Part::Parameter(
                parameter(inner, inside, self.depth),
                quoted,
            ));
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
fn parameter(inner: &str, base: usize, depth: usize) -> Parameter {
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
        // One element of an array has a name of its own.
        if !matches!(tail.get(1..=close), Some("@" | "*")) {
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
    let start = base + (inner.len() - text.len());
    let mut parser = Parser::new(text, start, depth + 1);
    let parts = parser.operand_parts().unwrap_or_default();
    Parameter {
        name,
        operation: Some((
            operator.to_owned(),
            Word::new(Span::new(start, start + text.len()), parts),
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

pub(super) fn literal_with_placeholders(text: &str) -> Vec<Part> {
    let mut parts = vec![Part::Literal(String::new(), true)];
    for character in text.chars() {
        match placeholder(character) {
            Some(number) => parts.push(Part::Placeholder(number, true)),
            None => push_literal(&mut parts, character, true),
        }
    }
    parts
}
