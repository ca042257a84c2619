//! artifact-not-uploaded: an artifact is downloaded that no step uploads.
//!
//! ```yaml
//! build: {steps: [{uses: actions/upload-artifact@v4, with: {name: docker-image, path: x.tar}}]}
//! test:  {needs: build, steps: [{uses: actions/download-artifact@v4, with: {name: docker-images}}]}
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{FactKind, Trace};
use crate::symbolic::{Comparison, Text};

use super::Rule;
use super::context::{Context, case_of, case_words, shown};

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
    for (trace, job) in context.jobs() {
        for fact in &job.facts {
            let FactKind::Downloaded(Some(name), candidates) = &fact.kind else {
                continue;
            };
            if !candidates.is_empty()
                || fact.tolerated
                || trace.foreign_artifacts.is_some()
                || has_unseen_uploads(trace)
            {
                continue;
            }
            let uploaded_otherwise = context.traces.iter().any(|other| {
                other
                    .artifacts
                    .iter()
                    .any(|artifact| artifact.answers(name) != Comparison::Different)
            });
            let Some(case) =
                case_of(&job.condition.and(&fact.condition)).filter(|_| !uploaded_otherwise)
            else {
                continue;
            };
            let mut finding = Context::finding(
                RULE.id,
                Severity::Error,
                &fact.place,
                format!("no step uploads the artifact {}", shown(name)),
            );
            let near = nearest(trace, name);
            for artifact in trace.artifacts.iter().take(4) {
                finding = finding.with_evidence(
                    &artifact.place.source,
                    artifact.place.span,
                    format!(
                        "{} is uploaded by job {}",
                        shown(&artifact.name),
                        artifact.job
                    ),
                );
            }
            finding.case = Some(case_words(trace, &case));
            finding.consequence = Some("download-artifact fails: \"Artifact not found\"".into());
            finding.fix = near.map(|near| {
                let text = fact.place.source.slice(fact.place.span);
                match (near.as_literal(), name.as_literal()) {
                    (Some(new), Some(old)) if text == old => Fix::edit(
                        format!("download `{new}`"),
                        &fact.place.source,
                        fact.place.span,
                        new,
                    ),
                    _ => Fix::advice(format!("download {}", shown(near))),
                }
            });
            findings.push(finding);
        }
    }
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
