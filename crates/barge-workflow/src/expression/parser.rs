//! Reads an expression: precedence from loosest is `||`, `&&`, `== !=`, `< <= > >=`, `!`, then access and calls.

use crate::source::Span;

use super::coerce;
use super::syntax::{Expression, Kind, Operator};

/// GitHub's own limit on nesting.
const DEPTH_LIMIT: usize = 50;
/// How many operators and accesses an expression may have: each puts another box around what is left of it, and what
/// walks the tree goes down with each.
const BOX_LIMIT: usize = 1000;

/// Why a text is not an expression; `at` is a byte of that text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ParseExpressionError {
    /// Where reading stopped.
    pub at: usize,
    /// What was expected or found.
    pub reason: String,
}

/// Reads a whole text as one expression.
pub fn parse(text: &str) -> Result<Expression, ParseExpressionError> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        boxes: 0,
    };
    let expression = parser.binary(1)?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.error("unexpected text after the expression"));
    }
    Ok(expression)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    boxes: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn error(&self, reason: &str) -> ParseExpressionError {
        ParseExpressionError {
            at: self.at,
            reason: reason.to_owned(),
        }
    }

    /// Counts one more box around what was read.
    fn wrap(&mut self) -> Result<(), ParseExpressionError> {
        self.boxes += 1;
        if self.boxes > BOX_LIMIT {
            return Err(self.error("the expression is too long"));
        }
        Ok(())
    }

    fn accept(&mut self, token: &str) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), ParseExpressionError> {
        if self.accept(token) {
            Ok(())
        } else {
            Err(self.error(&format!("expected `{token}`")))
        }
    }

    fn operator(&mut self) -> Option<(Operator, usize)> {
        self.skip_space();
        let table = [
            ("||", Operator::Or),
            ("&&", Operator::And),
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let rest = self.rest();
        table
            .iter()
            .find(|(text, _)| rest.starts_with(text))
            .map(|(text, operator)| (*operator, text.len()))
    }

    fn binary(&mut self, minimum: u8) -> Result<Expression, ParseExpressionError> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(self.error("the expression is nested too deeply"));
        }
        let mut left = self.unary()?;
        while let Some((operator, length)) = self.operator() {
            if operator.precedence() < minimum {
                break;
            }
            self.at += length;
            self.wrap()?;
            let right = self.binary(operator.precedence() + 1)?;
            let span = Span::new(left.span.start, right.span.end);
            left = Expression {
                span,
                kind: Kind::Binary(operator, Box::new(left), Box::new(right)),
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, ParseExpressionError> {
        self.skip_space();
        let start = self.at;
        let mut negations = 0;
        loop {
            self.skip_space();
            if self.rest().starts_with('!') && !self.rest().starts_with("!=") {
                self.at += 1;
                negations += 1;
                self.wrap()?;
            } else {
                break;
            }
        }
        let mut expression = self.access()?;
        for _ in 0..negations {
            let span = Span::new(start, expression.span.end);
            expression = Expression {
                span,
                kind: Kind::Not(Box::new(expression)),
            };
        }
        Ok(expression)
    }

    fn access(&mut self) -> Result<Expression, ParseExpressionError> {
        let mut expression = self.primary()?;
        loop {
            let start = expression.span.start;
            let kind = if self.accept("[") {
                self.skip_space();
                if self.accept("*") {
                    self.expect("]")?;
                    Kind::Filter(Box::new(expression))
                } else {
                    let index = self.binary(1)?;
                    self.expect("]")?;
                    Kind::Index(Box::new(expression), Box::new(index))
                }
            } else if self.accept(".") {
                if self.accept("*") {
                    Kind::Filter(Box::new(expression))
                } else {
                    self.skip_space();
                    let name = self
                        .name()
                        .ok_or_else(|| self.error("expected a name after `.`"))?;
                    Kind::Property(Box::new(expression), name)
                }
            } else {
                return Ok(expression);
            };
            self.wrap()?;
            expression = Expression {
                span: Span::new(start, self.at),
                kind,
            };
        }
    }

    fn name(&mut self) -> Option<String> {
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return None;
        }
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
            .unwrap_or(rest.len());
        let name = rest.get(..end)?.to_ascii_lowercase();
        self.at += end;
        Some(name)
    }

    fn primary(&mut self) -> Result<Expression, ParseExpressionError> {
        self.skip_space();
        let start = self.at;
        let kind = if self.accept("(") {
            let inner = self.binary(1)?;
            self.expect(")")?;
            // Keep the outer span, so that an edit replaces the parentheses too.
            inner.kind
        } else if self.rest().starts_with('\'') {
            Kind::Text(self.quoted()?)
        } else if self
            .rest()
            .starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
        {
            Kind::Number(self.number()?)
        } else {
            let name = self.name().ok_or_else(|| self.error("expected a value"))?;
            self.skip_space();
            if self.accept("(") {
                Kind::Call(name, self.arguments()?)
            } else {
                match name.as_str() {
                    "null" => Kind::Null,
                    "true" => Kind::Boolean(true),
                    "false" => Kind::Boolean(false),
                    "nan" => Kind::Number(f64::NAN),
                    "infinity" => Kind::Number(f64::INFINITY),
                    _ => Kind::Context(name),
                }
            }
        };
        Ok(Expression {
            span: Span::new(start, self.at),
            kind,
        })
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, ParseExpressionError> {
        let mut arguments = Vec::new();
        if self.accept(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.binary(1)?);
            if self.accept(")") {
                return Ok(arguments);
            }
            self.expect(",")?;
        }
    }

    fn quoted(&mut self) -> Result<String, ParseExpressionError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let Some(quote) = rest.find('\'') else {
                return Err(self.error("the text has no closing quote"));
            };
            text.push_str(rest.get(..quote).unwrap_or_default());
            let doubled = rest
                .get(quote + 1..)
                .is_some_and(|after| after.starts_with('\''));
            self.at += quote + 1;
            if !doubled {
                return Ok(text);
            }
            text.push('\'');
            self.at += 1;
        }
    }

    fn number(&mut self) -> Result<f64, ParseExpressionError> {
        let rest = self.rest();
        let mut end = 0;
        let mut previous = ' ';
        for character in rest.chars() {
            let sign = matches!(character, '-' | '+');
            let goes_on = character.is_ascii_alphanumeric()
                || character == '.'
                || (sign && (end == 0 || matches!(previous, 'e' | 'E')));
            if !goes_on {
                break;
            }
            previous = character;
            end += character.len_utf8();
        }
        let number = coerce::number_of_text(rest.get(..end).unwrap_or_default());
        if end == 0 || number.is_nan() {
            return Err(self.error("expected a number"));
        }
        self.at += end;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_texts() {
        for (text, canonical) in [
            ("a && b || c && d", "a && b || c && d"),
            ("a && (b || c)", "a && (b || c)"),
            ("!(a==b)", "!(a == b)"),
            (
                "! startsWith( GitHub.Ref , 'x' )",
                "!startswith(github.ref, 'x')",
            ),
            (
                "github['event'].pull_request.labels.*.name",
                "github['event'].pull_request.labels.*.name",
            ),
            ("0xff >= -1.5e2", "255 >= -150"),
            ("'it''s' != null", "'it''s' != null"),
            ("a < b == c", "a < b == c"),
            ("a == (b == c)", "a == (b == c)"),
            ("(a == b) == c", "a == b == c"),
            ("a && (b && c)", "a && b && c"),
            ("(a || b).c", "(a || b).c"),
            ("(!a)[0].*", "(!a)[0].*"),
            ("2 .i", "(2).i"),
            ("a.b-c_d[0]", "a.b-c_d[0]"),
            ("fromJSON('[1]')[*]", "fromjson('[1]').*"),
        ] {
            assert_eq!(
                parse(text).map(|e| e.to_string()),
                Ok(canonical.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_expression_is_refused_with_its_place() {
        for (text, at) in [
            ("", 0),
            ("a &&", 4),
            ("a b", 2),
            ("'x", 1),
            ("f(a", 3),
            ("\"x\"", 0),
            ("a.", 2),
        ] {
            assert_eq!(parse(text).unwrap_err().at, at, "{text}");
        }
        assert!(parse(&"(".repeat(5000)).is_err());
        assert!(parse(&format!("a{}", ".b".repeat(5000))).is_err());
        assert!(parse(&"!".repeat(5000)).is_err());
        for (operator, operand) in [("||", "a"), ("&&", "a"), ("==", "1"), ("<", "a.b")] {
            let row = |count| vec![operand; count].join(operator);
            assert!(parse(&row(400)).is_ok(), "{operator}");
            assert!(parse(&row(50_000)).is_err(), "{operator}");
        }
    }

    #[test]
    fn paths_and_status_functions() {
        let expression = parse("steps['meta'].outputs.tags").unwrap();
        assert_eq!(
            expression.path(),
            Some(vec!["steps", "meta", "outputs", "tags"])
        );
        assert!(parse("a && !cancelled()").unwrap().has_status_function());
        assert!(!parse("a && b").unwrap().has_status_function());
    }
}
