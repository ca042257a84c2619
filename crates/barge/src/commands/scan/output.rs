//! The reports of a scan: which there are, and where each goes.

use std::fs;
use std::str::FromStr;

use barge_pipeline::layer_lines::layer_lines;
use barge_report::markdown::{COMMENT_BUDGET, SUMMARY_BUDGET};
use barge_report::{Report, json, junit, sarif};
use barge_sbom::Sbom;
use barge_vuln::output::{self, ReportOptions, ScanJson};
use barge_vuln::{Database, Scan};
use camino::{Utf8Path, Utf8PathBuf};

use super::tool;
use crate::context::Context;
use crate::error::Error;

/// A report and where it goes.
#[derive(Debug, Clone)]
pub(super) struct Output {
    kind: OutputKind,
    file: Option<Utf8PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OutputKind {
    Table,
    Json,
    Sarif,
    Cyclonedx,
    Openvex,
    Gitlab,
    Junit,
    Markdown,
    Html,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, file) = text
            .split_once('=')
            .map_or((text, None), |(kind, file)| (kind, Some(file.into())));
        let kind = match kind {
            "table" => OutputKind::Table,
            "json" => OutputKind::Json,
            "sarif" => OutputKind::Sarif,
            "cyclonedx" | "cyclonedx-vex" => OutputKind::Cyclonedx,
            "openvex" => OutputKind::Openvex,
            "gitlab" => OutputKind::Gitlab,
            "junit" => OutputKind::Junit,
            "markdown" => OutputKind::Markdown,
            "html" => OutputKind::Html,
            other => return Err(format!("`{other}` is no format of a scan")),
        };
        Ok(Self { kind, file })
    }
}

/// What reports are made of.
pub(super) struct Evidence<'a> {
    pub(super) database: &'a Database,
    pub(super) sbom: &'a Sbom,
    pub(super) scan: &'a Scan,
    /// The Dockerfile that was named.
    pub(super) dockerfile: Option<&'a Utf8Path>,
}

impl Output {
    /// Whether it goes to stdout.
    pub(super) fn is_shown(&self) -> bool {
        self.file.is_none()
    }

    /// Writes the report.
    pub(super) fn write(&self, context: &Context, evidence: &Evidence<'_>) -> Result<(), Error> {
        let text = match self.kind {
            OutputKind::Table => output::table(evidence.scan).render(None, false),
            OutputKind::Json => json::render(&ScanJson::from(evidence.scan)),
            OutputKind::Cyclonedx => json::render(&output::cyclonedx(evidence.scan, &tool())),
            OutputKind::Openvex => json::render(&output::openvex(evidence.scan, "barge")),
            OutputKind::Gitlab => json::render(&output::gitlab(evidence.scan, &tool())),
            OutputKind::Markdown => output::markdown(evidence.scan).render(self.budget()),
            OutputKind::Html => output::page(evidence.scan, &evidence.sbom.layers),
            OutputKind::Junit => junit::render(&evidence.report(context)?),
            OutputKind::Sarif => {
                let options = sarif::Options {
                    default_path: evidence.dockerfile(context)?.into_string(),
                    ..sarif::Options::default()
                };
                sarif::render(&evidence.report(context)?, &options)
            }
        };
        match &self.file {
            None => Ok(context
                .printer
                .human(|out| out.write_all(text.as_bytes()))?),
            Some(file) => {
                let path = context.folder.join(file);
                fs::write(&path, text).map_err(|source| Error::File {
                    action: "write",
                    path,
                    source,
                })
            }
        }
    }

    /// A summary of a job may be longer than a comment; a file may be used for either.
    fn budget(&self) -> usize {
        if self.file.is_some() {
            COMMENT_BUDGET
        } else {
            SUMMARY_BUDGET
        }
    }
}

impl Evidence<'_> {
    fn dockerfile(&self, context: &Context) -> Result<Utf8PathBuf, Error> {
        Ok(match self.dockerfile {
            Some(path) => path.to_owned(),
            None => context.settings()?.build.dockerfile(),
        })
    }

    fn report(&self, context: &Context) -> Result<Report, Error> {
        let subject = &self.sbom.subject;
        let name = subject
            .references
            .first()
            .map(|reference| reference.name().to_string());
        let dockerfile = self.dockerfile(context)?;
        // It may lie elsewhere: then findings are shown at its first line.
        let text = fs::read_to_string(context.folder.join(&dockerfile)).unwrap_or_default();
        let target = context.settings()?.build.target;
        let options = ReportOptions {
            tool: tool(),
            image: name.unwrap_or_else(|| subject.name.clone()),
            platform: subject.architecture.clone().unwrap_or_default(),
            layer_locations: layer_lines(
                dockerfile.as_str(),
                &text,
                target.as_deref(),
                &self.sbom.layers,
            ),
            texts: barge_vuln::details(self.database, &self.scan.findings.matches)?,
        };
        Ok(output::report(self.scan, &options))
    }
}
