//! Blocks: their heads, their alternatives, and their ends.

use super::TemplateError;
use super::ast::{Block, Call, Content, Program, Statement, Strip};
use super::lexer::Kind;
use super::parser::{Parser, original, strip, unbracket};

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

    pub(super) fn block(&mut self) -> Result<Statement, TemplateError> {
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

    pub(super) fn inverse_block(&mut self) -> Result<Statement, TemplateError> {
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

    pub(super) fn closing(&mut self, call: &Call) -> Result<Strip, TemplateError> {
        let open = self.expect(Kind::OpenEndBlock)?;
        let name = self.name()?;
        let close = self.expect(Kind::Close)?;
        let (opened, closed) = (original(&call.path), original(&name));
        if opened != closed {
            return Err(self.refuse(format!("{opened} doesn't match {closed}")));
        }
        Ok(strip(&open, &close))
    }

    pub(super) fn raw_block(&mut self) -> Result<Statement, TemplateError> {
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
