//! Findings that are known and left alone.
//!
//! Lines move, so a finding is known by its rule, its file and the text of its line. Equal lines of a file are told apart by
//! their number only: a baseline holds an identity once for each of them, and one more of them is news.

use std::collections::BTreeMap;
use std::fs;

use barge_report::fingerprint::fingerprint;
use barge_workflow::Finding;
use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::Outcome;
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

/// The findings with their identities and, among those of one identity, their numbers from one on.
pub(super) fn numbered(findings: &[Finding]) -> impl Iterator<Item = (&Finding, String, usize)> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    findings.iter().map(move |finding| {
        let identity = identity(finding);
        let number = seen.entry(identity.clone()).or_default();
        *number += 1;
        (finding, identity, *number)
    })
}

/// How many findings of each identity are known.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<String, usize>);

impl Known {
    /// The findings of a file that are news.
    pub(super) fn news<'a>(&self, findings: &'a [Finding]) -> Vec<&'a Finding> {
        let known = |identity: &str| self.0.get(identity).copied().unwrap_or_default();
        let news = numbered(findings).filter(|(_, identity, number)| *number > known(identity));
        news.map(|(finding, _, _)| finding).collect()
    }

    /// Adds the findings of a file. What several files lead to, a local action, is known once.
    fn add(&mut self, findings: &[Finding]) {
        for (_, identity, number) in numbered(findings) {
            let known = self.0.entry(identity).or_default();
            *known = number.max(*known);
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Baseline {
    schema: String,
    /// Identities, each as often as it is known.
    findings: Vec<String>,
}

/// Writes the findings of today.
pub(super) fn write(
    context: &Context,
    path: &Utf8Path,
    outcomes: &[Outcome],
) -> Result<Exit, Error> {
    let mut known = Known::default();
    outcomes
        .iter()
        .for_each(|outcome| known.add(&outcome.findings));
    let repeated = known.0.into_iter();
    let baseline = Baseline {
        schema: SCHEMA.into(),
        findings: repeated
            .flat_map(|(identity, count)| std::iter::repeat_n(identity, count))
            .collect(),
    };
    let text =
        serde_json::to_string_pretty(&baseline).map_err(|error| Error::Output(error.into()))?;
    context.write_file(path, (text + "\n").as_bytes())?;
    context.printer.status(&format!(
        "{} findings written to {path}",
        baseline.findings.len()
    ));
    Ok(Exit::Done)
}

/// Reads the findings that are known.
pub(super) fn read(context: &Context, path: &Utf8Path) -> Result<Known, Error> {
    let full = context.folder.join(path);
    let text = fs::read_to_string(&full).map_err(|source| Error::File {
        action: "read",
        path: full,
        source,
    })?;
    let read: Result<Baseline, _> = serde_json::from_str(&text);
    match read {
        Ok(baseline) if baseline.schema == SCHEMA => {
            let mut known = Known::default();
            for identity in baseline.findings {
                *known.0.entry(identity).or_default() += 1;
            }
            Ok(known)
        }
        _ => Err(Error::Usage(format!(
            "`{path}` is no baseline: write one with --write-baseline"
        ))),
    }
}
