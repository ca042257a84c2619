//! Texts with `${{ }}` in them, split into literal stretches and expressions.

use std::ops::Range;

use super::parser::{ParseExpressionError, parse};
use super::syntax::Expression;

/// A text as its parts, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Template {
    /// The parts.
    pub parts: Vec<Part>,
}

/// A stretch of a text; ranges are bytes of the whole text.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text that stands for itself.
    Literal(Range<usize>),
    /// `${{ ... }}`, the range with its braces.
    Expression(Range<usize>, Expression),
    /// `${{ ... }}` that cannot be read.
    Broken(Range<usize>, ParseExpressionError),
}

impl Template {
    /// Splits a text. An expression that is never closed is a literal, as the runner leaves it.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(open) = text.get(at..).and_then(|rest| rest.find("${{")) {
            let start = at + open;
            let Some(close) = closing(text, start + 3) else {
                break;
            };
            if start > at {
                parts.push(Part::Literal(at..start));
            }
            let whole = start..close + 2;
            match parse(text.get(start + 3..close).unwrap_or_default()) {
                Ok(expression) => parts.push(Part::Expression(whole, expression)),
                Err(mut error) => {
                    error.at += start + 3;
                    parts.push(Part::Broken(whole, error));
                }
            }
            at = close + 2;
        }
        if at < text.len() {
            parts.push(Part::Literal(at..text.len()));
        }
        Self { parts }
    }

    /// The expression, if the text is nothing but one.
    #[must_use]
    pub fn sole_expression(&self) -> Option<&Expression> {
        match self.parts.as_slice() {
            [Part::Expression(_, expression)] => Some(expression),
            _ => None,
        }
    }

    /// All expressions in the text.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Expression(_, expression) => Some(expression),
            _ => None,
        })
    }
}

/// The byte of the `}}` that closes an expression; braces inside quotes do not count.
fn closing(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut quoted = false;
    let mut at = from;
    while at < bytes.len() {
        match bytes.get(at)? {
            b'\'' => quoted = !quoted,
            b'}' if !quoted && bytes.get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
        at += 1;
    }
    // An odd quote inside would swallow the rest: take the first brace pair instead.
    text.get(from..)?.find("}}").map(|close| from + close)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_and_reports() {
        let text = "a${{ x }}b${{ 'q}}' }}${{ 1 + }}c${{ open";
        let template = Template::parse(text);
        let kinds: Vec<_> = template
            .parts
            .iter()
            .map(|part| match part {
                Part::Literal(range) => format!("L {}", &text[range.clone()]),
                Part::Expression(_, expression) => format!("E {expression}"),
                Part::Broken(range, _) => format!("B {}", &text[range.clone()]),
            })
            .collect();
        assert_eq!(
            kinds,
            [
                "L a",
                "E x",
                "L b",
                "E 'q}}'",
                "B ${{ 1 + }}",
                "L c${{ open"
            ]
        );
        assert!(Template::parse("${{ a }}").sole_expression().is_some());
        assert!(Template::parse(" ${{ a }}").sole_expression().is_none());
    }
}
