//! What a scan looks like to others: JSON, the report model (SARIF, JUnit), tables, Markdown, CycloneDX, OpenVEX, GitLab,
//! a page.

mod cyclonedx;
mod gaps;
mod gitlab;
mod html;
mod json;
mod openvex;
mod report;
mod text;
mod upgrade;
mod uuid;

pub use cyclonedx::cyclonedx;
pub use gaps::gaps;
pub use gitlab::gitlab;
pub use html::page;
pub use json::{
    AdvisoryJson, CvssJson, EpssJson, MatchJson, MatchesJson, PackageJson, SCHEMA, ScanJson,
    SkippedJson, SubjectJson, SuppressionJson, UnreadJson, baseline,
};
pub use openvex::openvex;
pub use report::{ReportOptions, report};
pub use text::{age, count_line, markdown, table};
pub use upgrade::{Upgrade, upgrades};
