//! What verification found, as files for people and programs.

use std::io;

use barge_ci::{Cause, Event};
use barge_forge::{Annotation, Level};
use barge_image::Reference;
use barge_report::markdown::{Document, MarkdownTable, code, escape};
use barge_report::{Tool, json, sarif};
use barge_sbom::format::{Provenance, cyclonedx};
use barge_vuln::Status;
use barge_vuln::output::{ReportOptions, ScanJson, count_line, markdown, page, report};
use jiff::Timestamp;

use crate::layer_lines::layer_lines;
use crate::verify::Verified;

/// The longest Markdown, in bytes: what a pull request's comment holds.
const MARKDOWN_LIMIT: usize = 65_536;

/// A report as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// Its name.
    pub name: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What reports carry beside the evidence.
#[derive(Debug, Clone)]
pub struct ReportFacts {
    /// When they were made; `SOURCE_DATE_EPOCH` where it is set.
    pub created: Timestamp,
    /// The Dockerfile in the repository: where findings are shown that no other file explains.
    pub dockerfile: String,
    /// Its text, if it can be read: then findings are shown at the instructions that brought them.
    pub dockerfile_text: Option<String>,
    /// The stage of it that is the image; none for the last.
    pub target: Option<String>,
}

/// The bill of materials, the scan, SARIF, the summary and the page.
///
/// # Errors
/// When one cannot be JSON.
pub fn reports(verified: &Verified, facts: &ReportFacts) -> io::Result<Vec<ReportFile>> {
    let provenance = Provenance {
        created: facts.created,
        tool_version: env!("CARGO_PKG_VERSION").into(),
        author: None,
    };
    let scan = json::render(&ScanJson::from(&verified.scan))?;
    let findings = report(&verified.scan, &report_options(verified, facts));
    let options = sarif::Options {
        default_path: facts.dockerfile.clone(),
        ..sarif::Options::default()
    };
    Ok(vec![
        ReportFile {
            name: "sbom.cdx.json",
            bytes: cyclonedx::write_json(&verified.sbom, &provenance),
        },
        ReportFile {
            name: "scan.json",
            bytes: scan.into_bytes(),
        },
        ReportFile {
            name: "barge.sarif",
            bytes: sarif::render(&findings, &options)?.into_bytes(),
        },
        ReportFile {
            name: "summary.md",
            bytes: summary(verified).into_bytes(),
        },
        ReportFile {
            name: "report.html",
            bytes: page(&verified.scan, &verified.sbom.layers).into_bytes(),
        },
    ])
}

/// The evidence as Markdown: the facts with their digests, then the findings.
#[must_use]
pub fn summary(verified: &Verified) -> String {
    let mut document = Document::new();
    document.heading(2, "Image verification");
    let mut rows = vec![row("Image", code(&verified.image.to_string()))];
    rows.extend(
        verified
            .references
            .iter()
            .map(|reference| row("Reference", code(&reference.to_string()))),
    );
    rows.extend(
        verified
            .commit
            .iter()
            .map(|commit| row("Commit", code(commit))),
    );
    rows.extend(
        verified
            .record
            .iter()
            .map(|record| row("Record", code(&record.to_string()))),
    );
    rows.push(row("Packages", verified.sbom.packages.len().to_string()));
    document.table(MarkdownTable {
        titles: vec!["Fact".into(), "Value".into()],
        rows,
    });
    let facts = document.render(MARKDOWN_LIMIT);
    let findings = markdown(&verified.scan).render(MARKDOWN_LIMIT.saturating_sub(facts.len() + 1));
    format!("{facts}\n{findings}")
}

/// The feedback of a skipped event: what was decided, by which rule, and how to build anyway.
#[must_use]
pub fn skip_summary(event: &Event, cause: &Cause) -> String {
    let mut document = Document::new();
    document.heading(2, "Image not built");
    let rows = vec![
        row("Commit", code(event.head.as_str())),
        row("Rule", code(&cause.rule.to_string())),
        row("Reason", escape(&cause.reason)),
    ];
    document.table(MarkdownTable {
        titles: vec!["Fact".into(), "Value".into()],
        rows,
    });
    document.text("To build it anyway, push to a branch that `skip.force_branches` covers, or change the rule in `barge.toml`.");
    document.render(MARKDOWN_LIMIT)
}

/// What was pushed, as Markdown: the names by which it can be deployed.
#[must_use]
pub fn push_summary(references: &[Reference]) -> String {
    let mut document = Document::new();
    document.heading(2, "Image pushed");
    let rows = references.iter();
    document.table(MarkdownTable {
        titles: vec!["Reference".into()],
        rows: rows
            .map(|reference| vec![code(&reference.to_string())])
            .collect(),
    });
    document.render(MARKDOWN_LIMIT)
}

/// What the runner is told of the verdict, if anything.
#[must_use]
pub fn annotation(verified: &Verified) -> Option<Annotation> {
    let verdict = &verified.scan.verdict;
    let level = match verdict.status {
        Status::Passed => return None,
        Status::Warned => Level::Warning,
        Status::Failed => Level::Error,
    };
    let message = format!("{}: {}", verified.scan.subject.name, count_line(verdict));
    Some(Annotation {
        level,
        title: "image verification".into(),
        message,
        place: None,
    })
}

fn report_options(verified: &Verified, facts: &ReportFacts) -> ReportOptions {
    let image = verified
        .references
        .first()
        .map(|reference: &Reference| reference.name().to_string());
    ReportOptions {
        tool: Tool {
            name: "barge".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            url: env!("CARGO_PKG_REPOSITORY").into(),
        },
        image: image.unwrap_or_default(),
        platform: verified.platform.to_string(),
        layer_locations: layer_lines(
            &facts.dockerfile,
            facts.dockerfile_text.as_deref().unwrap_or_default(),
            facts.target.as_deref(),
            &verified.sbom.layers,
        ),
        ..ReportOptions::default()
    }
}

fn row(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}
