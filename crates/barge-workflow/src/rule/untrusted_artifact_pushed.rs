//! untrusted-artifact-pushed: an image from another run's artifact is pushed with this run's credentials.
//!
//! ```yaml
//! on: {workflow_run: {workflows: [Build]}}
//! steps:
//!   - uses: actions/download-artifact@v4
//!     with: {run-id: "${{ github.event.workflow_run.id }}", name: image}
//!   - run: docker load -i image.tar && docker push "$(cat name.txt)"
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{FactKind, FileUse};
use crate::reference::Name;

use super::Rule;
use super::context::{Context, Site};

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
    let after_other_run =
        |site: &Site<'_>| site.trace.scenario.event.as_deref() == Some("workflow_run");
    let sites = context.sites().filter(after_other_run);
    findings.extend(sites.filter_map(|site| report(&site)));
}

fn report(site: &Site<'_>) -> Option<Finding> {
    let FactKind::Pushed(name) = &site.fact.kind else {
        return None;
    };
    // A repository that this run fixes can be one for such images alone.
    let decided_here = Name::of(name).repository.symbols().all(|symbol| {
        let name = symbol.name();
        let name = name.strip_prefix("lower(").unwrap_or(name);
        ["github.", "vars.", "secrets.", "env."]
            .iter()
            .any(|context| name.starts_with(context))
    });
    let is_load = |kind: &FactKind| matches!(kind, FactKind::Read(_, FileUse::Load, _));
    let mut facts = site.job.facts.iter();
    let loaded = facts.find(|fact| is_load(&fact.kind) && fact.step <= site.fact.step)?;
    if decided_here {
        return None;
    }
    let message = "an image from another run is pushed under a name that run chose";
    let finding = RULE
        .finding(&site.fact.place, message)
        .with_evidence(&loaded.place, "the image is loaded here")
        .in_case(site.case()?)
        .then("a pull request can replace any tag the credentials reach")
        .advised("fix the repository here, take no name from the artifact");
    Some(finding)
}
