//! image-built-twice: what is tested and what is shipped come from two builds.
//!
//! ```yaml
//! - uses: docker/build-push-action@v6
//!   with: {load: true, tags: "app:test"}
//! - run: docker run app:test
//! - uses: docker/build-push-action@v6
//!   with: {push: true, tags: "ghcr.io/o/app:1"}
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Delivery, Fact, FactKind, JobTrace};
use crate::reference;
use crate::symbolic::Comparison;

use super::Rule;
use super::context::{Context, case_of, case_words, step_name};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "image-built-twice",
    severity: Severity::Warning,
    summary: "the image that is tested or scanned and the one that is pushed come from two builds",
    explanation: "Two builds of one context need not give the same bytes: base images move, packages are updated, the cache may miss. Test \
        by digest what was pushed, or push what was tested (`barge save`, `barge verify`).",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for trace in context.traces {
        for job in &trace.jobs {
            for fact in &job.facts {
                let FactKind::Built(shipped) = &fact.kind else {
                    continue;
                };
                if shipped.references.is_empty() || case_of(&shipped.to_registry).is_none() {
                    continue;
                }
                let Some((tester, tested, used)) = tested_build(job, fact, shipped) else {
                    continue;
                };
                let together = job
                    .condition
                    .and(&shipped.to_registry)
                    .and(&tested.condition);
                let Some(case) = case_of(&together) else {
                    continue;
                };
                let place = &fact.place;
                let message = "what is pushed here was not what was tested: it is a second build of the same context";
                let mut finding = Context::finding(RULE.id, Severity::Warning, place, message)
                    .with_evidence(
                        &tested.place.source,
                        tested.place.span,
                        format!(
                            "the tested image was built by {}",
                            step_name(tester, tested)
                        ),
                    )
                    .with_evidence(&used.place.source, used.place.span, "and used here");
                finding.case = Some(case_words(trace, &case));
                finding.fix = Some(Fix::advice(
                    "push the tested image, or test the pushed digest",
                ));
                findings.push(finding);
            }
        }
    }
}

/// An earlier build of the same recipe in this job that was loaded and then run or scanned.
fn tested_build<'a>(
    job: &'a JobTrace,
    shipped: &Fact,
    delivery: &Delivery,
) -> Option<(&'a JobTrace, &'a Fact, &'a Fact)> {
    for fact in &job.facts {
        if fact.place.span == shipped.place.span || fact.step >= shipped.step {
            continue;
        }
        let FactKind::Built(tested) = &fact.kind else {
            continue;
        };
        if tested.recipe != delivery.recipe
            || case_of(&tested.to_daemon).is_none()
            || case_of(&tested.to_registry).is_some()
        {
            continue;
        }
        let used = job.facts.iter().find(|used| match &used.kind {
            FactKind::Named(name, _, program) => {
                is_test(program)
                    && tested
                        .references
                        .iter()
                        .any(|own| reference::compare(own, name) == Comparison::Equal)
            }
            _ => false,
        });
        if let Some(used) = used {
            return Some((job, fact, used));
        }
    }
    None
}

fn is_test(program: &str) -> bool {
    [
        "docker run",
        "docker create",
        "trivy",
        "anchore",
        "scout",
        "snyk",
        "dockle",
        "container-scan",
    ]
    .iter()
    .any(|test| program.contains(test))
}
