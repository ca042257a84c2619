//! The helpers that every template knows.

use super::TemplateError;
use super::render::{Blocks, Frame, Renderer};
use super::value::{Arguments, Value};

/// The built-in helpers of Handlebars, and the comparisons that only the strict dialect has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Helper {
    Each,
    If,
    Unless,
    With,
    Log,
    Lookup,
    /// `helperMissing` and `blockHelperMissing`, which may not be called by name.
    Hook,
    Equals,
    Differs,
    Not,
    And,
    Or,
}

impl Helper {
    pub(super) fn find(name: &str, strict: bool) -> Option<Self> {
        Some(match name {
            "each" => Self::Each,
            "if" => Self::If,
            "unless" => Self::Unless,
            "with" => Self::With,
            "log" => Self::Log,
            "lookup" => Self::Lookup,
            "helperMissing" | "blockHelperMissing" => Self::Hook,
            "eq" if strict => Self::Equals,
            "ne" if strict => Self::Differs,
            "not" if strict => Self::Not,
            "and" if strict => Self::And,
            "or" if strict => Self::Or,
            _ => return None,
        })
    }
}

impl Renderer {
    /// Runs a helper; `blocks` is nothing for a tag that is no block.
    pub(super) fn help<'c>(
        &self,
        helper: Helper,
        frame: &Frame<'c>,
        arguments: &Arguments<'c>,
        blocks: Option<Blocks<'_>>,
    ) -> Result<Value<'c>, TemplateError> {
        let values = arguments.positional.as_slice();
        let block = |name| blocks.ok_or_else(|| not_a_block(name));
        match helper {
            Helper::If => self.choose(true, frame, arguments, blocks),
            Helper::Unless => self.choose(false, frame, arguments, blocks),
            Helper::With => self.with(frame, single("#with", values)?, block("#with")?),
            Helper::Each => {
                let items = self.resolve(single("#each", values)?, frame)?;
                self.each(&items, frame, block("#each")?)
            }
            Helper::Log => Ok(Value::Undefined),
            Helper::Lookup => lookup(values),
            Helper::Hook => Err(TemplateError::Type(
                "helpers.helperMissing is not a function".into(),
            )),
            Helper::Equals => Ok(Value::Boolean(self.is_same(values, frame)?)),
            Helper::Differs => Ok(Value::Boolean(!self.is_same(values, frame)?)),
            Helper::Not => {
                let value = single("not", values)?;
                Ok(Value::Boolean(!self.is_true(value, frame)?))
            }
            Helper::And => Ok(Value::Boolean(
                self.count_true(values, frame)? == values.len(),
            )),
            Helper::Or => Ok(Value::Boolean(self.count_true(values, frame)? > 0)),
        }
    }

    /// `#if`, and `#unless` for what does not hold.
    fn choose<'c>(
        &self,
        wanted: bool,
        frame: &Frame<'c>,
        arguments: &Arguments<'c>,
        blocks: Option<Blocks<'_>>,
    ) -> Result<Value<'c>, TemplateError> {
        let name = if wanted { "#if" } else { "#unless" };
        let condition = self.resolve(single(name, &arguments.positional)?, frame)?;
        let mut options = arguments.hash.iter().flatten();
        let zero = options.any(|(key, value)| key == "includeZero" && value.is_truthy());
        let holds = !condition.is_empty() && (zero || condition.is_truthy());
        let blocks = blocks.ok_or_else(|| not_a_block(name))?;
        let chosen = if holds == wanted {
            blocks.program
        } else {
            blocks.inverse
        };
        self.block(chosen, frame, None, None)
    }

    fn with<'c>(
        &self,
        frame: &Frame<'c>,
        value: &Value<'c>,
        blocks: Blocks<'_>,
    ) -> Result<Value<'c>, TemplateError> {
        let context = self.resolve(value, frame)?;
        if context.is_empty() {
            return self.block(blocks.inverse, frame, None, None);
        }
        let parameters = Some(vec![context.clone()]);
        self.block(blocks.program, &frame.enter(context), parameters, None)
    }

    fn is_same<'c>(&self, values: &[Value<'c>], frame: &Frame<'c>) -> Result<bool, TemplateError> {
        let [left, right] = values else {
            let reason = "eq and ne compare two values".into();
            return Err(TemplateError::Function(reason));
        };
        Ok(self.resolve(left, frame)?.render()? == self.resolve(right, frame)?.render()?)
    }

    /// How many of the values are true. All are asked: one that cannot be is an error wherever it stands.
    fn count_true<'c>(
        &self,
        values: &[Value<'c>],
        frame: &Frame<'c>,
    ) -> Result<usize, TemplateError> {
        let each = values.iter().map(|value| self.is_true(value, frame));
        each.map(|holds| holds.map(usize::from)).sum()
    }

    /// In the strict dialect the text `false` is false, since expressions give texts.
    fn is_true<'c>(&self, value: &Value<'c>, frame: &Frame<'c>) -> Result<bool, TemplateError> {
        let value = self.resolve(value, frame)?;
        Ok(value.is_truthy() && !matches!(&value, Value::Text(text) if &**text == "false"))
    }

    pub(super) fn each<'c>(
        &self,
        items: &Value<'c>,
        frame: &Frame<'c>,
        blocks: Blocks<'_>,
    ) -> Result<Value<'c>, TemplateError> {
        let entries: Vec<(Value<'c>, Value<'c>)> = match items {
            Value::List(items) => items
                .iter()
                .enumerate()
                .map(|(at, item)| (Value::Number(at as f64), item.clone()))
                .collect(),
            Value::Object(members) => members
                .iter()
                .map(|(key, value)| (Value::text(key), value.clone()))
                .collect(),
            _ => Vec::new(),
        };
        if entries.is_empty() {
            return self.block(blocks.inverse, frame, None, None);
        }
        let mut text = String::new();
        let count = entries.len();
        for (at, (key, item)) in entries.into_iter().enumerate() {
            let variables = vec![
                ("key", key.clone()),
                ("index", Value::Number(at as f64)),
                ("first", Value::Boolean(at == 0)),
                ("last", Value::Boolean(at + 1 == count)),
            ];
            let parameters = vec![item.clone(), key];
            let inner = frame.enter(item);
            text.push_str(
                &self
                    .block(blocks.program, &inner, Some(parameters), Some(variables))?
                    .render()?,
            );
        }
        Ok(Value::text(text))
    }
}

fn single<'v, 'c>(name: &str, positional: &'v [Value<'c>]) -> Result<&'v Value<'c>, TemplateError> {
    match positional {
        [value] => Ok(value),
        _ => Err(TemplateError::Type(format!(
            "{name} requires exactly one argument"
        ))),
    }
}

fn not_a_block(name: &str) -> TemplateError {
    TemplateError::Type(format!("{name} is a block: write {{{{{name} …}}}}"))
}

fn lookup<'c>(positional: &[Value<'c>]) -> Result<Value<'c>, TemplateError> {
    match positional {
        [object, ..] if !object.is_truthy() => Ok(object.clone()),
        [object, key] => Ok(object.property(&key.key()?)),
        _ => Err(TemplateError::Type(
            "lookup requires an object and a key".into(),
        )),
    }
}
