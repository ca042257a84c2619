//! From tokens to the syntax tree, by the grammar of `handlebars.yy`.

use super::TemplateError;
use super::ast::{Call, Content, Expression, Path, Program, Statement, Strip};
use super::lexer::{Kind, Token, tokens};
use crate::meta::ecmascript::number;

/// Deeper templates are refused rather than risking the stack.
pub(super) const DEPTH_LIMIT: usize = 64;

pub(super) fn parse(text: &str) -> Result<Program, TemplateError> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
    };
    let program = parser.program()?;
    parser.expect(Kind::End)?;
    Ok(program)
}

pub(super) struct Parser {
    tokens: Vec<Token>,
    at: usize,
    pub(super) depth: usize,
}

impl Parser {
    pub(super) fn kind(&self) -> Kind {
        self.tokens
            .get(self.at)
            .map_or(Kind::End, |token| token.kind)
    }

    pub(super) fn next_kind(&self) -> Kind {
        self.tokens
            .get(self.at + 1)
            .map_or(Kind::End, |token| token.kind)
    }

    pub(super) fn error(&self, expected: &str) -> TemplateError {
        let token = self.tokens.get(self.at);
        let found = match token {
            Some(token) if token.kind != Kind::End => format!("`{}`", token.text),
            _ => "the end".to_owned(),
        };
        TemplateError::Syntax {
            line: token.map_or(1, |token| token.line),
            message: format!("expected {expected}, found {found}"),
        }
    }

    pub(super) fn refuse(&self, message: String) -> TemplateError {
        TemplateError::Syntax {
            line: self.tokens.get(self.at).map_or(1, |token| token.line),
            message,
        }
    }

    pub(super) fn take(&mut self) -> String {
        let text = self
            .tokens
            .get_mut(self.at)
            .map(|token| std::mem::take(&mut token.text));
        self.at += 1;
        text.unwrap_or_default()
    }

    pub(super) fn expect(&mut self, kind: Kind) -> Result<String, TemplateError> {
        if self.kind() == kind {
            Ok(self.take())
        } else {
            Err(self.error(name_of(kind)))
        }
    }

    pub(super) fn enter(&mut self) -> Result<(), TemplateError> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            Err(TemplateError::Depth(DEPTH_LIMIT))
        } else {
            Ok(())
        }
    }

    pub(super) fn program(&mut self) -> Result<Program, TemplateError> {
        self.enter()?;
        let mut program = Program::default();
        while let Some(statement) = self.statement()? {
            program.body.push(statement);
        }
        self.depth -= 1;
        Ok(program)
    }

    pub(super) fn statement(&mut self) -> Result<Option<Statement>, TemplateError> {
        Ok(Some(match self.kind() {
            Kind::Content => Statement::Content(Content::new(self.take())),
            Kind::Comment => {
                let text = self.take();
                Statement::Comment {
                    strip: strip(&text, &text),
                }
            }
            Kind::Open => self.mustache(Kind::Close)?,
            Kind::OpenUnescaped => self.mustache(Kind::CloseUnescaped)?,
            Kind::OpenBlock => self.block()?,
            Kind::OpenInverse => self.inverse_block()?,
            Kind::OpenRawBlock => self.raw_block()?,
            Kind::OpenPartial => self.partial()?,
            Kind::OpenPartialBlock => self.partial_block()?,
            _ => return Ok(None),
        }))
    }

    pub(super) fn mustache(&mut self, close: Kind) -> Result<Statement, TemplateError> {
        let open = self.take();
        let call = self.call()?;
        let close = self.expect(close)?;
        let strip = strip(&open, &close);
        if open.contains('*') {
            return Ok(Statement::Decorator { strip });
        }
        let flag = open.chars().nth(3).or(open.chars().nth(2));
        Ok(Statement::Mustache {
            call,
            escaped: !matches!(flag, Some('{' | '&')),
            strip,
        })
    }

    pub(super) fn partial(&mut self) -> Result<Statement, TemplateError> {
        let open = self.take();
        let call = self.partial_call()?;
        let close = self.expect(Kind::Close)?;
        Ok(Statement::Partial {
            name: original(&call.path),
            strip: strip(&open, &close),
        })
    }

    pub(super) fn partial_block(&mut self) -> Result<Statement, TemplateError> {
        let open = self.take();
        let call = self.partial_call()?;
        let close = self.expect(Kind::Close)?;
        self.program()?;
        self.closing(&call)?;
        Ok(Statement::Partial {
            name: original(&call.path),
            strip: strip(&open, &close),
        })
    }

    pub(super) fn partial_call(&mut self) -> Result<Call, TemplateError> {
        let path = if self.kind() == Kind::OpenExpression {
            self.expression()?
        } else {
            self.name()?
        };
        self.arguments(path)
    }

    pub(super) fn call(&mut self) -> Result<Call, TemplateError> {
        let path = self.name()?;
        self.arguments(path)
    }

    pub(super) fn arguments(&mut self, path: Expression) -> Result<Call, TemplateError> {
        let mut parameters = Vec::new();
        let mut hash = None;
        loop {
            match self.kind() {
                Kind::Name if self.next_kind() == Kind::Equals => {
                    let key = unbracket(self.take());
                    self.take();
                    let value = self.parameter()?;
                    hash.get_or_insert_with(Vec::new).push((key, value));
                }
                kind if hash.is_none() && starts_parameter(kind) => {
                    parameters.push(self.parameter()?);
                }
                _ => break,
            }
        }
        Ok(Call {
            path,
            parameters,
            hash,
        })
    }

    pub(super) fn parameter(&mut self) -> Result<Expression, TemplateError> {
        if self.kind() == Kind::OpenExpression {
            self.expression()
        } else {
            self.name()
        }
    }

    pub(super) fn expression(&mut self) -> Result<Expression, TemplateError> {
        self.enter()?;
        self.take();
        let call = self.call()?;
        self.expect(Kind::CloseExpression)?;
        self.depth -= 1;
        Ok(Expression::Call(Box::new(call)))
    }

    /// `helperName`: a path, a data variable or a literal.
    pub(super) fn name(&mut self) -> Result<Expression, TemplateError> {
        Ok(match self.kind() {
            Kind::Text => Expression::Text(self.take()),
            Kind::Number => Expression::Number(number(&self.take())),
            Kind::Boolean => Expression::Boolean(self.take() == "true"),
            Kind::Undefined => {
                self.take();
                Expression::Undefined
            }
            Kind::Null => {
                self.take();
                Expression::Null
            }
            Kind::Data => {
                self.take();
                Expression::Path(self.path(true)?)
            }
            Kind::Name => Expression::Path(self.path(false)?),
            _ => return Err(self.error("a name, a text, a number or a literal")),
        })
    }

    pub(super) fn path(&mut self, data: bool) -> Result<Path, TemplateError> {
        let mut path = Path {
            data,
            depth: 0,
            parts: Vec::new(),
            original: if data { "@".into() } else { String::new() },
        };
        let mut separator = String::new();
        loop {
            let text = self.expect(Kind::Name)?;
            let part = unbracket(text.clone());
            path.original.push_str(&separator);
            path.original.push_str(&part);
            // In brackets, `..`, `.` and `this` are plain names.
            if text == part && matches!(part.as_str(), ".." | "." | "this") {
                if !path.parts.is_empty() {
                    return Err(self.refuse(format!("Invalid path: {}", path.original)));
                }
                path.depth += usize::from(part == "..");
            } else {
                path.parts.push(part);
            }
            if self.kind() != Kind::Separator {
                return Ok(path);
            }
            separator = self.take();
        }
    }
}

fn starts_parameter(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Name
            | Kind::Text
            | Kind::Number
            | Kind::Boolean
            | Kind::Undefined
            | Kind::Null
            | Kind::Data
            | Kind::OpenExpression
    )
}

pub(super) fn strip(open: &str, close: &str) -> Strip {
    Strip {
        open: open.as_bytes().get(2) == Some(&b'~'),
        close: close
            .len()
            .checked_sub(3)
            .and_then(|at| close.as_bytes().get(at))
            == Some(&b'~'),
    }
}

pub(super) fn unbracket(text: String) -> String {
    match text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(inner) => inner.to_owned(),
        None => text,
    }
}

/// How a block's name is compared with that of its end.
pub(super) fn original(path: &Expression) -> String {
    match path {
        Expression::Path(path) => path.original.clone(),
        Expression::Text(text) => text.clone(),
        Expression::Number(value) => crate::meta::ecmascript::number_text(*value),
        Expression::Boolean(value) => value.to_string(),
        Expression::Null => "null".into(),
        Expression::Undefined | Expression::Call(_) => "undefined".into(),
    }
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Close => "`}}`",
        Kind::CloseUnescaped => "`}}}`",
        Kind::CloseRawBlock => "`}}}}`",
        Kind::EndRawBlock => "the end of the raw block",
        Kind::OpenEndBlock => "`{{/`",
        Kind::CloseExpression => "`)`",
        Kind::Bar => "`|`",
        Kind::End => "the end",
        _ => "a name",
    }
}
