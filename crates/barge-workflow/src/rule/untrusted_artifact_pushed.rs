//! untrusted-artifact-pushed: an image from another run's artifact is pushed with this run's credentials.
//!
//! ```yaml
//! on: {workflow_run: {workflows: [Build]}}
//! steps:
//!   - uses: actions/download-artifact@v4
//!     with: {run-id: "${{ github.event.workflow_run.id }}", name: image}
//!   - run: docker load -i image.tar && docker push "$(cat name.txt)"
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{FactKind, FileUse};

use super::Rule;
use super::context::{Context, case_of, case_words};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "untrusted-artifact-pushed",
    severity: Severity::Error,
    summary: "an image and its name come from a pull request's artifact and are pushed with credentials",
    explanation: "A workflow_run workflow has the repository's secrets; the artifact comes from a run that a fork can control. Push only \
        under a name that this run decides, after checking the digest.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        if trace.scenario.event.as_deref() != Some("workflow_run") {
            continue;
        }
        let loaded = job
            .facts
            .iter()
            .find(|fact| matches!(fact.kind, FactKind::Read(_, FileUse::Load, _)));
        let Some(loaded) = loaded else { continue };
        for fact in &job.facts {
            let FactKind::Pushed(name) = &fact.kind else {
                continue;
            };
            let decided_here = name.symbols().all(|symbol| {
                symbol.name().starts_with("github.") || symbol.name().starts_with("lower(github.")
            });
            let Some(case) = case_of(&job.condition.and(&fact.condition))
                .filter(|_| !decided_here && fact.step >= loaded.step)
            else {
                continue;
            };
            let mut finding = Context::finding(
                RULE.id,
                Severity::Error,
                &fact.place,
                "an image from another run is pushed under a name that run chose",
            )
            .with_evidence(
                &loaded.place.source,
                loaded.place.span,
                "the image is loaded here",
            );
            finding.case = Some(case_words(trace, &case));
            finding.consequence =
                Some("a pull request can replace any tag the credentials reach".into());
            finding.fix = Some(Fix::advice(
                "fix the repository here, take no name from the artifact",
            ));
            findings.push(finding);
        }
    }
}
