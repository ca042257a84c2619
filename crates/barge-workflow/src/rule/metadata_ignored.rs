//! metadata-ignored: metadata-action computes tags that nothing uses.
//!
//! ```yaml
//! - id: meta
//!   uses: docker/metadata-action@v5
//! - uses: docker/build-push-action@v6
//!   with: {tags: "app:latest"}
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{Fact, FactKind, Place};
use crate::model::{Job, Step};

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
    for job in &context.workflow.jobs {
        let steps = job.steps.iter();
        findings.extend(steps.filter_map(|step| report(context, job, step)));
    }
}

fn report(context: &Context<'_>, job: &Job, step: &Step) -> Option<Finding> {
    let (name, _) = step.action()?;
    let ignored = name.eq_ignore_ascii_case("docker/metadata-action") && !is_used(context, step);
    let built = Some(job)
        .filter(|_| ignored)
        .and_then(|job| named_by_hand(context, job))?;
    let span = step.uses.as_ref().map_or(step.span, |uses| uses.span);
    let place = Place::new(&context.workflow.source, span);
    let finding = RULE
        .finding(&place, "the tags computed here are used nowhere")
        .with_evidence(&built.place, "the image is named by hand here")
        .advised(match &step.id {
            Some(id) => format!("tags: ${{{{ steps.{}.outputs.tags }}}}", id.text),
            None => "give the step `id: meta`, then tags: ${{ steps.meta.outputs.tags }}".into(),
        });
    Some(finding)
}

/// Some output of it that tells names is read.
fn is_used(context: &Context<'_>, step: &Step) -> bool {
    const OUTPUTS: [&str; 6] = [
        "tags",
        "json",
        "bake-file",
        "bake-file-tags",
        "version",
        "tag-names",
    ];
    let text = context.workflow.source.text();
    let read = step.id.as_ref().is_some_and(|id| {
        OUTPUTS
            .iter()
            .any(|output| text.contains(&format!("steps.{}.outputs.{output}", id.text)))
    });
    read || text.contains("DOCKER_METADATA_OUTPUT")
}

fn named_by_hand<'a>(context: &Context<'a>, job: &Job) -> Option<&'a Fact> {
    let mut sites = context.sites().filter(|site| site.job.id == job.id);
    let built = sites.find(|site| match &site.fact.kind {
        FactKind::Built(delivery) => !delivery.references.is_empty() && !delivery.from_metadata,
        FactKind::Named(_, _, program) => program == "docker run",
        _ => false,
    });
    built.map(|site| site.fact)
}
