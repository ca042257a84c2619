//! ref-retyped: a reference is typed by hand though a step hands it out.
//!
//! ```yaml
//! - id: meta
//!   uses: docker/metadata-action@v5
//! - uses: docker/build-push-action@v6
//!   with: {load: true, tags: "${{ steps.meta.outputs.tags }}"}
//! - run: docker save ghcr.io/o/app:pr-${{ github.event.pull_request.number }} -o app.tar
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{FactKind, JobTrace, Need};
use crate::reference;
use crate::symbolic::{Comparison, Text, Value};

use super::Rule;
use super::context::{Context, ImageUse, shown, step_name};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "ref-retyped",
    severity: Severity::Note,
    summary: "a reference that metadata-action hands out is typed by hand",
    explanation: "The two derivations give the same value today and will not after the next change of one of them. Use the output.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let images = context.images().iter();
    let local = images.filter(|usage| usage.need == Need::Local && !comes_from_output(usage));
    findings.extend(local.filter_map(report));
}

fn report(usage: &ImageUse<'_>) -> Option<Finding> {
    let site = &usage.site;
    let built = site.before().iter().find(|built| {
        matches!(&built.kind, FactKind::Built(delivery) if delivery.from_metadata
            && delivery.references.iter().any(|made| reference::compare(made, usage.name) == Comparison::Equal))
    })?;
    if !is_handed_out(site.job, usage.name) {
        return None;
    }
    let place = &site.fact.place;
    let message = format!(
        "{} names by hand what metadata-action hands out",
        usage.program
    );
    let finding = RULE
        .finding(place, message)
        .with_evidence(place, format!("= {}", shown(usage.name)))
        .with_evidence(
            &built.place,
            format!("the same value is given to {}", step_name(site.job, built)),
        )
        .in_case(site.case()?)
        .advised("take the name from the `tags` output of the metadata step");
    Some(finding)
}

/// A metadata step gives the name: a list can hold others beside its output.
fn is_handed_out(job: &JobTrace, name: &Text) -> bool {
    let mut steps = job.steps.iter();
    steps.any(|step| {
        let tags = step.outputs.get("tags").map(Value::texts);
        let mut lists = tags.into_iter().flatten();
        lists.any(|(_, list)| {
            let mut lines = list.lines().into_iter();
            lines.any(|line| reference::compare(&line, name) == Comparison::Equal)
        })
    })
}

/// A value that came through the output is no second derivation.
fn comes_from_output(usage: &ImageUse<'_>) -> bool {
    let text = usage.site.step().map_or("", |step| step.place.text());
    [
        ".outputs.tags",
        ".outputs.json",
        ".outputs.version",
        "METADATA_OUTPUT",
    ]
    .iter()
    .any(|output| text.contains(output))
}
