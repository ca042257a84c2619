//! load-output-parsed: the name of a loaded image is read from the words of `docker load`.
//!
//! ```yaml
//! - run: IMAGE=$(docker load -i app.tar | sed 's/Loaded image: //')
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::FactKind;

use super::Rule;
use super::context::Context;

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
    let read = context
        .sites()
        .filter(|site| matches!(site.fact.kind, FactKind::LoadOutputRead));
    for site in read.filter(|site| site.case().is_some()) {
        let message = "a name is read from the output of `docker load`";
        let finding = RULE
            .finding(&site.fact.place, message)
            .advised("pass the name as an output of the job that saved the image");
        findings.push(finding);
    }
}
