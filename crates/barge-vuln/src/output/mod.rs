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

pub use cyclonedx::cyclonedx;
pub use gitlab::gitlab;
pub use html::page;
pub use json::{
    AdvisoryJson, CvssJson, EpssJson, MatchJson, MatchesJson, PackageJson, SCHEMA, ScanJson,
    SkippedJson, SubjectJson, SuppressionJson, baseline,
};
pub use openvex::openvex;
pub use report::{ReportOptions, report};
pub use text::{count_line, markdown, table};
pub use upgrade::{Upgrade, upgrades};

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
