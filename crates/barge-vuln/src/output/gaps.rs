//! What a scan says nothing about.

use crate::scan::Scan;
use crate::unread::describe;

/// What the scan says nothing about, one line each: evidence that could not be read, ecosystems without data, packages
/// that nothing could be asked about.
#[must_use]
pub fn gaps(scan: &Scan<'_>) -> Vec<String> {
    let unread = scan.unread.iter();
    let mut gaps: Vec<String> = unread
        .map(|unknown| format!("could not be read: {}", describe(unknown)))
        .collect();
    let missing = scan.findings.coverage.iter();
    let missing = missing.filter(|coverage| !coverage.has_data);
    gaps.extend(missing.map(|coverage| {
        let (packages, ecosystem) = (coverage.packages, &coverage.ecosystem);
        format!("the data has nothing about {ecosystem}: {packages} packages were not checked")
    }));
    if let Some((purl, reason)) = scan.findings.skipped.first() {
        let count = scan.findings.skipped.len();
        gaps.push(format!(
            "{count} packages were not fully looked up, the first is `{purl}`: {reason}"
        ));
    }
    gaps
}
