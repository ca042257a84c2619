//! Findings that are known and left alone.

use std::collections::BTreeSet;
use std::fs;
use std::io;

use barge_report::fingerprint::fingerprint;
use barge_workflow::Finding;
use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::{Outcome, write_file};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

const SCHEMA: &str = "barge/check-baseline/v1";

/// What stays the same when other lines of the file change.
pub(super) fn identity(finding: &Finding) -> String {
    let line = finding
        .place
        .source
        .line(finding.position().line)
        .trim()
        .to_owned();
    fingerprint(&["check", finding.rule, finding.place.source.path(), &line])
}

#[derive(Serialize, Deserialize)]
struct Baseline {
    schema: String,
    findings: BTreeSet<String>,
}

/// Writes the findings of today.
pub(super) fn write(
    context: &Context,
    path: &Utf8Path,
    outcomes: &[Outcome],
) -> Result<Exit, Error> {
    let findings = outcomes
        .iter()
        .flat_map(|outcome| outcome.findings.iter().map(identity))
        .collect();
    let baseline = Baseline {
        schema: SCHEMA.into(),
        findings,
    };
    let text = serde_json::to_string_pretty(&baseline).map_err(io::Error::from)?;
    write_file(
        context.folder.join(path),
        &(text
            + "
"),
    )?;
    context.printer.status(&format!(
        "{} findings written to {path}",
        baseline.findings.len()
    ));
    Ok(Exit::Done)
}

/// Reads the findings that are known.
pub(super) fn read(context: &Context, path: &Utf8Path) -> Result<BTreeSet<String>, Error> {
    let full = context.folder.join(path);
    let text = fs::read_to_string(&full).map_err(|source| Error::File {
        action: "read",
        path: full,
        source,
    })?;
    let read: Result<Baseline, _> = serde_json::from_str(&text);
    match read {
        Ok(baseline) if baseline.schema == SCHEMA => Ok(baseline.findings),
        _ => Err(Error::Usage(format!(
            "`{path}` is no baseline: write one with --write-baseline"
        ))),
    }
}
