//! Identifiers of documents and findings.

/// A UUID that follows from parts (RFC 9562, version 8): the same input gives the same document.
pub(super) fn uuid(parts: &[&str]) -> String {
    let hex = barge_report::fingerprint::fingerprint(parts);
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    format!(
        "{}-{}-8{}-a{}-{}",
        part(0..8),
        part(8..12),
        part(13..16),
        part(17..20),
        part(20..32)
    )
}
