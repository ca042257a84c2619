//! load-bad-syntax: a `docker load` that cannot work as it is written.
//!
//! ```yaml
//! - run: docker load image.tar
//! - run: docker load < gzip -cd image.tar.gz
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::FactKind;

use super::Rule;
use super::context::{Context, case_of, case_words};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "load-bad-syntax",
    severity: Severity::Error,
    summary: "`docker load` is called in a way that cannot work",
    explanation: "`docker load` reads its standard input or the file of `-i`; it takes no arguments.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        for fact in &job.facts {
            let FactKind::BadLoad(reason) = &fact.kind else {
                continue;
            };
            let Some(case) = case_of(&job.condition.and(&fact.condition)) else {
                continue;
            };
            let mut finding =
                Context::finding(RULE.id, Severity::Error, &fact.place, reason.clone());
            finding.case = Some(case_words(trace, &case));
            finding.consequence = Some("the command fails".into());
            let text = fact.place.source.slice(fact.place.span);
            let simple = text
                .strip_prefix("docker load ")
                .filter(|rest| !rest.contains(['<', '|', '-', ' ']));
            finding.fix = Some(match simple {
                Some(_) => {
                    let at = crate::source::Span::new(
                        fact.place.span.start + "docker load ".len(),
                        fact.place.span.start + "docker load ".len(),
                    );
                    Fix::edit("docker load -i", &fact.place.source, at, "-i ")
                }
                None => Fix::advice("`docker load -i FILE`, or `gzip -cd FILE | docker load`"),
            });
            findings.push(finding);
        }
    }
}
