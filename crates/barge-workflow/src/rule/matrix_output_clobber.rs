//! matrix-output-clobber: the legs of a matrix write one output, and a consumer reads the last.
//!
//! ```yaml
//! build:
//!   strategy: {matrix: {arch: [amd64, arm64]}}
//!   outputs: {digest: "${{ steps.build.outputs.digest }}"}
//! ```

use crate::expression::Template;
use crate::finding::{Finding, Fix, Severity};

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
    let text = context.workflow.source.text();
    for job in &context.workflow.jobs {
        let legs = context
            .traces
            .iter()
            .map(|trace| trace.jobs.iter().filter(|leg| leg.id == job.id).count())
            .max()
            .unwrap_or(0);
        let symbolic = context
            .jobs()
            .any(|(_, leg)| leg.id == job.id && leg.symbolic_leg);
        if job.matrix.is_none() || (legs < 2 && !symbolic) {
            continue;
        }
        for (name, field) in &job.outputs {
            let per_build = Template::parse(&field.text)
                .expressions()
                .any(|expression| {
                    expression.path().is_some_and(|path| {
                        matches!(
                            path.as_slice(),
                            [
                                "steps",
                                _,
                                "outputs",
                                "digest"
                                    | "imageid"
                                    | "image-digest"
                                    | "image_digest"
                                    | "tags"
                                    | "metadata"
                            ]
                        )
                    })
                });
            let read = format!("needs.{}.outputs.{name}", job.id);
            if !per_build || !text.contains(&read) {
                continue;
            }
            let place = crate::flow::Place {
                source: context.workflow.source.clone(),
                span: field.span,
            };
            let mut finding = Context::finding(
                RULE.id,
                Severity::Warning,
                &place,
                format!(
                    "output `{name}` of job {} keeps the value of one leg",
                    job.id
                ),
            );
            if let Some(at) = text.find(&read) {
                finding = finding.with_evidence(
                    &context.workflow.source,
                    crate::source::Span::new(at, at + read.len()),
                    "read here",
                );
            }
            finding.fix = Some(Fix::advice("pass the values as artifacts, one per leg"));
            findings.push(finding);
        }
    }
}
