//! load-multi-platform: several platforms are built into a daemon that holds one.
//!
//! ```yaml
//! - uses: docker/build-push-action@v6
//!   with: {platforms: "linux/amd64,linux/arm64", load: true}
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{FactKind, Place};

use super::Rule;
use super::context::{Context, Site, case_of};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "load-multi-platform",
    severity: Severity::Warning,
    summary: "a build for several platforms is loaded into the daemon",
    explanation: "The classic image store holds one platform a tag: \"docker exporter does not currently support exporting manifest lists\". \
        It works on the containerd store only. Build one platform where the image is loaded.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    // The store that holds several platforms is switched on.
    if !context
        .workflow
        .source
        .text()
        .contains("containerd-snapshotter")
    {
        findings.extend(context.sites().filter_map(|site| report(&site)));
    }
}

fn report(site: &Site<'_>) -> Option<Finding> {
    let FactKind::Built(delivery) = &site.fact.kind else {
        return None;
    };
    let (count, case) = delivery.platforms.iter().find_map(|(when, count)| {
        let count = count.filter(|count| *count > 1)?;
        let loads = delivery.loads.or(&delivery.to_docker_archive);
        Some((count, site.case_when(&loads.and(when))?))
    })?;
    let message = if case_of(&delivery.loads).is_some() {
        format!("{count} platforms are loaded into the daemon")
    } else {
        format!("{count} platforms are written to one docker archive")
    };
    let finding = RULE
        .finding(&load_switch(site), message)
        .in_case(case)
        .then("the build fails on the classic image store")
        .advised("build one platform when the image is loaded");
    Some(finding)
}

/// Where the build is told to load.
fn load_switch(site: &Site<'_>) -> Place {
    let place = match site.step() {
        Some(step) if step.kind != "run" => &step.place,
        _ => &site.fact.place,
    };
    let text = place.text();
    let found = ["load:", "--load", "type=docker"]
        .iter()
        .find_map(|word| text.find(word));
    found.map_or_else(|| place.clone(), |at| place.part(at, at + 4))
}
