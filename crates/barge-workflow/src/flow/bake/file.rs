//! Bake files as they are written: blocks of targets, groups, variables and functions, from HCL or JSON.
//!
//! Follows the Bake file reference of Docker Buildx.

use std::collections::BTreeMap;

use hcl::expr::{Expression, TemplateExpr};
use hcl::structure::{Block, Body};
use serde_json::Value as Json;

use super::value::Function;

/// Brackets deeper than this are refused: the parser goes down with each.
const NESTING_LIMIT: usize = 64;

/// The attributes of a target or group.
pub(super) type Attributes = BTreeMap<String, Expression>;

/// One or more bake files, later ones over earlier ones.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) targets: BTreeMap<String, Attributes>,
    pub(super) groups: BTreeMap<String, Attributes>,
    pub(super) variables: BTreeMap<String, Option<Expression>>,
    pub(super) functions: BTreeMap<String, Function>,
}

impl File {
    /// Adds a file's blocks; nothing when it cannot be read.
    pub(super) fn add(&mut self, name: &str, text: &str) -> Option<()> {
        if is_deep(text) {
            return None;
        }
        if name.ends_with(".json") {
            return self.add_json(&serde_json::from_str(text).ok()?);
        }
        let body: Body = hcl::parse(text).ok()?;
        for block in body.blocks() {
            let label = block
                .labels()
                .first()
                .map(|label| label.as_str().to_owned());
            self.add_block(block, label?)?;
        }
        Some(())
    }

    fn add_block(&mut self, block: &Block, label: String) -> Option<()> {
        let attributes = block.body().attributes();
        let attributes = attributes.map(|one| (one.key().to_owned(), one.expr().clone()));
        let mut attributes: Attributes = attributes.collect();
        match block.identifier() {
            "target" => self.targets.entry(label).or_default().extend(attributes),
            "group" => self.groups.entry(label).or_default().extend(attributes),
            "variable" => {
                self.variables.insert(label, attributes.remove("default"));
            }
            "function" => {
                let parameters = match attributes.remove("params")? {
                    Expression::Array(names) => names.iter().map(bare).collect::<Option<_>>()?,
                    _ => return None,
                };
                let result = attributes.remove("result")?;
                self.functions
                    .insert(label, Function { parameters, result });
            }
            _ => {}
        }
        Some(())
    }

    fn add_json(&mut self, json: &Json) -> Option<()> {
        let blocks = |kind: &str| {
            json.get(kind)
                .and_then(Json::as_object)
                .into_iter()
                .flatten()
        };
        for (kind, all) in [("target", &mut self.targets), ("group", &mut self.groups)] {
            for (label, content) in blocks(kind) {
                let attributes = content.as_object()?.iter();
                let attributes = attributes.map(|(key, value)| (key.clone(), expression(value)));
                all.entry(label.clone()).or_default().extend(attributes);
            }
        }
        for (label, content) in blocks("variable") {
            let default = content.get("default").map(expression);
            self.variables.insert(label.clone(), default);
        }
        Some(())
    }
}

/// A parameter's name: `params = [tag]`.
fn bare(expression: &Expression) -> Option<String> {
    match expression {
        Expression::Variable(name) => Some(name.as_str().to_owned()),
        Expression::String(name) => Some(name.clone()),
        _ => None,
    }
}

/// JSON as an expression: `${ }` is read in its texts too.
fn expression(json: &Json) -> Expression {
    match json {
        Json::Null => Expression::Null,
        Json::Bool(value) => Expression::Bool(*value),
        Json::Number(number) => number.as_f64().map_or(Expression::Null, Expression::from),
        Json::String(text) if text.contains("${") => {
            Expression::from(TemplateExpr::QuotedString(text.clone()))
        }
        Json::String(text) => Expression::String(text.clone()),
        Json::Array(items) => Expression::Array(items.iter().map(expression).collect()),
        Json::Object(entries) => {
            let entries = entries.iter();
            Expression::from_iter(entries.map(|(key, value)| (key.clone(), expression(value))))
        }
    }
}

fn is_deep(text: &str) -> bool {
    let mut depth = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > NESTING_LIMIT
    })
}
