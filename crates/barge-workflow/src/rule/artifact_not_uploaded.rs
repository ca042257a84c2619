//! artifact-not-uploaded: an artifact is downloaded that no step uploads.
//!
//! ```yaml
//! build: {steps: [{uses: actions/upload-artifact@v4, with: {name: docker-image, path: x.tar}}]}
//! test:  {needs: build, steps: [{uses: actions/download-artifact@v4, with: {name: docker-images}}]}
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{FactKind, Trace};
use crate::symbolic::{Comparison, Text};

use super::Rule;
use super::context::{Context, Site, shown};
use super::edit;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "artifact-not-uploaded",
    severity: Severity::Error,
    summary: "an artifact is downloaded under a name that no step uploads",
    explanation: "The name differs from that of every upload of the run. Downloads from other runs, and workflows whose caller or callees \
        are not seen, are left alone.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let closed = |trace: &Trace| trace.foreign_artifacts.is_none() && !has_unseen_uploads(trace);
    let sites = context.sites().filter(|site| !site.fact.tolerated);
    for site in sites.filter(|site| closed(site.trace)) {
        if let FactKind::Downloaded(Some(name), candidates) = &site.fact.kind
            && candidates.is_empty()
        {
            findings.extend(report(context, &site, name));
        }
    }
}

fn report(context: &Context<'_>, site: &Site<'_>, name: &Text) -> Option<Finding> {
    let mut uploads = context.traces.iter().flat_map(|trace| &trace.artifacts);
    if uploads.any(|artifact| artifact.answers(name) != Comparison::Different) {
        return None;
    }
    let place = &site.fact.place;
    let message = format!("no step uploads the artifact {}", shown(name));
    let mut finding = RULE.finding(place, message).in_case(site.case()?);
    for artifact in site.trace.artifacts.iter().take(4) {
        let uploaded = format!(
            "{} is uploaded by job {}",
            shown(&artifact.name),
            artifact.job
        );
        finding = finding.with_evidence(&artifact.place, uploaded);
    }
    let near = nearest(site.trace, name);
    Some(
        finding
            .then("download-artifact fails: \"Artifact not found\"")
            .mended_by(near.map(|near| edit::renamed("download", place, name, near))),
    )
}

/// A local action that could not be read can upload anything.
fn has_unseen_uploads(trace: &Trace) -> bool {
    trace.jobs.iter().flat_map(|job| &job.facts).any(|fact| {
        matches!(&fact.kind, FactKind::DaemonOpaque(reason) if reason.starts_with("the action") )
    })
}

fn nearest<'a>(trace: &'a Trace, name: &Text) -> Option<&'a Text> {
    let wanted = name.describe();
    let scored = trace
        .artifacts
        .iter()
        .map(|artifact| (distance(&wanted, &artifact.name.describe()), &artifact.name));
    scored
        .filter(|(distance, _)| *distance <= wanted.len() / 2)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Levenshtein's distance, in characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let change = row.get(j).copied().unwrap_or(0) + usize::from(a != *b);
            let remove = row.get(j + 1).copied().unwrap_or(0) + 1;
            let add = next.last().copied().unwrap_or(0) + 1;
            next.push(change.min(remove).min(add));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
