//! The findings in the model that all reports share, for SARIF.

use barge_report::{Level, Location, Report, Tool};
use barge_workflow::{Severity, rule};

use super::Outcome;
use super::baseline::numbered;

/// The findings in the model that all reports share.
pub(super) fn report(outcomes: &[Outcome]) -> Report {
    let level = |severity| match severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Note,
    };
    let rules = rule::RULES.iter().map(|rule| barge_report::Rule {
        id: rule.id.into(),
        name: camel_case(rule.id),
        summary: rule.summary.into(),
        description: rule.explanation.into(),
        help: rule.explanation.into(),
        level: level(rule.severity),
        tags: vec!["hand-off".into()],
        ..barge_report::Rule::default()
    });
    let findings = outcomes
        .iter()
        .flat_map(|outcome| numbered(&outcome.findings))
        .map(|(finding, identity, nth)| {
            let end = finding.place.source.position(finding.place.span.end);
            let whole = [
                Some(finding.message.clone()),
                finding.case.as_ref().map(ToString::to_string),
                finding.consequence.clone(),
            ];
            barge_report::Finding {
                rule: finding.rule.into(),
                level: level(finding.severity),
                message: whole.into_iter().flatten().collect::<Vec<_>>().join("; "),
                locations: vec![Location {
                    path: finding.place.source.path().into(),
                    line: number(finding.position().line),
                    column: Some(number(finding.position().column)),
                    end_line: Some(number(end.line)),
                    end_column: Some(number(end.column)),
                }],
                // Equal lines are alerts of their own.
                fingerprint: format!("{identity}:{nth}"),
                ..barge_report::Finding::default()
            }
        });
    Report {
        tool: Tool {
            name: "barge".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            url: env!("CARGO_PKG_REPOSITORY").into(),
        },
        subject: "workflows".into(),
        category: "barge-check".into(),
        rules: rules.collect(),
        findings: findings.collect(),
        ..Report::default()
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn camel_case(id: &str) -> String {
    id.split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(letters).collect()
            })
        })
        .collect()
}
