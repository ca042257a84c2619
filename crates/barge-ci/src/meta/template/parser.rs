//! From tokens to the syntax tree, by the grammar of `handlebars.yy`.

use super::TemplateError;
use super::ast::{Block, Call, Content, Expression, Path, Program, Statement, Strip};
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

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

/// The head of a block or of `{{else …}}`.
struct Opening {
    call: Call,
    block_parameters: Vec<String>,
    strip: Strip,
}

/// What follows the first program of a block.
struct Alternative {
    program: Program,
    strip: Strip,
}

impl Parser {
    fn kind(&self) -> Kind {
        self.tokens
            .get(self.at)
            .map_or(Kind::End, |token| token.kind)
    }

    fn next_kind(&self) -> Kind {
        self.tokens
            .get(self.at + 1)
            .map_or(Kind::End, |token| token.kind)
    }

    fn error(&self, expected: &str) -> TemplateError {
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

    fn refuse(&self, message: String) -> TemplateError {
        TemplateError::Syntax {
            line: self.tokens.get(self.at).map_or(1, |token| token.line),
            message,
        }
    }

    fn take(&mut self) -> String {
        let text = self
            .tokens
            .get_mut(self.at)
            .map(|token| std::mem::take(&mut token.text));
        self.at += 1;
        text.unwrap_or_default()
    }

    fn expect(&mut self, kind: Kind) -> Result<String, TemplateError> {
        if self.kind() == kind {
            Ok(self.take())
        } else {
            Err(self.error(name_of(kind)))
        }
    }

    fn enter(&mut self) -> Result<(), TemplateError> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            Err(TemplateError::Depth(DEPTH_LIMIT))
        } else {
            Ok(())
        }
    }

    fn program(&mut self) -> Result<Program, TemplateError> {
        self.enter()?;
        let mut program = Program::default();
        while let Some(statement) = self.statement()? {
            program.body.push(statement);
        }
        self.depth -= 1;
        Ok(program)
    }

    fn statement(&mut self) -> Result<Option<Statement>, TemplateError> {
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

    fn mustache(&mut self, close: Kind) -> Result<Statement, TemplateError> {
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

    fn opening(&mut self) -> Result<(String, Opening), TemplateError> {
        let open = self.take();
        let call = self.call()?;
        let mut block_parameters = Vec::new();
        if self.kind() == Kind::OpenParameters {
            self.take();
            block_parameters.push(unbracket(self.expect(Kind::Name)?));
            while self.kind() == Kind::Name {
                block_parameters.push(unbracket(self.take()));
            }
            self.expect(Kind::Bar)?;
        }
        let close = self.expect(Kind::Close)?;
        let strip = strip(&open, &close);
        let opening = Opening {
            call,
            block_parameters,
            strip,
        };
        Ok((open, opening))
    }

    fn block(&mut self) -> Result<Statement, TemplateError> {
        let (open, opening) = self.opening()?;
        let decorator = open.contains('*');
        let mut program = self.program()?;
        program
            .block_parameters
            .clone_from(&opening.block_parameters);
        let alternative = self.alternative()?;
        let close = self.closing(&opening.call)?;
        if decorator {
            if alternative.is_some() {
                return Err(self.refuse("Unexpected inverse block on decorator".into()));
            }
            return Ok(Statement::Decorator {
                strip: opening.strip,
            });
        }
        Ok(Statement::Block(Box::new(build(
            opening,
            program,
            alternative,
            close,
        ))))
    }

    fn inverse_block(&mut self) -> Result<Statement, TemplateError> {
        let (_, opening) = self.opening()?;
        let mut inverse = self.program()?;
        inverse
            .block_parameters
            .clone_from(&opening.block_parameters);
        let alternative = if self.kind() == Kind::Inverse {
            Some(self.inverse()?)
        } else {
            None
        };
        let close = self.closing(&opening.call)?;
        let (program, inverted) =
            alternative.map_or((None, Strip::default()), |a| (Some(a.program), a.strip));
        Ok(Statement::Block(Box::new(Block {
            call: opening.call,
            program,
            inverse: Some(inverse),
            open: opening.strip,
            inverted,
            close,
        })))
    }

    fn alternative(&mut self) -> Result<Option<Alternative>, TemplateError> {
        match self.kind() {
            Kind::Inverse => self.inverse().map(Some),
            Kind::OpenInverseChain => self.chain().map(Some),
            _ => Ok(None),
        }
    }

    fn inverse(&mut self) -> Result<Alternative, TemplateError> {
        let text = self.take();
        Ok(Alternative {
            program: self.program()?,
            strip: strip(&text, &text),
        })
    }

    /// `{{else if …}}` is a block in the place of the inverse, closed by what follows it.
    fn chain(&mut self) -> Result<Alternative, TemplateError> {
        self.enter()?;
        let (_, opening) = self.opening()?;
        let own = opening.strip;
        let mut program = self.program()?;
        program
            .block_parameters
            .clone_from(&opening.block_parameters);
        let alternative = self.alternative()?;
        let close = alternative
            .as_ref()
            .map(|next| next.strip)
            .unwrap_or_default();
        let block = build(opening, program, alternative, close);
        self.depth -= 1;
        Ok(Alternative {
            program: Program {
                body: vec![Statement::Block(Box::new(block))],
                block_parameters: Vec::new(),
                chained: true,
            },
            strip: own,
        })
    }

    fn closing(&mut self, call: &Call) -> Result<Strip, TemplateError> {
        let open = self.expect(Kind::OpenEndBlock)?;
        let name = self.name()?;
        let close = self.expect(Kind::Close)?;
        let (opened, closed) = (original(&call.path), original(&name));
        if opened != closed {
            return Err(self.refuse(format!("{opened} doesn't match {closed}")));
        }
        Ok(strip(&open, &close))
    }

    fn raw_block(&mut self) -> Result<Statement, TemplateError> {
        self.take();
        let call = self.call()?;
        self.expect(Kind::CloseRawBlock)?;
        let mut program = Program::default();
        while self.kind() == Kind::Content {
            program
                .body
                .push(Statement::Content(Content::new(self.take())));
        }
        let close = self.expect(Kind::EndRawBlock)?;
        let opened = original(&call.path);
        if opened != close {
            return Err(self.refuse(format!("{opened} doesn't match {close}")));
        }
        Ok(Statement::Block(Box::new(Block {
            call,
            program: Some(program),
            inverse: None,
            open: Strip::default(),
            inverted: Strip::default(),
            close: Strip::default(),
        })))
    }

    fn partial(&mut self) -> Result<Statement, TemplateError> {
        let open = self.take();
        let call = self.partial_call()?;
        let close = self.expect(Kind::Close)?;
        Ok(Statement::Partial {
            name: original(&call.path),
            strip: strip(&open, &close),
        })
    }

    fn partial_block(&mut self) -> Result<Statement, TemplateError> {
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

    fn partial_call(&mut self) -> Result<Call, TemplateError> {
        let path = if self.kind() == Kind::OpenExpression {
            self.expression()?
        } else {
            self.name()?
        };
        self.arguments(path)
    }

    fn call(&mut self) -> Result<Call, TemplateError> {
        let path = self.name()?;
        self.arguments(path)
    }

    fn arguments(&mut self, path: Expression) -> Result<Call, TemplateError> {
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

    fn parameter(&mut self) -> Result<Expression, TemplateError> {
        if self.kind() == Kind::OpenExpression {
            self.expression()
        } else {
            self.name()
        }
    }

    fn expression(&mut self) -> Result<Expression, TemplateError> {
        self.enter()?;
        self.take();
        let call = self.call()?;
        self.expect(Kind::CloseExpression)?;
        self.depth -= 1;
        Ok(Expression::Call(Box::new(call)))
    }

    /// `helperName`: a path, a data variable or a literal.
    fn name(&mut self) -> Result<Expression, TemplateError> {
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

    fn path(&mut self, data: bool) -> Result<Path, TemplateError> {
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

fn build(
    opening: Opening,
    program: Program,
    alternative: Option<Alternative>,
    close: Strip,
) -> Block {
    let (inverse, inverted) = match alternative {
        Some(Alternative { mut program, strip }) => {
            // A chained block ends where the whole block ends.
            if let (true, Some(Statement::Block(inner))) =
                (program.chained, program.body.first_mut())
            {
                inner.close = close;
            }
            (Some(program), strip)
        }
        None => (None, Strip::default()),
    };
    Block {
        call: opening.call,
        program: Some(program),
        inverse,
        open: opening.strip,
        inverted,
        close,
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

fn strip(open: &str, close: &str) -> Strip {
    Strip {
        open: open.as_bytes().get(2) == Some(&b'~'),
        close: close
            .len()
            .checked_sub(3)
            .and_then(|at| close.as_bytes().get(at))
            == Some(&b'~'),
    }
}

fn unbracket(text: String) -> String {
    match text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(inner) => inner.to_owned(),
        None => text,
    }
}

/// How a block's name is compared with that of its end.
fn original(path: &Expression) -> String {
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
