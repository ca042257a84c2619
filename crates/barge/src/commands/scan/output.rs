//! The reports of a scan: which there are, and where each goes.

use std::fs::{self, File};
use std::io;

use barge_image::Reference;
use barge_pipeline::layer_lines::layer_lines;
use barge_report::markdown::{COMMENT_BUDGET, SUMMARY_BUDGET};
use barge_report::table::Table;
use barge_report::{Report, json, junit, sarif};
use barge_sbom::Sbom;
use barge_vuln::output::{self, ReportOptions, ScanJson};
use barge_vuln::{Database, Scan};
use camino::{Utf8Path, Utf8PathBuf};
use clap::ValueEnum;
use serde::Serialize;

use super::tool;
use crate::context::Context;
use crate::error::Error;

/// What a scan can be reported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    Table,
    Json,
    Sarif,
    #[value(name = "cyclonedx", aliases = ["cyclonedx-json", "cyclonedx-vex"])]
    Cyclonedx,
    Openvex,
    Gitlab,
    Junit,
    Markdown,
    Html,
}

/// A report and where it goes.
pub(super) type Output = crate::commands::Output<Kind>;

/// Writes a report as it is made: of a long list of findings it is megabytes.
fn to_file(
    context: &Context,
    file: &Utf8Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> Result<(), Error> {
    let path = context.folder.join(file);
    let written = File::create(&path).and_then(|mut file| write(&mut file));
    written.map_err(|source| Error::Report { path, source })
}

/// What reports are made of.
pub(super) struct Evidence<'a> {
    pub(super) database: &'a Database,
    pub(super) sbom: &'a Sbom,
    pub(super) scan: &'a Scan<'a>,
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
        let scan = evidence.scan;
        match self.format {
            Kind::Table => self.table(context, &output::table(scan, context.printer.is_wide())),
            Kind::Json => self.json(context, &ScanJson::from(scan)),
            Kind::Cyclonedx => self.json(context, &output::cyclonedx(scan, &tool())),
            Kind::Openvex => self.json(context, &output::openvex(scan, "barge")),
            Kind::Gitlab => self.json(context, &output::gitlab(scan, &tool())),
            Kind::Markdown => self.text(context, &output::markdown(scan).render(self.budget())),
            Kind::Html => self.text(context, &output::page(scan, &evidence.sbom.layers)),
            Kind::Junit => self.text(context, &junit::render(&evidence.report(context)?)),
            Kind::Sarif => {
                let options = sarif::Options {
                    default_path: evidence.dockerfile(context)?.into_string(),
                    ..sarif::Options::default()
                };
                self.json(
                    context,
                    &sarif::to_value(&evidence.report(context)?, &options),
                )
            }
        }
    }

    fn table(&self, context: &Context, table: &Table<'_>) -> Result<(), Error> {
        self.written(context, |mut out| table.write(&mut out, None, false))
    }

    fn text(&self, context: &Context, text: &str) -> Result<(), Error> {
        let Some(file) = &self.file else {
            return context.printer.human(|out| out.write_all(text.as_bytes()));
        };
        let path = context.folder.join(file);
        fs::write(&path, text).map_err(|source| Error::Report { path, source })
    }

    fn json(&self, context: &Context, value: &impl Serialize) -> Result<(), Error> {
        self.written(context, |out| json::write(out, value))
    }

    /// Writes what brings neither colours nor small pieces of its own.
    fn written(
        &self,
        context: &Context,
        write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        match &self.file {
            Some(file) => to_file(context, file, write),
            None => context.printer.rendered(write),
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
        // A bill of an image has its reference as its name.
        let is_image = subject.image.is_some() || subject.manifest.is_some();
        let named = subject.name.parse::<Reference>().ok().filter(|_| is_image);
        let reference = subject.references.first().or(named.as_ref());
        let name = reference.map(|reference| reference.name().to_string());
        let dockerfile = self.dockerfile(context)?;
        // It may lie elsewhere: then findings are shown at its first line.
        let text = fs::read_to_string(context.folder.join(&dockerfile)).unwrap_or_default();
        let target = context.settings()?.build.target.clone();
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
