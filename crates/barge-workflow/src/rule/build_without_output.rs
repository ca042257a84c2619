//! build-without-output: a build's result goes nowhere, and an archive of it is expected.
//!
//! ```yaml
//! - uses: docker/setup-buildx-action@v3
//! - uses: docker/build-push-action@v6
//!   with: {tags: "app:1"}               # neither load, nor push, nor outputs
//! - uses: actions/upload-artifact@v4
//!   with: {name: image, path: /tmp/image.tar}
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{Delivery, FactKind, FileUse, Resolution, is_archive};
use crate::symbolic::Condition;

use super::Rule;
use super::context::{Context, FileRead, Site, case_of, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "build-without-output",
    severity: Severity::Error,
    summary: "a build keeps its result to itself, and an image archive is uploaded that nothing writes",
    explanation: "A build in a builder of its own without `load`, `push` or `outputs` leaves its result in the builder's cache. Add \
        `outputs: type=docker,dest=FILE`.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for site in context.sites() {
        if let FactKind::Built(delivery) = &site.fact.kind
            && goes_nowhere(&site, delivery)
        {
            findings.extend(report(context, &site));
        }
    }
}

pub(super) fn goes_nowhere(site: &Site<'_>, build: &Delivery) -> bool {
    [&build.to_daemon, &build.to_registry, &build.to_file]
        .iter()
        .all(|goes| **goes == Condition::Never || case_of(&site.condition().and(goes)).is_none())
}

fn report(context: &Context<'_>, site: &Site<'_>) -> Option<Finding> {
    let expected = context
        .reads()
        .find(|read| std::ptr::eq(read.site.job, site.job) && is_expected(read, site))?;
    let written = site
        .before()
        .iter()
        .any(|fact| matches!(&fact.kind, FactKind::Written(file, _) if is_archive(file)));
    if written {
        return None;
    }
    let finding = RULE
        .finding(&site.fact.place, "the result of this build goes nowhere")
        .with_evidence(
            &expected.site.fact.place,
            format!(
                "{} is uploaded, and nothing writes it",
                shown(expected.file)
            ),
        )
        .in_case(site.case()?)
        .then("nothing is uploaded; the job stays green and its consumers fail")
        .advised(format!(
            "outputs: type=docker,dest={}",
            expected.file.describe()
        ));
    Some(finding)
}

/// An archive that is uploaded after the build and that nothing is known to write.
fn is_expected(read: &FileRead<'_>, site: &Site<'_>) -> bool {
    read.usage == FileUse::Upload
        && read.site.number > site.number
        && is_archive(read.file)
        && matches!(read.resolution, Resolution::Absent(_))
}
