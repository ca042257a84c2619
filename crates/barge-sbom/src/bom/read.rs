//! Tells one format from the other.

use serde::Deserialize as _;

use super::{cyclonedx, cyclonedx_xml, spdx, spdx_tags};
use crate::dialect;
use crate::error::Error;
use crate::package::Sbom;

/// Reads a bill of any known format.
///
/// # Errors
/// When it is of none, or broken.
pub fn read(bytes: &[u8]) -> Result<Sbom, Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii_start().starts_with(b"<") {
        let json = cyclonedx_xml::to_json(bytes);
        let document = json.as_ref().map(cyclonedx::Document::deserialize);
        let bill = document.and_then(|document| document.ok()?.bill());
        return bill.ok_or_else(|| broken("it is XML, but no CycloneDX"));
    }
    if spdx_tags::is_one(bytes) {
        let json = spdx_tags::to_json(bytes);
        let document = spdx::Document::deserialize(&json);
        return of_spdx(document);
    }
    // Most are CycloneDX; of another all but the name of its standard is passed over.
    let document: cyclonedx::Document<'_> = json(bytes)?;
    if document.is_one() {
        let bill = document.bill();
        return bill.ok_or_else(|| broken("CycloneDX without components"));
    }
    if document.is_spdx() {
        return of_spdx(serde_json::from_slice(bytes));
    }
    if document.schema() == Some(dialect::JSON_SCHEMA) {
        return json(bytes);
    }
    Err(broken("neither CycloneDX, nor SPDX, nor barge's JSON"))
}

fn of_spdx(document: serde_json::Result<spdx::Document<'_>>) -> Result<Sbom, Error> {
    let bill = document.map_err(|error| broken(&error.to_string()))?.bill();
    bill.ok_or_else(|| broken("SPDX without packages"))
}

fn json<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| broken(&error.to_string()))
}

fn broken(reason: &str) -> Error {
    Error::Bom {
        reason: reason.to_owned(),
    }
}
