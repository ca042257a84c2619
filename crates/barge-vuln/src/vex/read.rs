//! Tells one format of VEX from the other, and what both read alike.

use jiff::Timestamp;
use serde_json::Value;

use super::{Statement, cyclonedx, openvex};
use crate::error::Error;

/// No document nests deeper or is longer in earnest.
const LARGEST: usize = 64 * 1024 * 1024;

/// Reads a VEX document of either format. Statements about nothing, or that say nothing, are left out.
///
/// # Errors
/// When it is of neither, or has a word for a status that the format does not know: somebody means something by it.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Vec<Statement>, Error> {
    let failed = |reason: String| Error::Vex {
        name: name.to_owned(),
        reason,
    };
    if bytes.len() > LARGEST {
        return Err(failed("it is too long".to_owned()));
    }
    let document: Value =
        serde_json::from_slice(bytes).map_err(|error| failed(format!("it is no JSON: {error}")))?;
    if document.get("bomFormat").is_some() {
        return cyclonedx::statements(&document).map_err(failed);
    }
    if document.get("statements").is_some_and(Value::is_array) {
        return openvex::statements(&document).map_err(failed);
    }
    // An attestation holds the document as its predicate.
    match document
        .get("predicate")
        .filter(|predicate| predicate.get("statements").is_some_and(Value::is_array))
    {
        Some(predicate) => openvex::statements(predicate).map_err(failed),
        None => Err(failed("it is neither OpenVEX nor CycloneDX".to_owned())),
    }
}

/// Why a document is refused that has a word of its own for a status.
pub(super) fn unknown_status(word: &str, known: &str) -> String {
    format!("a statement has the status `{word}`, which is none of {known}")
}

/// The first of some times that is stated, if it is one.
pub(super) fn time<'a>(stated: impl IntoIterator<Item = &'a str>) -> Option<Timestamp> {
    let mut stated = stated.into_iter();
    stated.find(|time| !time.is_empty())?.parse().ok()
}

/// The text of a field, or nothing.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list, or none.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}
