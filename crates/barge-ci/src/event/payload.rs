//! A webhook payload with typed access: whoever reads a field gets its value or an error that names file and field.

use serde_json::Value;

use super::{CommitId, EventError};

/// The parsed payload of an event and the file that it came from.
#[derive(Debug, Clone)]
pub(super) struct Payload {
    path: String,
    root: Value,
}

impl Payload {
    pub(super) fn parse(path: &str, text: &str) -> Result<Self, EventError> {
        // Windows editors put a byte order mark in front; the forge never does.
        let root = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
            EventError::PayloadSyntax {
                path: path.to_owned(),
                message: error.to_string(),
            }
        })?;
        let payload = Self {
            path: path.to_owned(),
            root,
        };
        match payload.root {
            Value::Object(_) => Ok(payload),
            _ => Err(payload.unusable("", "an object")),
        }
    }

    /// The value at a path like `pull_request.head.sha`; JSON `null` counts as absent.
    pub(super) fn get(&self, field: &str) -> Option<&Value> {
        field
            .split('.')
            .try_fold(&self.root, |value, key| value.get(key))
            .filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    pub(super) fn text(&self, field: &str) -> Result<Option<&str>, EventError> {
        self.get(field)
            .map(|value| value.as_str().ok_or_else(|| self.unusable(field, "text")))
            .transpose()
    }

    pub(super) fn required_text(&self, field: &str) -> Result<&str, EventError> {
        self.text(field)?
            .ok_or_else(|| self.unusable(field, "text"))
    }

    pub(super) fn owned(&self, field: &str) -> Result<Option<String>, EventError> {
        Ok(self.text(field)?.map(str::to_owned))
    }

    pub(super) fn number(&self, field: &str) -> Result<Option<u64>, EventError> {
        self.get(field)
            .map(|value| {
                value
                    .as_u64()
                    .ok_or_else(|| self.unusable(field, "a number"))
            })
            .transpose()
    }

    pub(super) fn flag(&self, field: &str) -> bool {
        self.get(field).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn list(&self, field: &str) -> &[Value] {
        self.get(field)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn commit(&self, field: &str) -> Result<Option<CommitId>, EventError> {
        self.text(field)?
            .map(|text| text.parse().map_err(|_| self.unusable(field, "a commit")))
            .transpose()
    }

    pub(super) fn unusable(&self, field: &str, expected: &'static str) -> EventError {
        let found = match self.get(field) {
            None if field.is_empty() => shape(&self.root),
            None => "nothing".into(),
            Some(value) => shape(value),
        };
        EventError::PayloadField {
            path: self.path.clone(),
            field: if field.is_empty() { "(root)" } else { field }.to_owned(),
            expected,
            found,
        }
    }
}

fn shape(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
        Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
        Value::String(text) => format!("`{}`", text.chars().take(80).collect::<String>()),
    }
}
