//! A line of `tags:`.

use crate::symbolic::Text;

pub(super) struct Rule {
    pub(super) kind: String,
    pub(super) attributes: Vec<(String, Text)>,
    pub(super) priority: f64,
}

pub(super) fn rule(line: &Text) -> Option<Rule> {
    let mut kind = "raw".to_owned();
    let mut attributes = Vec::new();
    let mut priority = None;
    for field in line.split(|c| c == ',') {
        let field = field.trim();
        match field.split_first('=') {
            Some((key, value)) if !key.is_empty() => {
                let key = key.trim().as_literal()?.to_lowercase();
                match key.as_str() {
                    "type" => value.as_literal()?.clone_into(&mut kind),
                    "priority" => priority = value.as_literal()?.parse::<f64>().ok(),
                    _ => attributes.push((key, value.trim())),
                }
            }
            _ => attributes.push(("value".into(), field)),
        }
    }
    let standard = match kind.as_str() {
        "schedule" => 1000.0,
        "semver" | "pep440" => 900.0,
        "match" => 800.0,
        "edge" => 700.0,
        "ref" => 600.0,
        "sha" => 100.0,
        _ => 200.0,
    };
    Some(Rule {
        kind,
        attributes,
        priority: priority.unwrap_or(standard),
    })
}

impl Rule {
    pub(super) fn get(&self, name: &str) -> Option<&Text> {
        self.attributes
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// The value that is given in the ref's stead; an empty one is none.
    pub(super) fn value(&self) -> Option<&Text> {
        self.get("value").filter(|value| !value.is_empty())
    }
}
