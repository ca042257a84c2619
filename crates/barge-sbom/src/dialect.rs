//! The words in which barge's bills say what the standards have no field for: [`mod@crate::format`] writes them, and
//! [`crate::bom`] reads them back.

use crate::license::one_line;
use crate::package::Unknown;

/// The value of `schema` in barge's own JSON.
pub(crate) const JSON_SCHEMA: &str = "barge/sbom/v1";

/// The property of CycloneDX's metadata that names evidence that could not be read.
pub(crate) const UNKNOWN: &str = "barge:unknown";

/// What SPDX's creation comment of an incomplete bill begins with; a line for each unknown follows.
pub(crate) const INCOMPLETE: &str = "Incomplete. Files that could not be read:";

/// An unknown in one line: where, and why.
pub(crate) fn unknown_line(unknown: &Unknown) -> String {
    format!("{}: {}", one_line(&unknown.path), one_line(&unknown.reason))
}

/// What [`unknown_line`] wrote.
pub(crate) fn unknown(line: &str) -> Unknown {
    let (path, reason) = line.split_once(": ").unwrap_or((line, ""));
    Unknown {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}
