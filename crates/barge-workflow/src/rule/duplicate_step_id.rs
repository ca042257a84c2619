//! duplicate-step-id: two steps of a job have one id.
//!
//! ```yaml
//! - {id: build, run: docker build -t a .}
//! - {id: build, run: docker build -t b .}
//! ```

use std::collections::BTreeMap;

use crate::finding::{Finding, Severity};
use crate::flow::Place;

use super::Rule;
use super::context::Context;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "duplicate-step-id",
    severity: Severity::Error,
    summary: "two steps of a job have the same id",
    explanation: "GitHub refuses the workflow. Ids tell outputs apart, and must differ within a job.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let source = &context.workflow.source;
    for job in &context.workflow.jobs {
        let mut seen = BTreeMap::new();
        for id in job.steps.iter().filter_map(|step| step.id.as_ref()) {
            let Some(first) = seen.insert(id.text.to_lowercase(), id.span) else {
                continue;
            };
            let message = format!("the id `{}` is taken", id.text);
            let finding = RULE
                .finding(&Place::new(source, id.span), message)
                .with_evidence(&Place::new(source, first), "by this step");
            findings.push(finding);
        }
    }
}
