//! ref-retyped: a reference is typed by hand though a step hands it out.
//!
//! ```yaml
//! - id: meta
//!   uses: docker/metadata-action@v5
//! - uses: docker/build-push-action@v6
//!   with: {load: true, tags: "${{ steps.meta.outputs.tags }}"}
//! - run: docker save ghcr.io/o/app:pr-${{ github.event.pull_request.number }} -o app.tar
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{FactKind, Need};
use crate::reference;
use crate::symbolic::Comparison;

use super::Rule;
use super::context::{Context, case_of, case_words, shown, step_name};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "ref-retyped",
    severity: Severity::Note,
    summary: "a reference that metadata-action hands out is typed by hand",
    explanation: "The two derivations give the same value today and will not after the next change of one of them. Use the output.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        for (number, fact) in job.facts.iter().enumerate() {
            let FactKind::Named(name, Need::Local, program) = &fact.kind else {
                continue;
            };
            let built = job
                .facts
                .iter()
                .take(number)
                .find(|built| match &built.kind {
                    FactKind::Built(delivery) => {
                        delivery.from_metadata
                            && delivery
                                .references
                                .iter()
                                .any(|made| reference::compare(made, name) == Comparison::Equal)
                    }
                    _ => false,
                });
            let Some(built) = built else { continue };
            let Some(case) = case_of(&job.condition.and(&fact.condition)) else {
                continue;
            };
            // A value that came through the output is no second derivation.
            let text = job
                .steps
                .get(fact.step)
                .map_or("", |step| step.place.source.slice(step.place.span));
            let from_output = [
                ".outputs.tags",
                ".outputs.json",
                ".outputs.version",
                "METADATA_OUTPUT",
            ]
            .iter()
            .any(|output| text.contains(output));
            if from_output {
                continue;
            }
            let message = format!("{program} names by hand what metadata-action hands out");
            let mut finding = Context::finding(RULE.id, Severity::Note, &fact.place, message)
                .with_evidence(
                    &fact.place.source,
                    fact.place.span,
                    format!("= {}", shown(name)),
                )
                .with_evidence(
                    &built.place.source,
                    built.place.span,
                    format!("the same value is given to {}", step_name(job, built)),
                );
            finding.case = Some(case_words(trace, &case));
            finding.fix = Some(Fix::advice(
                "take the name from the `tags` output of the metadata step",
            ));
            findings.push(finding);
        }
    }
}
