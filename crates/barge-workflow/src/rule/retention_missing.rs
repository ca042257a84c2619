//! retention-missing: an image archive is kept for the default time.
//!
//! ```yaml
//! - uses: actions/upload-artifact@v4
//!   with: {name: image, path: image.tar}       # 90 days
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Artifact, Content, Trace, is_archive};

use super::Rule;
use super::context::{Context, case, shown};
use super::edit;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "retention-missing",
    severity: Severity::Note,
    summary: "an image archive is uploaded without `retention-days`",
    explanation: "An archive that only hands an image to the next job fills the storage for 90 days. `retention-days: 1` is enough.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for trace in context.traces {
        let artifacts = trace.artifacts.iter();
        findings.extend(artifacts.filter_map(|artifact| report(context, trace, artifact)));
    }
}

fn report(context: &Context<'_>, trace: &Trace, artifact: &Artifact) -> Option<Finding> {
    // A release asset is meant to stay.
    let is_release = artifact.name.describe().to_lowercase().contains("release");
    // The first version has no such input.
    let can_be_set = artifact.major.is_none_or(|major| major > 1);
    if artifact.retention || is_release || !can_be_set || !holds_images(artifact) {
        return None;
    }
    let message = format!(
        "the image archive {} is kept for the default time",
        shown(&artifact.name)
    );
    let finding = RULE
        .finding(&artifact.place, message)
        .in_case(case(trace, &artifact.condition)?)
        .mended_by(fix(context, artifact));
    Some(finding)
}

fn holds_images(artifact: &Artifact) -> bool {
    let mut files = artifact.files.iter();
    files.any(|file| matches!(file.content, Content::Images(_))) || is_called_images(artifact)
}

fn is_called_images(artifact: &Artifact) -> bool {
    let mut words = artifact.paths.iter().chain([&artifact.name]);
    artifact.paths.iter().any(is_archive)
        && words.any(|text| {
            let text = text.describe().to_lowercase();
            text.contains("image") || text.contains("docker")
        })
}

fn fix(context: &Context<'_>, artifact: &Artifact) -> Option<Fix> {
    let step = edit::step_at(context.workflow, &artifact.place)?;
    edit::with_input(context.workflow, step, "retention-days", "1")
}
