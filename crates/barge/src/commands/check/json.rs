//! The findings as JSON.

use std::collections::BTreeMap;

use barge_workflow::Finding;
use serde::Serialize;

use super::Outcome;

const SCHEMA: &str = "barge/check/v1";

#[derive(Serialize)]
pub(super) struct CheckJson<'a> {
    schema: &'static str,
    files: usize,
    ignored: usize,
    mended: usize,
    counts: BTreeMap<String, usize>,
    findings: Vec<FindingJson<'a>>,
    unreadable: Vec<UnreadableJson<'a>>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    rule: &'a str,
    severity: String,
    path: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    message: &'a str,
    case: Option<String>,
    consequence: Option<&'a str>,
    evidence: Vec<EvidenceJson<'a>>,
    fix: Option<FixJson<'a>>,
}

#[derive(Serialize)]
struct EvidenceJson<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
}

#[derive(Serialize)]
struct FixJson<'a> {
    message: &'a str,
    edits: Vec<EditJson<'a>>,
}

#[derive(Serialize)]
struct EditJson<'a> {
    path: &'a str,
    start: usize,
    end: usize,
    replacement: &'a str,
}

#[derive(Serialize)]
struct UnreadableJson<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    reason: &'a str,
}

/// The whole result.
pub(super) fn json(outcomes: &[Outcome]) -> CheckJson<'_> {
    let findings = outcomes.iter().flat_map(|outcome| &outcome.findings);
    let mut counts = BTreeMap::new();
    for finding in findings.clone() {
        *counts.entry(finding.severity.to_string()).or_insert(0) += 1;
    }
    CheckJson {
        schema: SCHEMA,
        files: outcomes.len(),
        ignored: outcomes.iter().map(|outcome| outcome.ignored).sum(),
        mended: outcomes
            .iter()
            .filter_map(|outcome| outcome.mended.as_ref())
            .map(|(_, count)| count)
            .sum(),
        counts,
        findings: findings.map(finding_json).collect(),
        unreadable: outcomes
            .iter()
            .filter_map(|outcome| {
                let unreadable = outcome.unreadable.as_ref()?;
                Some(UnreadableJson {
                    path: &outcome.file.shown,
                    line: unreadable.line,
                    column: unreadable.column,
                    reason: &unreadable.reason,
                })
            })
            .collect(),
    }
}

fn finding_json(finding: &Finding) -> FindingJson<'_> {
    let (start, end) = (
        finding.position(),
        finding.place.source.position(finding.place.span.end),
    );
    FindingJson {
        rule: finding.rule,
        severity: finding.severity.to_string(),
        path: finding.place.source.path(),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        message: &finding.message,
        case: finding.case.as_ref().map(ToString::to_string),
        consequence: finding.consequence.as_deref(),
        evidence: finding
            .evidence
            .iter()
            .map(|evidence| {
                let place = evidence.place.position();
                EvidenceJson {
                    path: evidence.place.source.path(),
                    line: place.line,
                    column: place.column,
                    message: &evidence.message,
                }
            })
            .collect(),
        fix: finding.fix.as_ref().map(|fix| FixJson {
            message: &fix.message,
            edits: fix
                .edits
                .iter()
                .map(|edit| EditJson {
                    path: &edit.path,
                    start: edit.span.start,
                    end: edit.span.end,
                    replacement: &edit.replacement,
                })
                .collect(),
        }),
    }
}
