//! JavaScript values as far as templates see them.

use std::fmt;
use std::rc::Rc;

use super::TemplateError;
use crate::meta::ecmascript::{length, number, number_text};

#[derive(Debug, Clone)]
pub(crate) enum Value<'c> {
    Undefined,
    Null,
    Boolean(bool),
    Number(f64),
    Text(Rc<str>),
    List(Rc<[Self]>),
    Object(Rc<[(&'c str, Self)]>),
    Function(Function<'c>),
}

/// A function in a context: called without arguments when it is merely named.
#[derive(Clone)]
pub(crate) struct Function<'c> {
    pub(crate) name: &'static str,
    pub(crate) arity: u8,
    pub(crate) body: Rc<Body<'c>>,
}

type Body<'c> = dyn Fn(&Arguments<'c>) -> Result<Value<'c>, TemplateError> + 'c;

/// What a function is called with.
#[derive(Debug)]
pub(crate) struct Arguments<'c> {
    /// The context of the call.
    pub(crate) this: Value<'c>,
    /// Parameters in order.
    pub(crate) positional: Vec<Value<'c>>,
    /// Hash parameters in the order in which JavaScript would list them; `None` when no options object was passed.
    pub(crate) hash: Option<Vec<(String, Value<'c>)>>,
}

impl fmt::Debug for Function<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "function {}/{}", self.name, self.arity)
    }
}

impl<'c> Value<'c> {
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Rc::from(text.as_ref()))
    }

    pub(crate) fn function(
        name: &'static str,
        arity: u8,
        body: impl Fn(&Arguments<'c>) -> Result<Self, TemplateError> + 'c,
    ) -> Self {
        Self::Function(Function {
            name,
            arity,
            body: Rc::new(body),
        })
    }

    pub(super) fn is_nullish(&self) -> bool {
        matches!(self, Self::Undefined | Self::Null)
    }

    pub(crate) fn is_truthy(&self) -> bool {
        match self {
            Self::Undefined | Self::Null => false,
            Self::Boolean(value) => *value,
            Self::Number(value) => *value != 0.0 && !value.is_nan(),
            Self::Text(text) => !text.is_empty(),
            Self::List(_) | Self::Object(_) | Self::Function(_) => true,
        }
    }

    /// Handlebars' notion of empty: falsy but not 0, or a list without items.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Number(value) => value.is_nan(),
            Self::List(items) => items.is_empty(),
            other => !other.is_truthy(),
        }
    }

    /// An own property; anything inherited is out of reach.
    pub(crate) fn property(&self, name: &str) -> Self {
        let index = || {
            name.parse::<usize>()
                .ok()
                .filter(|index| index.to_string() == name)
        };
        let size = |size: usize| Self::Number(size as f64);
        match self {
            Self::Object(members) => members
                .iter()
                .find(|(key, _)| *key == name)
                .map_or(Self::Undefined, |(_, value)| value.clone()),
            Self::List(items) if name == "length" => size(items.len()),
            Self::List(items) => index()
                .and_then(|at| items.get(at))
                .cloned()
                .unwrap_or(Self::Undefined),
            Self::Text(text) if name == "length" => size(length(text)),
            Self::Text(text) => index()
                .and_then(|at| text.encode_utf16().nth(at))
                .map_or(Self::Undefined, |unit| {
                    Self::text(String::from_utf16_lossy(&[unit]))
                }),
            Self::Function(function) if name == "length" => size(usize::from(function.arity)),
            Self::Function(function) if name == "name" => Self::text(function.name),
            _ => Self::Undefined,
        }
    }

    /// The value as JavaScript turns it into text; nothing for `null` and `undefined`.
    pub(super) fn render(&self) -> Result<String, TemplateError> {
        Ok(match self {
            Self::Undefined | Self::Null => String::new(),
            Self::Boolean(value) => value.to_string(),
            Self::Number(value) => number_text(*value),
            Self::Text(text) => text.to_string(),
            Self::List(items) => items
                .iter()
                .map(Self::render)
                .collect::<Result<Vec<_>, _>>()?
                .join(","),
            Self::Object(_) => "[object Object]".to_owned(),
            // JavaScript prints the source of the function, which no tag can want; native ones look like this.
            Self::Function(function) => format!("function {}() {{ [native code] }}", function.name),
        })
    }

    /// The text as which a value names a property.
    pub(super) fn key(&self) -> Result<String, TemplateError> {
        match self {
            Self::Undefined => Ok("undefined".into()),
            Self::Null => Ok("null".into()),
            other => other.render(),
        }
    }

    /// `==`, as far as contexts are compared with it.
    pub(super) fn loosely_equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Undefined | Self::Null, Self::Undefined | Self::Null) => true,
            (Self::Text(left), Self::Text(right)) => left == right,
            (Self::List(left), Self::List(right)) => Rc::ptr_eq(left, right),
            (Self::Object(left), Self::Object(right)) => Rc::ptr_eq(left, right),
            (Self::Function(left), Self::Function(right)) => Rc::ptr_eq(&left.body, &right.body),
            (left, right) => match (left.numeric(), right.numeric()) {
                (Some(left), Some(right)) => left == right,
                _ => false,
            },
        }
    }

    fn numeric(&self) -> Option<f64> {
        match self {
            Self::Boolean(value) => Some(f64::from(u8::from(*value))),
            Self::Number(value) => Some(*value),
            Self::Text(text) => Some(number(text)),
            _ => None,
        }
    }
}

impl<'c> Function<'c> {
    pub(super) fn call(&self, arguments: &Arguments<'c>) -> Result<Value<'c>, TemplateError> {
        (self.body)(arguments)
    }
}
