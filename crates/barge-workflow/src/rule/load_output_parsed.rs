//! load-output-parsed: the name of a loaded image is read from the words of `docker load`.
//!
//! ```yaml
//! - run: IMAGE=$(docker load -i app.tar | sed 's/Loaded image: //')
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::FactKind;

use super::Rule;
use super::context::{Context, case_of};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "load-output-parsed",
    severity: Severity::Note,
    summary: "the image's name is taken from the printed words of `docker load`",
    explanation: "The words differ between daemons, and several images or an archive without names print other lines. Pass the name as an \
        output of the job that saved it.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (_, job) in context.jobs() {
        for fact in &job.facts {
            if !matches!(fact.kind, FactKind::LoadOutputRead)
                || case_of(&job.condition.and(&fact.condition)).is_none()
            {
                continue;
            }
            let mut finding = Context::finding(
                RULE.id,
                Severity::Note,
                &fact.place,
                "a name is read from the output of `docker load`",
            );
            finding.fix = Some(Fix::advice(
                "pass the name as an output of the job that saved the image",
            ));
            findings.push(finding);
        }
    }
}
