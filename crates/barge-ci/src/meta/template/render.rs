//! Renders a parsed template with a context.

use std::rc::Rc;

use super::TemplateError;
use super::ast::{Block, Call, Expression, Path, Program, Statement};
use super::helper::Helper;
use super::parser::parse;
use super::value::{Arguments, Value};
use super::whitespace::control;

/// How templates behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// As Handlebars: values are HTML-escaped, and the text `false` is true.
    Compat,
    /// Values are not escaped, `false` is false, and `eq`, `ne`, `not`, `and`, `or` are known.
    Strict,
}

/// A template that has been parsed.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    program: Program,
    /// What the first statement is, before white space control.
    raw_statement: bool,
}

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut program = parse(text)?;
        let raw_statement = match program.body.as_slice() {
            [Statement::Mustache { call, .. }] => {
                matches!(&call.path, Expression::Path(path) if path.parts == ["raw"])
            }
            _ => false,
        };
        control(&mut program);
        Ok(Self {
            program,
            raw_statement,
        })
    }

    /// Whether the template is one tag that names `raw`.
    pub(crate) fn is_raw_statement(&self) -> bool {
        self.raw_statement
    }

    pub(crate) fn render(
        &self,
        context: &Value<'_>,
        dialect: Dialect,
    ) -> Result<String, TemplateError> {
        let renderer = Renderer { dialect };
        let frame = Frame::root(context.clone());
        let mut text = String::new();
        renderer.program(&self.program, &frame, &mut text)?;
        Ok(text)
    }
}

/// Parses and renders in one go; a text without tags is its own result.
pub(crate) fn render(
    text: &str,
    context: &Value<'_>,
    dialect: Dialect,
) -> Result<String, TemplateError> {
    if text.contains("{{") {
        Template::parse(text)?.render(context, dialect)
    } else {
        Ok(text.to_owned())
    }
}

pub(super) struct Renderer {
    dialect: Dialect,
}

/// The two programs of a block.
#[derive(Clone, Copy)]
pub(super) struct Blocks<'p> {
    pub(super) program: Option<&'p Program>,
    pub(super) inverse: Option<&'p Program>,
}

/// Where a program runs: its context, the contexts around it, data variables and block parameters.
#[derive(Clone)]
pub(super) struct Frame<'c> {
    context: Value<'c>,
    /// Contexts from the inside out; one that equals its neighbour is not pushed again.
    depths: Rc<Depths<'c>>,
    data: Rc<Data<'c>>,
    scope: Option<Rc<Scope<'c>>>,
}

struct Depths<'c> {
    context: Value<'c>,
    outer: Option<Rc<Self>>,
}

struct Data<'c> {
    variables: Vec<(&'static str, Value<'c>)>,
    outer: Option<Rc<Self>>,
}

struct Scope<'c> {
    names: Vec<String>,
    /// What the helper passed; `if` passes nothing.
    values: Option<Vec<Value<'c>>>,
    outer: Option<Rc<Self>>,
}

impl<'c> Frame<'c> {
    fn root(context: Value<'c>) -> Self {
        Self {
            depths: Rc::new(Depths {
                context: context.clone(),
                outer: None,
            }),
            data: Rc::new(Data {
                variables: vec![("root", context.clone())],
                outer: None,
            }),
            context,
            scope: None,
        }
    }

    pub(super) fn enter(&self, context: Value<'c>) -> Self {
        let depths = if context.loosely_equals(&self.depths.context) {
            Rc::clone(&self.depths)
        } else {
            Rc::new(Depths {
                context: context.clone(),
                outer: Some(Rc::clone(&self.depths)),
            })
        };
        Self {
            context,
            depths,
            ..self.clone()
        }
    }

    fn context_at(&self, depth: usize) -> Value<'c> {
        if depth == 0 {
            return self.context.clone();
        }
        let mut depths = Some(&self.depths);
        for _ in 0..depth {
            depths = depths.and_then(|inner| inner.outer.as_ref());
        }
        depths.map_or(Value::Undefined, |found| found.context.clone())
    }

    fn data_at(&self, depth: usize, path: &Path) -> Value<'c> {
        let mut data = Some(&self.data);
        for _ in 0..depth {
            data = data.and_then(|inner| inner.outer.as_ref());
        }
        let Some(data) = data else {
            return Value::Undefined;
        };
        let first = data
            .variables
            .iter()
            .find(|(name, _)| *name == path.first());
        let mut value = first.map_or(Value::Undefined, |(_, value)| value.clone());
        for part in path.parts.iter().skip(1) {
            if value.is_truthy() {
                value = value.property(part);
            }
        }
        value
    }

    /// The block parameter of that name: its scope and position.
    fn parameter(&self, name: &str) -> Option<(&Scope<'c>, usize)> {
        let mut scope = self.scope.as_deref();
        while let Some(inner) = scope {
            if let Some(at) = inner.names.iter().position(|known| known == name) {
                return Some((inner, at));
            }
            scope = inner.outer.as_deref();
        }
        None
    }
}

impl Renderer {
    fn program<'c>(
        &self,
        program: &Program,
        frame: &Frame<'c>,
        text: &mut String,
    ) -> Result<(), TemplateError> {
        for statement in &program.body {
            match statement {
                Statement::Content(content) => text.push_str(&content.value),
                Statement::Comment { .. } => {}
                Statement::Mustache { call, escaped, .. } => {
                    let rendered = self.call(call, frame, None)?.render()?;
                    if *escaped && self.dialect == Dialect::Compat {
                        escape(&rendered, text);
                    } else {
                        text.push_str(&rendered);
                    }
                }
                Statement::Block(block) => {
                    text.push_str(&self.block_statement(block, frame)?.render()?);
                }
                Statement::Partial { name, .. } => {
                    return Err(TemplateError::MissingPartial(name.clone()));
                }
                Statement::Decorator { .. } => {
                    return Err(TemplateError::Type("decorators are not supported".into()));
                }
            }
        }
        Ok(())
    }

    /// Runs one program of a block with what the helper gives it.
    pub(super) fn block<'c>(
        &self,
        program: Option<&Program>,
        frame: &Frame<'c>,
        parameters: Option<Vec<Value<'c>>>,
        variables: Option<Vec<(&'static str, Value<'c>)>>,
    ) -> Result<Value<'c>, TemplateError> {
        let Some(program) = program else {
            return Ok(Value::text(""));
        };
        let mut inner = frame.clone();
        if let Some(mut variables) = variables {
            // A new frame starts as a copy of the one around it.
            let kept = frame
                .data
                .variables
                .iter()
                .filter(|(name, _)| variables.iter().all(|(new, _)| new != name));
            let kept: Vec<_> = kept.cloned().collect();
            variables.extend(kept);
            inner.data = Rc::new(Data {
                variables,
                outer: Some(Rc::clone(&frame.data)),
            });
        }
        inner.scope = Some(Rc::new(Scope {
            names: program.block_parameters.clone(),
            values: parameters,
            outer: frame.scope.clone(),
        }));
        let mut text = String::new();
        self.program(program, &inner, &mut text)?;
        Ok(Value::text(text))
    }

    fn block_statement<'c>(
        &self,
        block: &Block,
        frame: &Frame<'c>,
    ) -> Result<Value<'c>, TemplateError> {
        let blocks = Blocks {
            program: block.program.as_ref(),
            inverse: block.inverse.as_ref(),
        };
        let path = block.call.target();
        if self.is_helper(&block.call, &path, frame) {
            return self.call(&block.call, frame, Some(blocks));
        }
        // A plain value decides by what it is: a list repeats, another value becomes the context.
        match self.call(&block.call, frame, Some(blocks))? {
            Value::Boolean(true) => self.block(blocks.program, frame, None, None),
            Value::Boolean(false) | Value::Undefined | Value::Null => {
                self.block(blocks.inverse, frame, None, None)
            }
            list @ Value::List(_) => self.each(&list, frame, blocks),
            value => self.block(blocks.program, &frame.enter(value), None, None),
        }
    }

    /// Whether a call is one of a helper: it has arguments, or its name is a built-in helper's.
    fn is_helper(&self, call: &Call, path: &Path, frame: &Frame<'_>) -> bool {
        let parameter = path.is_simple() && frame.parameter(path.first()).is_some();
        !parameter && (call.has_arguments() || path.is_simple() && self.helper(path).is_some())
    }

    fn helper(&self, path: &Path) -> Option<Helper> {
        Helper::find(path.first(), self.dialect == Dialect::Strict)
    }

    fn call<'c>(
        &self,
        call: &Call,
        frame: &Frame<'c>,
        blocks: Option<Blocks<'_>>,
    ) -> Result<Value<'c>, TemplateError> {
        let path = call.target();
        if self.is_helper(call, &path, frame) {
            return self.call_helper(call, &path, frame, blocks);
        }
        let value = self.path(&path, frame)?;
        let Value::Function(function) = value else {
            return Ok(value);
        };
        let parameter = frame.parameter(path.first()).is_some();
        function.call(&Arguments {
            this: frame.context.clone(),
            positional: Vec::new(),
            // Only a plain name may turn out to be a helper and gets the options of one.
            hash: (path.is_simple() && !parameter).then(Vec::new),
        })
    }

    fn call_helper<'c>(
        &self,
        call: &Call,
        path: &Path,
        frame: &Frame<'c>,
        blocks: Option<Blocks<'_>>,
    ) -> Result<Value<'c>, TemplateError> {
        let positional = call
            .parameters
            .iter()
            .map(|value| self.expression(value, frame))
            .collect::<Result<_, _>>()?;
        let arguments = Arguments {
            this: frame.context.clone(),
            positional,
            hash: Some(self.hash(call, frame)?),
        };
        if let Some(helper) = self.helper(path) {
            return self.help(helper, frame, &arguments, blocks);
        }
        match self.path(path, frame)? {
            Value::Function(function) => function.call(&arguments),
            value if value.is_truthy() => Err(TemplateError::Type(format!(
                "{} is not a function",
                path.original
            ))),
            _ if arguments.positional.is_empty() => Ok(Value::Undefined),
            _ => Err(TemplateError::MissingHelper(path.original.clone())),
        }
    }

    /// The hash as the compiled template builds it: from the last pair to the first, so that the first of two wins.
    fn hash<'c>(
        &self,
        call: &Call,
        frame: &Frame<'c>,
    ) -> Result<Vec<(String, Value<'c>)>, TemplateError> {
        let mut values: Vec<(String, Value<'c>)> = Vec::new();
        for (key, value) in call.hash.iter().flatten().rev() {
            let value = self.expression(value, frame)?;
            match values.iter_mut().find(|(known, _)| known == key) {
                Some(entry) => entry.1 = value,
                None => values.push((key.clone(), value)),
            }
        }
        Ok(values)
    }

    fn expression<'c>(
        &self,
        expression: &Expression,
        frame: &Frame<'c>,
    ) -> Result<Value<'c>, TemplateError> {
        Ok(match expression {
            Expression::Path(path) => self.path(path, frame)?,
            Expression::Text(text) => Value::text(text),
            Expression::Number(value) => Value::Number(*value),
            Expression::Boolean(value) => Value::Boolean(*value),
            Expression::Undefined => Value::Undefined,
            Expression::Null => Value::Null,
            Expression::Call(call) => self.call_expression(call, frame)?,
        })
    }

    /// A call in parentheses is always one of a helper.
    fn call_expression<'c>(
        &self,
        call: &Call,
        frame: &Frame<'c>,
    ) -> Result<Value<'c>, TemplateError> {
        let path = call.target();
        if path.is_simple() && frame.parameter(path.first()).is_some() {
            return self.call(call, frame, None);
        }
        self.call_helper(call, &path, frame, None)
    }

    fn path<'c>(&self, path: &Path, frame: &Frame<'c>) -> Result<Value<'c>, TemplateError> {
        if path.depth == 0
            && !path.is_scoped()
            && let Some((scope, at)) = frame.parameter(path.first())
        {
            let values = scope.values.as_ref();
            let values = values.ok_or_else(|| {
                TemplateError::Type(format!("nothing is passed for {}", path.first()))
            })?;
            let value = values.get(at).cloned().unwrap_or(Value::Undefined);
            return Ok(descend(value, path.parts.get(1..).unwrap_or_default()));
        }
        if path.parts.is_empty() {
            return Ok(frame.context_at(path.depth));
        }
        if path.data {
            return Ok(frame.data_at(path.depth, path));
        }
        Ok(descend(frame.context_at(path.depth), &path.parts))
    }

    /// The value itself, or what it gives when it is a function.
    pub(super) fn resolve<'c>(
        &self,
        value: &Value<'c>,
        frame: &Frame<'c>,
    ) -> Result<Value<'c>, TemplateError> {
        match value {
            Value::Function(function) => function.call(&Arguments {
                this: frame.context.clone(),
                positional: Vec::new(),
                hash: None,
            }),
            Value::Text(text) if self.dialect == Dialect::Strict && &**text == "false" => {
                Ok(Value::Boolean(false))
            }
            other => Ok(other.clone()),
        }
    }
}

fn descend<'c>(value: Value<'c>, parts: &[String]) -> Value<'c> {
    parts.iter().fold(value, |value, part| {
        if value.is_nullish() {
            value
        } else {
            value.property(part)
        }
    })
}

/// Escapes the seven characters that Handlebars holds dangerous in HTML.
fn escape(rendered: &str, text: &mut String) {
    for c in rendered.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#x27;"),
            '`' => text.push_str("&#x60;"),
            '=' => text.push_str("&#x3D;"),
            other => text.push(other),
        }
    }
}
