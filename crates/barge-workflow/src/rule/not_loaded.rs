//! not-loaded: an image was built in a builder of its own and never came into the daemon.
//!
//! ```yaml
//! - uses: docker/setup-buildx-action@v3
//! - uses: docker/build-push-action@v6
//!   with: {tags: "app:1"}            # neither load, nor push, nor outputs
//! - run: docker run app:1
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Delivery, Fact, FactKind, Need, Place, Store};
use crate::reference;
use crate::symbolic::{Comparison, Condition};

use super::Rule;
use super::context::{Context, ImageUse, case_of, shown, step_name};
use super::edit;
use super::ref_mismatch::pushed_in_run;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "not-loaded",
    severity: Severity::Error,
    summary: "an image is built and not loaded into the daemon, and then used by name",
    explanation: "With setup-buildx-action the build runs in a container of its own and its result stays in that builder's cache, \
        unless `load`, `push` or `outputs` say otherwise. Add `load: true`, or `outputs: type=docker,dest=FILE` when it is only saved. \
        podman and docker do not see each other's images either.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let images = context.images().iter();
    for usage in images.filter(|usage| usage.need != Need::Remote) {
        let mut built = usage.presence.built.iter();
        let finding = built.find_map(|built| report(context, usage, built));
        let finding = finding.or_else(|| other_store(usage));
        findings.extend(finding.map(|finding| usage.site.weighed(finding)));
    }
}

/// An image that another engine holds: docker and podman do not see each other's.
fn other_store(usage: &ImageUse<'_>) -> Option<Finding> {
    let (site, presence) = (&usage.site, &usage.presence);
    let made = presence.other_store.last()?;
    let shared = site.job.steps.iter().any(|step| {
        [
            "podman.sock",
            "podman-docker",
            "DOCKER_HOST",
            "docker=podman",
        ]
        .iter()
        .any(|word| step.script.contains(word))
    });
    let exact = matches!(&made.kind, FactKind::Present(name, _) if reference::compare(name, usage.name) == Comparison::Equal);
    if !exact
        || shared
        || !presence.is_empty()
        || usage.need == Need::Remote
        || pushed_in_run(usage)
    {
        return None;
    }
    let case = site.case_when(&presence.opaque.negate().and(&made.condition))?;
    let (own, other) = match made.store {
        Store::Docker => ("podman", "docker"),
        Store::Podman => ("docker", "podman"),
    };
    let place = &site.fact.place;
    let message = format!(
        "{} looks for the image with {own}, and it is in {other}'s store",
        usage.program
    );
    let finding = RULE
        .finding(place, message)
        .with_evidence(place, format!("names {}", shown(usage.name)))
        .with_evidence(
            &made.place,
            format!("{} gives it to {other} alone", step_name(site.job, made)),
        )
        .in_case(case)
        .then(format!("{own} does not know the image"))
        .advised(format!(
            "hand it over with `{other} save NAME | {own} load`, or give the archive of `{other} save`"
        ));
    Some(finding)
}

fn report(context: &Context<'_>, usage: &ImageUse<'_>, built: &Fact) -> Option<Finding> {
    let FactKind::Built(delivery) = &built.kind else {
        return None;
    };
    let site = &usage.site;
    let mut missing = usage.presence.possible().negate().and(&built.condition);
    if usage.need == Need::LocalOrRemote {
        // What was pushed is pulled.
        missing = missing.and(&delivery.to_registry.negate());
    }
    let case = site.case_when(&missing)?;
    let unpushed = site
        .condition()
        .and(&missing)
        .and(&delivery.to_registry.negate());
    let pushed = case_of(&unpushed).is_none();
    let where_to = if pushed {
        "is pushed and not loaded"
    } else {
        "stays in the builder"
    };
    let message = format!(
        "{} needs {} in the daemon, but the build's result {where_to}",
        usage.program,
        shown(usage.name)
    );
    let finding = RULE
        .finding(&site.fact.place, message)
        .with_evidence(
            &built.place,
            format!(
                "built by {} with {}",
                step_name(site.job, built),
                delivery.by
            ),
        )
        .in_case(case)
        .then("the daemon does not know the image")
        .mended_by(fix(context, built, delivery, pushed));
    Some(finding)
}

/// `load: true` beside the other inputs of the build.
fn fix(context: &Context<'_>, built: &Fact, delivery: &Delivery, pushed: bool) -> Fix {
    if pushed {
        return Fix::advice("pull the pushed image first, or build it with `load: true` too");
    }
    // A build that is loaded in some cases has thought of it: which cases are wrong is the author's to say.
    let step = edit::step_at(context.workflow, &built.place)
        .filter(|step| delivery.loads == Condition::Never && step.input("outputs").is_none());
    let from_script = delivery.by == "docker buildx build";
    let fix = if from_script {
        load_flag(&built.place)
    } else {
        step.and_then(|step| edit::with_input(context.workflow, step, "load", "true"))
    };
    let word = if from_script { "--load" } else { "load: true" };
    fix.unwrap_or_else(|| Fix::advice(format!("add `{word}` to the build")))
}

/// `--load` behind the command's name; one that says where its result goes has thought of it.
fn load_flag(place: &Place) -> Option<Fix> {
    let text = place.text();
    if text.contains("--output") || text.contains("-o ") || text.contains("--push") {
        return None;
    }
    let name = "buildx build";
    let end = text.find(name)? + name.len();
    Some(Fix::edit(
        "docker buildx build --load",
        &place.part(end, end),
        " --load",
    ))
}
