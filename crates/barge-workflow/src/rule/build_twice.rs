//! image-built-twice: what is tested and what is shipped come from two builds.
//!
//! ```yaml
//! - uses: docker/build-push-action@v6
//!   with: {load: true, tags: "app:test"}
//! - run: docker run app:test
//! - uses: docker/build-push-action@v6
//!   with: {push: true, tags: "ghcr.io/o/app:1"}
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{Delivery, Fact, FactKind};
use crate::reference;
use crate::symbolic::Comparison;

use super::Rule;
use super::context::{Context, Site, case_of, step_name};

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
    for site in context.sites() {
        if let FactKind::Built(shipped) = &site.fact.kind {
            findings.extend(report(&site, shipped));
        }
    }
}

fn report(site: &Site<'_>, shipped: &Delivery) -> Option<Finding> {
    if shipped.references.is_empty() || case_of(&shipped.to_registry).is_none() {
        return None;
    }
    let (tested, used) = tested_build(site, shipped)?;
    let case = site.case_when(&shipped.to_registry.and(&tested.condition))?;
    let message =
        "what is pushed here was not what was tested: it is a second build of the same context";
    let finding = RULE
        .finding(&site.fact.place, message)
        .with_evidence(
            &tested.place,
            format!(
                "the tested image was built by {}",
                step_name(site.job, tested)
            ),
        )
        .with_evidence(&used.place, "and used here")
        .in_case(case)
        .advised("push the tested image, or test the pushed digest");
    Some(finding)
}

/// An earlier build of the same recipe in this job that was loaded, and the place where it is run or scanned.
fn tested_build<'a>(site: &Site<'a>, shipped: &Delivery) -> Option<(&'a Fact, &'a Fact)> {
    let mut earlier = site
        .before()
        .iter()
        .filter(|fact| fact.step < site.fact.step);
    earlier.find_map(|fact| {
        let FactKind::Built(tested) = &fact.kind else {
            return None;
        };
        let same = tested.recipe == shipped.recipe
            && case_of(&tested.to_daemon).is_some()
            && case_of(&tested.to_registry).is_none();
        let mut uses = site.job.facts.iter().filter(|_| same);
        Some((fact, uses.find(|used| tests(used, tested))?))
    })
}

fn tests(used: &Fact, build: &Delivery) -> bool {
    let FactKind::Named(name, _, program) = &used.kind else {
        return false;
    };
    is_test(program)
        && build
            .references
            .iter()
            .any(|own| reference::compare(own, name) == Comparison::Equal)
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
