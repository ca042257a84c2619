//! retention-missing: an image archive is kept for the default time.
//!
//! ```yaml
//! - uses: actions/upload-artifact@v4
//!   with: {name: image, path: image.tar}       # 90 days
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Artifact, Content, Trace};
use crate::source::Span;

use super::Rule;
use super::context::{Context, case_of, case_words, shown};

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
        for artifact in &trace.artifacts {
            if artifact.retention || !holds_images(artifact) || !is_handed_over(trace, artifact) {
                continue;
            }
            let Some(case) = case_of(&artifact.condition) else {
                continue;
            };
            let mut finding = Context::finding(
                RULE.id,
                Severity::Note,
                &artifact.place,
                format!(
                    "the image archive {} is kept for the default time",
                    shown(&artifact.name)
                ),
            );
            finding.case = Some(case_words(trace, &case));
            finding.fix = fix(artifact);
            findings.push(finding);
        }
    }
}

fn holds_images(artifact: &Artifact) -> bool {
    let known = artifact
        .files
        .iter()
        .any(|file| matches!(file.content, Content::Images(_)));
    let named = || {
        let words = artifact
            .paths
            .iter()
            .map(crate::symbolic::Text::describe)
            .chain([artifact.name.describe()])
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase();
        let archive = artifact.paths.iter().any(|path| {
            [".tar", ".tar.gz", ".tgz", ".tar.zst"]
                .iter()
                .any(|end| path.literal_end().ends_with(end))
        });
        archive && (words.contains("image") || words.contains("docker"))
    };
    known || named()
}

/// A release asset is meant to stay; an artifact that a later job downloads is a hand-over, and so is one nobody reads by name.
fn is_handed_over(_: &Trace, artifact: &Artifact) -> bool {
    !artifact.name.describe().to_lowercase().contains("release")
}

/// `retention-days: 1` below the name.
fn fix(artifact: &Artifact) -> Option<Fix> {
    let span = artifact.name_field?;
    let source = &artifact.place.source;
    let line = source.line_of(span.start);
    let text = source.line(line);
    let indent = text.len() - text.trim_start().len();
    if !text.trim_start().starts_with("name:") {
        return None;
    }
    let at = source.line_end(line);
    let insertion = format!("\n{}retention-days: 1", " ".repeat(indent));
    Some(Fix::edit(
        "retention-days: 1",
        source,
        Span::new(at, at),
        insertion,
    ))
}
