//! What verification found: on the terminal, as files, and in the job's summary.

use std::fs;
use std::io::{self, Write};

use barge_ci::{Cause, Event};
use barge_forge::ReportFolder;
use barge_pipeline::report::{ReportFacts, annotation, reports, skip_summary, summary};
use barge_pipeline::verify::Verified;
use barge_vuln::output::{age, table};

use crate::context::Context;
use crate::error::Error;

/// Writes the reports of a verification and tells the runner.
pub(crate) fn publish(context: &Context, verified: &Verified) -> Result<(), Error> {
    let settings = context.settings()?;
    let dockerfile = settings.build.dockerfile();
    let facts = ReportFacts {
        created: context.source_date.unwrap_or(context.now),
        // It may be gone, or on another machine: then findings are shown at its first line.
        dockerfile_text: fs::read_to_string(context.folder.join(&dockerfile)).ok(),
        dockerfile: dockerfile.into_string(),
        target: settings.build.target.clone(),
    };
    let folder = folder(context)?;
    for file in reports(verified, &facts).map_err(Error::Output)? {
        folder.write(file.name, &file.bytes)?;
    }
    if context.in_actions()
        && let Some(annotation) = annotation(verified)
    {
        context.printer.command(&annotation.command());
    }
    Ok(super::outputs::actions(context).add_summary(&summary(verified))?)
}

/// Leaves the feedback of a skipped event.
pub(crate) fn publish_skip(context: &Context, event: &Event, cause: &Cause) -> Result<(), Error> {
    let markdown = skip_summary(event, cause);
    folder(context)?.write("skipped.md", markdown.as_bytes())?;
    Ok(super::outputs::actions(context).add_summary(&markdown)?)
}

/// Shows evidence on the terminal: what was found, worst first, and where the reports are.
pub(crate) fn write(context: &Context, out: &mut dyn Write, verified: &Verified) -> io::Result<()> {
    let table = table(&verified.scan, context.printer.is_wide());
    if !table.is_empty() {
        writeln!(
            out,
            "\n{}",
            table.render(context.printer.width(), context.printer.colors())
        )?;
    }
    let (packages, data) = (verified.sbom.packages.len(), &verified.scan.data);
    let age = age(data.age_days);
    writeln!(
        out,
        "{packages} packages against {} advisories, {age}; reports in {}",
        data.records,
        context.named_folder.join(".barge/out")
    )
}

fn folder(context: &Context) -> Result<ReportFolder, Error> {
    let workspace = context.surroundings()?.workspace();
    workspace.make()?;
    Ok(ReportFolder::at(&workspace.out()))
}
