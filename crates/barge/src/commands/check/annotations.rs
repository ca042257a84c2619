//! The findings as annotations that GitHub shows beside the code.

use barge_forge::{Annotation, Level};
use barge_workflow::{Finding, Severity};

use super::Outcome;
use crate::context::Context;

pub(super) fn write(context: &Context, outcomes: &[Outcome]) {
    for finding in outcomes.iter().flat_map(|outcome| &outcome.findings) {
        context.printer.command(&annotation(finding).command());
    }
}

fn annotation(finding: &Finding) -> Annotation {
    let parts = [
        Some(finding.message.clone()),
        finding.case.as_ref().map(ToString::to_string),
        finding.consequence.clone(),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    Annotation {
        level: match finding.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
            Severity::Note => Level::Notice,
        },
        title: format!("barge {}", finding.rule),
        message: parts.join("\n"),
        place: Some((
            finding.place.source.path().into(),
            u32::try_from(finding.place.line()).unwrap_or(u32::MAX),
        )),
    }
}
