//! artifact-not-uploaded: an artifact is downloaded that no step uploads.
//!
//! ```yaml
//! build: {steps: [{uses: actions/upload-artifact@v4, with: {name: docker-image, path: x.tar}}]}
//! test:  {needs: build, steps: [{uses: actions/download-artifact@v4, with: {name: docker-images}}]}
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{Artifact, FactKind, Trace, covers};
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
        match &site.fact.kind {
            FactKind::Downloaded(Some(name), candidates) if candidates.is_empty() => {
                findings.extend(report(context, &site, name));
            }
            FactKind::Downloaded(None, candidates) if candidates.is_empty() => {
                findings.extend(unmatched(context, &site));
            }
            _ => {}
        }
    }
}

/// A `pattern:` that the name of no upload fits: nothing is downloaded, and the step stays green.
fn unmatched(context: &Context<'_>, site: &Site<'_>) -> Option<Finding> {
    let place = &site.fact.place;
    let asks = site.step()?.place.text().contains("pattern:");
    let pattern = Text::literal(place.text().trim_matches(['\'', '"']));
    let mut uploads = context.traces.iter().flat_map(|trace| &trace.artifacts);
    let fits = uploads.any(|artifact| covers(&pattern, &artifact.name) != Comparison::Different);
    if !asks || pattern.contains("${{") || fits || site.trace.artifacts.is_empty() {
        return None;
    }
    let message = format!("no step uploads an artifact that fits {}", shown(&pattern));
    let finding = RULE.finding(place, message).in_case(site.case()?);
    let artifacts = site.trace.artifacts.iter().take(4);
    let finding = artifacts.fold(finding, |finding, artifact| {
        finding.with_evidence(&artifact.place, uploaded(artifact))
    });
    Some(finding.then("nothing is downloaded, and what reads the files fails"))
}

fn uploaded(artifact: &Artifact) -> String {
    let name = shown(&artifact.name);
    format!("{name} is uploaded by job {}", artifact.job)
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
        finding = finding.with_evidence(&artifact.place, uploaded(artifact));
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
