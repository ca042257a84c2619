//! metadata-ignored: metadata-action computes tags that nothing uses.
//!
//! ```yaml
//! - id: meta
//!   uses: docker/metadata-action@v5
//! - uses: docker/build-push-action@v6
//!   with: {tags: "app:latest"}
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::FactKind;

use super::Rule;
use super::context::Context;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "metadata-ignored",
    severity: Severity::Note,
    summary: "metadata-action computes tags, and references are typed by hand",
    explanation: "The tags of the build and those of the metadata step drift apart. Use `steps.ID.outputs.tags`, or drop the step.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let text = context.workflow.source.text();
    for job in &context.workflow.jobs {
        for step in &job.steps {
            let Some((name, _)) = step.action() else {
                continue;
            };
            if !name.eq_ignore_ascii_case("docker/metadata-action") {
                continue;
            }
            let used = match &step.id {
                Some(id) => [
                    "tags",
                    "json",
                    "bake-file",
                    "bake-file-tags",
                    "version",
                    "tag-names",
                ]
                .iter()
                .any(|output| text.contains(&format!("steps.{}.outputs.{output}", id.text))),
                None => false,
            };
            if used || text.contains("DOCKER_METADATA_OUTPUT") {
                continue;
            }
            let built = context.jobs().filter(|(_, leg)| leg.id == job.id).find_map(|(_, leg)| {
                leg.facts.iter().find(|fact| matches!(&fact.kind, FactKind::Built(delivery) if !delivery.references.is_empty() && !delivery.from_metadata))
            });
            let Some(built) = built else { continue };
            let place = crate::flow::Place {
                source: context.workflow.source.clone(),
                span: step.uses.as_ref().map_or(step.span, |uses| uses.span),
            };
            let mut finding = Context::finding(
                RULE.id,
                Severity::Note,
                &place,
                "the tags computed here are used nowhere",
            )
            .with_evidence(
                &built.place.source,
                built.place.span,
                "the image is named by hand here",
            );
            finding.fix = Some(Fix::advice("tags: ${{ steps.ID.outputs.tags }}"));
            findings.push(finding);
        }
    }
}
