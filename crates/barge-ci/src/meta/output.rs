//! The structured outputs: `json` and the bake files.

use serde_json::{Map, Value, json};

use super::ecmascript::is_line_terminator;
use super::label::Label;

/// What the outputs are made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Material {
    pub(crate) version: Option<String>,
    pub(crate) images: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) tag_names: Vec<String>,
    pub(crate) labels: Vec<Label>,
}

impl Material {
    /// The output `json`.
    pub(crate) fn json(&self, annotations: &[String]) -> String {
        json!({
            "tags": self.tags,
            "tag-names": self.tag_names,
            "labels": label_object(&self.labels),
            "annotations": annotations,
        })
        .to_string()
    }

    /// The bake file with tags.
    pub(crate) fn bake_tags(&self, target: &str) -> String {
        bake(
            target,
            &json!({"tags": self.tags, "args": self.arguments()}),
        )
    }

    /// The bake file with labels.
    pub(crate) fn bake_labels(&self, target: &str) -> String {
        bake(target, &json!({"labels": label_object(&self.labels)}))
    }

    /// The bake file with tags and labels.
    pub(crate) fn bake_all(&self, target: &str) -> String {
        let definition = json!({"tags": self.tags, "labels": label_object(&self.labels), "args": self.arguments()});
        bake(target, &definition)
    }

    fn arguments(&self) -> Value {
        let mut arguments = Map::new();
        arguments.insert("DOCKER_META_IMAGES".into(), self.images.join(",").into());
        if let Some(version) = &self.version {
            arguments.insert("DOCKER_META_VERSION".into(), version.as_str().into());
        }
        Value::Object(arguments)
    }
}

/// A bake file with annotations.
pub(crate) fn bake_annotations(target: &str, annotations: &[String]) -> String {
    bake(target, &json!({"annotations": annotations}))
}

fn bake(target: &str, definition: &Value) -> String {
    format!("{:#}", json!({"target": {target: definition}}))
}

/// Labels as an object; a value ends at its first line end. `__proto__` is no key that JavaScript would keep.
fn label_object(labels: &[Label]) -> Map<String, Value> {
    let first_line = |text: &str| {
        text.split(is_line_terminator)
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let kept = labels.iter().filter(|(key, _)| key != "__proto__");
    kept.map(|(key, value)| (key.clone(), first_line(value).into()))
        .collect()
}
