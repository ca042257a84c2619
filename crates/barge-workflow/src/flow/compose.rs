//! Services of compose files, and the images they build or take.

use std::sync::Arc;

use crate::source::Source;
use crate::symbolic::{Condition, Shape, Text, Value};
use crate::yaml::{self, Node};

use super::bake::Target;
use super::docker::Recipe;

/// The files that compose looks for, the first that is there; and the one that goes over it.
pub(super) const FILES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];

/// The services with the images they name; nothing when the file cannot be read.
///
/// A service that is built and has no `image:` gets a name of the project's: its tags are left empty.
pub(super) fn services(
    source: &Source,
    environment: &dyn Fn(&str) -> Option<Value>,
) -> Option<Vec<Target>> {
    let root = yaml::parse(source).ok()?;
    let services = root.get("services")?;
    let all = services.entries().iter().filter_map(|(name, service)| {
        let build = service.get("build");
        let image = service.get("image").and_then(|image| image.text());
        let image = image.map(|image| interpolated(image, environment));
        let tags = build.and_then(|build| build.get("tags"));
        let tags = tags.map(|tags| tags.items()).unwrap_or_default();
        let tags = tags.iter().filter_map(|tag| tag.text());
        let tags = image
            .into_iter()
            .chain(tags.map(|tag| interpolated(tag, environment)));
        Some(Target {
            name: name.text()?.to_owned(),
            builds: build.is_some(),
            tags: tags.flat_map(|value| value.texts()).collect(),
            outputs: Vec::new(),
            platforms: None,
            recipe: build
                .map(|build| recipe(build, environment))
                .unwrap_or_default(),
        })
    });
    Some(all.collect())
}

fn recipe(build: &Arc<Node>, environment: &dyn Fn(&str) -> Option<Value>) -> Recipe {
    let text = |text: &str| interpolated(text, environment).sole_text();
    let member = |key: &str| build.get(key)?.text().and_then(text);
    Recipe {
        context: member("context").or_else(|| build.text().and_then(text)),
        file: member("dockerfile"),
        target: member("target"),
    }
}

/// A text with `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME-default}` put in; `$$` is a dollar.
fn interpolated(text: &str, environment: &dyn Fn(&str) -> Option<Value>) -> Value {
    let mut value = Value::text("");
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        value = value.concat(&Value::text(before));
        let after = after.get(1..).unwrap_or_default();
        let (next, left) = if let Some(left) = after.strip_prefix('$') {
            (Value::text("$"), left)
        } else if let Some((inner, left)) = after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            (variable(inner, environment), left)
        } else {
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
            let (name, left) = after.split_at(end);
            (variable(name, environment), left)
        };
        value = value.concat(&next).or_unknown(|| text);
        rest = left;
    }
    value.concat(&Value::text(rest))
}

fn variable(inner: &str, environment: &dyn Fn(&str) -> Option<Value>) -> Value {
    let end = inner.find([':', '-', '?', '+']).unwrap_or(inner.len());
    let (name, operation) = inner.split_at(end);
    let default = operation
        .strip_prefix(":-")
        .or_else(|| operation.strip_prefix('-'));
    let set = environment(name);
    match (set, default) {
        (Some(set), Some(default)) if operation.starts_with(':') => {
            let empty = set
                .texts()
                .iter()
                .fold(Condition::Never, |any, (when, text)| {
                    let is_empty = crate::symbolic::text_equality(text, &Text::new());
                    any.or(&when.and(&is_empty))
                });
            Value::choose(&empty, &Value::text(default), &set)
        }
        (Some(set), _) => set,
        // A file `.env` beside it can set what nothing here sets.
        (None, Some(default)) if !default.contains('$') => Value::text(default),
        (None, _) => Value::unknown(format!("${name} of the compose file"), Shape::Text),
    }
}
