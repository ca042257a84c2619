//! The syntax tree of a template.

/// Statements in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Program {
    pub(super) body: Vec<Statement>,
    pub(super) block_parameters: Vec<String>,
    /// Whether it was made from `{{else if …}}` and holds just that block.
    pub(super) chained: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Statement {
    Content(Content),
    Mustache {
        call: Call,
        escaped: bool,
        strip: Strip,
    },
    Block(Box<Block>),
    Partial {
        name: String,
        strip: Strip,
    },
    Decorator {
        strip: Strip,
    },
    Comment {
        strip: Strip,
    },
}

/// Literal text; the original decides whether a tag stands alone on its line.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) original: String,
    pub(super) value: String,
    pub(super) left_stripped: bool,
    pub(super) right_stripped: bool,
}

/// A path with what is passed to it.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) path: Expression,
    pub(super) parameters: Vec<Expression>,
    /// Present also when empty: `{{x a=1}}` is a call, `{{x}}` may be none.
    pub(super) hash: Option<Vec<(String, Expression)>>,
}

#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) call: Call,
    pub(super) program: Option<Program>,
    pub(super) inverse: Option<Program>,
    pub(super) open: Strip,
    pub(super) inverted: Strip,
    pub(super) close: Strip,
}

/// `~` at the two ends of a tag.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Strip {
    pub(super) open: bool,
    pub(super) close: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Expression {
    Path(Path),
    Text(String),
    Number(f64),
    Boolean(bool),
    Undefined,
    Null,
    Call(Box<Call>),
}

#[derive(Debug, Clone)]
pub(super) struct Path {
    /// Whether it starts with `@`.
    pub(super) data: bool,
    /// How many contexts up.
    pub(super) depth: usize,
    pub(super) parts: Vec<String>,
    pub(super) original: String,
}

impl Content {
    pub(super) fn new(text: String) -> Self {
        Self {
            original: text.clone(),
            value: text,
            left_stripped: false,
            right_stripped: false,
        }
    }
}

impl Path {
    /// Whether it is spelt from `this` or `.` on.
    pub(super) fn is_scoped(&self) -> bool {
        // The original expression is /^\.|this\b/: `this` counts anywhere in the path.
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        self.original.starts_with('.')
            || self
                .original
                .match_indices("this")
                .any(|(at, _)| !self.original[at + 4..].starts_with(word))
    }

    /// Whether it is one plain name, which may mean a helper.
    pub(super) fn is_simple(&self) -> bool {
        self.parts.len() == 1 && !self.is_scoped() && self.depth == 0
    }

    pub(super) fn first(&self) -> &str {
        self.parts.first().map_or("", String::as_str)
    }
}

impl Call {
    /// The path that is called; literals in this place mean the property of that name.
    pub(super) fn target(&self) -> Path {
        let name = match &self.path {
            Expression::Path(path) => return path.clone(),
            Expression::Text(text) => text.clone(),
            Expression::Number(value) => crate::meta::ecmascript::number_text(*value),
            Expression::Boolean(value) => value.to_string(),
            Expression::Null => "null".to_owned(),
            Expression::Undefined | Expression::Call(_) => "undefined".to_owned(),
        };
        Path {
            data: false,
            depth: 0,
            parts: vec![name.clone()],
            original: name,
        }
    }

    pub(super) fn has_arguments(&self) -> bool {
        !self.parameters.is_empty() || self.hash.is_some()
    }
}
