//! Texts with their places, and what is read from them once: templates, scripts, conditions.

use std::sync::{Arc, OnceLock};

use crate::expression::{Part, Template, parse};
use crate::shell::ScriptText;
use crate::source::{Source, Span};
use crate::symbolic::Text;
use crate::yaml::{self, Node, Style};

/// A text and where it stands.
///
/// What is read from the text is kept: a step is walked once per leg and scenario.
#[derive(Debug, Clone)]
pub struct Field {
    /// The text as YAML reads it.
    pub text: String,
    /// Its bytes in the file.
    pub span: Span,
    /// How it was written.
    pub style: Style,
    known: OnceLock<Option<Text>>,
    template: OnceLock<Arc<Template>>,
    script: OnceLock<Arc<ScriptText>>,
    /// The bytes at which the text's lines start.
    line_starts: OnceLock<Arc<[usize]>>,
}

/// A name with its field.
pub type Entry = (String, Field);

/// An `if:`.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The text.
    pub field: Field,
    /// The text, read.
    pub template: Template,
}

impl Field {
    pub(super) fn from_node(node: &Node) -> Option<Self> {
        match &node.kind {
            yaml::Kind::Scalar(scalar) => {
                Some(Self::new(scalar.text.clone(), node.span, scalar.style))
            }
            _ => None,
        }
    }

    /// A text at a place.
    #[must_use]
    pub fn new(text: String, span: Span, style: Style) -> Self {
        Self {
            text,
            span,
            style,
            known: OnceLock::new(),
            template: OnceLock::new(),
            script: OnceLock::new(),
            line_starts: OnceLock::new(),
        }
    }

    /// The text as a value, if no expression is in it.
    #[must_use]
    pub fn known(&self) -> Option<&Text> {
        let literal = || Text::literal(self.text.as_str());
        self.known
            .get_or_init(|| (!self.text.contains("${{")).then(literal))
            .as_ref()
    }

    /// The text, split at its expressions.
    #[must_use]
    pub fn template(&self) -> &Template {
        self.template
            .get_or_init(|| Arc::new(Template::parse(&self.text)))
    }

    /// The text, read as a shell script.
    #[must_use]
    pub fn script(&self) -> &Arc<ScriptText> {
        self.script
            .get_or_init(|| Arc::new(ScriptText::new(&self.text, self.template())))
    }

    /// The byte of the file where a byte of the text stands.
    #[must_use]
    pub fn locate(&self, source: &Source, offset: usize) -> usize {
        match self.style {
            Style::Plain => (self.span.start + offset).min(self.span.end),
            Style::Quoted => (self.span.start + 1 + offset).min(self.span.end),
            Style::Literal | Style::Folded => self.locate_in_block(source, offset),
        }
    }

    fn line_starts(&self) -> &[usize] {
        self.line_starts.get_or_init(|| {
            let ends = self.text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(ends).collect()
        })
    }

    fn locate_in_block(&self, source: &Source, offset: usize) -> usize {
        let leading = self.text.len() - self.text.trim_start_matches('\n').len();
        let starts = self.line_starts();
        let line_in_text = starts.partition_point(|start| *start <= offset).max(1) - 1;
        let start = starts.get(line_in_text).copied().unwrap_or_default();
        let column = offset - start;
        let next = starts.get(line_in_text + 1);
        let text_line = next.map_or(self.text.len(), |next| next - 1) - start;
        let first = source.line_of(self.span.start).saturating_sub(leading);
        if self.style == Style::Folded {
            // Folding joins lines: look for the line that holds what follows.
            let wanted = self.text.get(offset..).unwrap_or_default();
            let wanted = wanted.split([' ', '\n']).next().unwrap_or_default();
            let from = source.line_start(first);
            let found = source
                .text()
                .get(from..self.span.end)
                .and_then(|block| block.find(wanted));
            return found.map_or(self.span.start, |at| from + at);
        }
        let line = first + line_in_text;
        let indent = source.line(line).len().saturating_sub(text_line);
        (source.line_start(line) + indent + column).min(source.line_end(line))
    }
}

impl Guard {
    pub(super) fn new(field: Field) -> Self {
        let template = if field.text.contains("${{") {
            Template::parse(field.text.trim())
        } else {
            let range = 0..field.text.len();
            let part = match parse(&field.text) {
                Ok(expression) => Part::Expression(range, expression),
                Err(error) => Part::Broken(range, error),
            };
            Template { parts: vec![part] }
        };
        Self { field, template }
    }

    /// The text as written.
    #[must_use]
    pub fn text(&self) -> &str {
        self.field.text.trim()
    }

    /// The condition without the braces around it.
    #[must_use]
    pub fn bare(&self) -> &str {
        let inner = self
            .text()
            .strip_prefix("${{")
            .and_then(|rest| rest.strip_suffix("}}"));
        inner
            .filter(|inner| !inner.contains("${{"))
            .unwrap_or(self.text())
            .trim()
    }

    /// Says whether it can hold although something before it failed.
    #[must_use]
    pub fn holds_after_failure(&self) -> bool {
        self.template.expressions().any(|expression| {
            ["always", "failure", "cancelled"]
                .iter()
                .any(|function| expression.calls(function))
        })
    }

    /// Says whether a status function occurs in it.
    #[must_use]
    pub fn has_status_function(&self) -> bool {
        self.template
            .expressions()
            .any(crate::expression::Expression::has_status_function)
    }
}

pub(super) fn text_of(node: &Node, key: &str) -> Option<String> {
    node.get(key)?.text().map(str::to_owned)
}

pub(super) fn fields(node: Option<&Arc<Node>>) -> Vec<Entry> {
    let entries = node.map(|node| node.entries()).unwrap_or_default();
    entries
        .iter()
        .filter_map(|(key, value)| Some((key.text()?.to_owned(), Field::from_node(value)?)))
        .collect()
}

pub(super) fn field(node: &Node, key: &str) -> Option<Field> {
    node.get(key)
        .filter(|value| !value.is_null())
        .and_then(|value| Field::from_node(value))
}

pub(super) fn texts(node: &Arc<Node>) -> Vec<Field> {
    match Field::from_node(node) {
        Some(single) => vec![single],
        None => node
            .items()
            .iter()
            .filter_map(|item| Field::from_node(item))
            .collect(),
    }
}
