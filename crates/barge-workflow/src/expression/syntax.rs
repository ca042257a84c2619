//! The expression tree, and its canonical text, by which two spellings of one thing are recognised.

use std::fmt;

use crate::source::Span;

/// An expression and where it stands in the text it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// Bytes of the expression's own text.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// The forms of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// A number in decimal, hexadecimal or exponent form.
    Number(f64),
    /// A text in single quotes.
    Text(String),
    /// A context, `github`, in lower case.
    Context(String),
    /// `object.name`, the name in lower case.
    Property(Box<Expression>, String),
    /// `object[index]`
    Index(Box<Expression>, Box<Expression>),
    /// `object.*`
    Filter(Box<Expression>),
    /// `name(arguments)`, the name in lower case.
    Call(String, Vec<Expression>),
    /// `!operand`
    Not(Box<Expression>),
    /// `left operator right`
    Binary(Operator, Box<Expression>, Box<Expression>),
}

/// The operators between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Operator {
    /// The operator as it is written.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// How tightly it binds.
    #[must_use]
    pub fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal | Self::NotEqual => 3,
            _ => 4,
        }
    }
}

impl Expression {
    /// Calls `visit` with this expression and everything in it.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        match &self.kind {
            Kind::Property(inner, _) | Kind::Filter(inner) | Kind::Not(inner) => inner.walk(visit),
            Kind::Index(left, right) | Kind::Binary(_, left, right) => {
                left.walk(visit);
                right.walk(visit);
            }
            Kind::Call(_, arguments) => arguments.iter().for_each(|argument| argument.walk(visit)),
            _ => {}
        }
    }

    /// The path of a plain context access: `steps.meta.outputs.tags` is `["steps", "meta", "outputs", "tags"]`.
    #[must_use]
    pub fn path(&self) -> Option<Vec<&str>> {
        match &self.kind {
            Kind::Context(name) => Some(vec![name]),
            Kind::Property(inner, name) => {
                let mut path = inner.path()?;
                path.push(name);
                Some(path)
            }
            Kind::Index(inner, index) => match &index.kind {
                Kind::Text(name) => {
                    let mut path = inner.path()?;
                    path.push(name);
                    Some(path)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Says whether a status function (`success`, `failure`, `always`, `cancelled`) occurs.
    #[must_use]
    pub fn has_status_function(&self) -> bool {
        ["success", "failure", "always", "cancelled"]
            .iter()
            .any(|function| self.calls(function))
    }

    /// Says whether a function is called in it; `function` is in lower case.
    #[must_use]
    pub fn calls(&self, function: &str) -> bool {
        let mut found = false;
        self.walk(&mut |expression| {
            found |= matches!(&expression.kind, Kind::Call(name, _) if name == function);
        });
        found
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Null => f.write_str("null"),
            Kind::Boolean(value) => write!(f, "{value}"),
            Kind::Number(value) => write!(f, "{value}"),
            Kind::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Kind::Context(name) => f.write_str(name),
            Kind::Property(inner, name) => {
                write_object(f, inner)?;
                write!(f, ".{name}")
            }
            Kind::Index(inner, index) => {
                write_object(f, inner)?;
                write!(f, "[{index}]")
            }
            Kind::Filter(inner) => {
                write_object(f, inner)?;
                f.write_str(".*")
            }
            Kind::Call(name, arguments) => {
                write!(f, "{name}(")?;
                for (at, argument) in arguments.iter().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{argument}")?;
                }
                f.write_str(")")
            }
            Kind::Not(inner) => match inner.kind {
                Kind::Binary(..) => write!(f, "!({inner})"),
                _ => write!(f, "!{inner}"),
            },
            Kind::Binary(operator, left, right) => {
                write_operand(f, left, operator.precedence())?;
                write!(f, " {} ", operator.symbol())?;
                // Where the right side of `&&` and `||` begins makes no difference; that of a comparison does.
                let regroups = matches!(operator, Operator::And | Operator::Or);
                write_operand(f, right, operator.precedence() + u8::from(!regroups))
            }
        }
    }
}

/// What a name or index is taken of.
fn write_object(f: &mut fmt::Formatter<'_>, object: &Expression) -> fmt::Result {
    match &object.kind {
        // A point behind a number would be its own.
        Kind::Binary(..) | Kind::Not(_) | Kind::Number(_) => write!(f, "({object})"),
        _ => write!(f, "{object}"),
    }
}

/// An operand that binds at least as tightly as `precedence`, in parentheses if need be.
fn write_operand(f: &mut fmt::Formatter<'_>, operand: &Expression, precedence: u8) -> fmt::Result {
    match &operand.kind {
        Kind::Binary(operator, ..) if operator.precedence() < precedence => {
            write!(f, "({operand})")
        }
        _ => write!(f, "{operand}"),
    }
}
