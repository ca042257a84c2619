//! matrix-output-clobber: the legs of a matrix write one output, and a consumer reads the last.
//!
//! ```yaml
//! build:
//!   strategy: {matrix: {arch: [amd64, arm64]}}
//!   outputs: {digest: "${{ steps.build.outputs.digest }}"}
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{JobTrace, Place};
use crate::model::{Field, Job};
use crate::source::Span;
use crate::symbolic::Comparison;

use super::Rule;
use super::context::Context;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "matrix-output-clobber",
    severity: Severity::Warning,
    summary: "all legs of a matrix write the same job output, of which one survives",
    explanation: "The last leg that ends sets the output. Write one output per leg, or pass the values as artifacts.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let jobs = context.workflow.jobs.iter();
    for job in jobs.filter(|job| job.matrix.is_some() && has_legs(context, job)) {
        for (name, field) in &job.outputs {
            findings.extend(report(context, job, name, field));
        }
    }
}

fn has_legs(context: &Context<'_>, job: &Job) -> bool {
    context.traces.iter().any(|trace| {
        let mut legs = trace.jobs.iter().filter(|leg| leg.id == job.id);
        legs.next()
            .is_some_and(|first| first.symbolic_leg || legs.next().is_some())
    })
}

fn report(context: &Context<'_>, job: &Job, name: &str, field: &Field) -> Option<Finding> {
    let source = &context.workflow.source;
    let read = format!("needs.{}.outputs.{name}", job.id);
    let at = source.text().find(&read)?;
    if !is_of_one_build(job, field) && !differs(context, job, name) {
        return None;
    }
    let message = format!(
        "output `{name}` of job {} keeps the value of one leg",
        job.id
    );
    let reader = Place::new(source, Span::new(at, at + read.len()));
    let finding = RULE
        .finding(&Place::new(source, field.span), message)
        .with_evidence(&reader, "read here")
        .advised("pass the values as artifacts, one per leg");
    Some(finding)
}

/// Two legs give names of different images, or parts of them.
fn differs(context: &Context<'_>, job: &Job, output: &str) -> bool {
    let speaks = ["image", "tag", "digest", "ref"]
        .iter()
        .any(|word| output.contains(word));
    let given = |leg: &JobTrace| {
        let text = leg.outputs.get(output)?.sole_text()?;
        (!text.is_empty()).then_some(text)
    };
    speaks
        && context.traces.iter().any(|trace| {
            let legs = trace
                .jobs
                .iter()
                .filter(|leg| leg.id == job.id && !leg.symbolic_leg);
            let mut given = legs.filter_map(given);
            given.next().is_some_and(|first| {
                given.any(|other| other.compare(&first) == Comparison::Different)
            })
        })
}

/// The value is an output that each build has its own of.
fn is_of_one_build(job: &Job, field: &Field) -> bool {
    const OUTPUTS: [&str; 6] = [
        "digest",
        "imageid",
        "image-digest",
        "image_digest",
        "tags",
        "metadata",
    ];
    field.template().expressions().any(|expression| {
        let path = expression.path().unwrap_or_default();
        matches!(path.as_slice(), ["steps", id, "outputs", output]
            if OUTPUTS.contains(output) && !is_same_for_all_legs(job, id, output))
    })
}

/// A list that a script makes without asking for the matrix.
fn is_same_for_all_legs(job: &Job, id: &str, output: &str) -> bool {
    let mut steps = job.steps.iter();
    let step = steps.find(|step| {
        step.id
            .as_ref()
            .is_some_and(|own| own.text.eq_ignore_ascii_case(id))
    });
    let script = step.and_then(|step| step.run.as_ref());
    matches!(output, "tags" | "metadata")
        && script.is_some_and(|script| !script.text.contains("matrix."))
}
