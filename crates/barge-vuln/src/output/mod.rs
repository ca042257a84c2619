//! What a scan looks like to others: JSON, the report model (SARIF, JUnit), tables, Markdown, CycloneDX, OpenVEX, GitLab,
//! a page.

mod cyclonedx;
mod gitlab;
mod html;
mod json;
mod openvex;
mod report;
mod text;
mod upgrade;

use barge_sbom::package::Package;

use crate::scan::Scan;
use crate::unread::describe;

pub use cyclonedx::cyclonedx;
pub use gitlab::gitlab;
pub use html::page;
pub use json::{
    AdvisoryJson, CvssJson, EpssJson, MatchJson, MatchesJson, PackageJson, SCHEMA, ScanJson,
    SkippedJson, SubjectJson, SuppressionJson, UnreadJson, baseline,
};
pub use openvex::openvex;
pub use report::{ReportOptions, report};
pub use text::{count_line, markdown, table};
pub use upgrade::{Upgrade, upgrades};

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

/// How old data is: `1 day old`.
#[must_use]
pub fn age(days: Option<i64>) -> String {
    match days {
        Some(1) => "1 day old".to_owned(),
        Some(days) => format!("{days} days old"),
        None => "of unknown age".to_owned(),
    }
}

/// Where a package was found, first path first.
fn paths(package: &Package) -> impl Iterator<Item = &str> {
    package
        .evidence
        .iter()
        .map(|evidence| evidence.path.as_str())
}

/// A UUID that follows from parts (RFC 9562, version 8): the same input gives the same document.
fn uuid(parts: &[&str]) -> String {
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
