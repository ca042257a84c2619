//! What a workflow or an action takes and hands out.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::yaml::Node;

use super::field::{Entry, field, text_of, texts};

/// An input of a workflow or action.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// `type:`
    pub kind: Option<String>,
    /// `default:`
    pub default: Option<String>,
    /// `options:`
    pub options: Vec<String>,
}

pub(super) fn inputs(node: Option<&Arc<Node>>) -> BTreeMap<String, Input> {
    let entries = node.map(|node| node.entries()).unwrap_or_default();
    let read = entries.iter().filter_map(|(key, value)| {
        let options = value.get("options").map(texts).unwrap_or_default();
        let input = Input {
            kind: text_of(value, "type"),
            default: text_of(value, "default"),
            options: options.into_iter().map(|field| field.text).collect(),
        };
        Some((key.text()?.to_lowercase(), input))
    });
    read.collect()
}

pub(super) fn outputs(node: Option<&Arc<Node>>) -> Vec<Entry> {
    let entries = node.map(|node| node.entries()).unwrap_or_default();
    entries
        .iter()
        .filter_map(|(key, value)| Some((key.text()?.to_owned(), field(value, "value")?)))
        .collect()
}
