//! image-not-in-job: an image that another job built is used without having been handed over.
//!
//! ```yaml
//! build: {steps: [{run: docker build -t app:1 .}]}
//! test:  {needs: build, steps: [{run: docker run app:1}]}
//! ```

use crate::finding::{Finding, Severity};
use crate::flow::{Fact, FactKind, JobTrace, Need, Origin};
use crate::reference::{self, Name};
use crate::symbolic::{Comparison, Condition, Text};

use super::Rule;
use super::context::{Context, ImageUse, shown, step_name};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "image-not-in-job",
    severity: Severity::Error,
    summary: "an image is used that only another job's daemon holds",
    explanation: "Every job runs on a machine of its own. Hand the image over: save, upload, download and load it (or `barge save` and \
        `barge load`), or push it and pull it by digest.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let images = context.images().iter();
    let named = images.filter(|usage| usage.need != Need::Remote && usage.name.has_literal());
    findings.extend(named.filter_map(|usage| {
        let finding = report(usage).or_else(|| unmade(context, usage))?;
        Some(usage.site.weighed(finding))
    }));
}

fn report(usage: &ImageUse<'_>) -> Option<Finding> {
    let (site, presence) = (&usage.site, &usage.presence);
    if !presence.is_empty() || is_pullable(usage) {
        return None;
    }
    let mut others = site.trace.jobs.iter().filter(|job| job.id != site.job.id);
    let (other, producer) = others.find_map(|other| Some((other, producer(other, usage.name)?)))?;
    let case = site.case_when(&presence.opaque.negate())?;
    let message = format!(
        "{} needs {}, which only job {} has",
        usage.program,
        shown(usage.name),
        other.id
    );
    let made = format!(
        "built by {} of job {}",
        step_name(other, producer),
        other.id
    );
    let finding = RULE
        .finding(&site.fact.place, message)
        .with_evidence(&producer.place, made)
        .in_case(case)
        .then("this job's daemon does not know the image")
        .advised(
            "save and upload it there, download and load it here (`barge save`, `barge load`)",
        );
    Some(finding)
}

/// The program would pull it, and it is pushed or may be somebody else's.
fn is_pullable(usage: &ImageUse<'_>) -> bool {
    let mut facts = usage.site.trace.jobs.iter().flat_map(|job| &job.facts);
    let mut pushed = || {
        facts.any(|fact| {
            matches!(&fact.kind, FactKind::Pushed(pushed) if reference::compare(pushed, usage.name) != Comparison::Different)
        })
    };
    usage.need == Need::LocalOrRemote && (!Name::of(usage.name).is_bare() || pushed())
}

fn producer<'a>(job: &'a JobTrace, name: &Text) -> Option<&'a Fact> {
    job.facts.iter().find(|fact| match &fact.kind {
        FactKind::Present(made, Origin::Built | Origin::Tagged(_)) => {
            reference::compare(made, name) == Comparison::Equal
        }
        _ => false,
    })
}

/// An image that must be in the daemon, when nothing at all has come into it.
fn unmade(context: &Context<'_>, usage: &ImageUse<'_>) -> Option<Finding> {
    let (site, presence) = (&usage.site, &usage.presence);
    let is_empty = presence.is_empty()
        && presence.others.is_empty()
        && presence.other_store.is_empty()
        && presence.opaque == Condition::Never;
    if !is_empty
        || usage.need != Need::Local
        || site.fact.tolerated
        || usage.name.as_symbol().is_some()
        || reference::empty_part(usage.name).is_some()
        || may_be_pulled(context, usage)
    {
        return None;
    }
    let message = format!(
        "{} needs {}, and nothing has come into this job's daemon",
        usage.program,
        shown(usage.name)
    );
    let archives = site
        .before()
        .iter()
        .filter(|fact| matches!(fact.kind, FactKind::Downloaded(..)));
    let finding = RULE
        .finding(&site.fact.place, message)
        .in_case(site.case()?)
        .then("the daemon does not know the image")
        .advised("load or pull it first: `docker load -i FILE`, `docker pull NAME`");
    Some(archives.take(1).fold(finding, |finding, fact| {
        finding.with_evidence(&fact.place, "downloaded here, and not loaded")
    }))
}

/// A container was started from it, which pulls it, or the runner brings it along.
fn may_be_pulled(context: &Context<'_>, usage: &ImageUse<'_>) -> bool {
    const ON_RUNNERS: [&str; 7] = [
        "alpine",
        "buildpack-deps",
        "debian",
        "moby/buildkit",
        "node",
        "ubuntu",
        "hello-world",
    ];
    let name = Name::of(usage.name);
    let on_runner = name
        .repository
        .as_literal()
        .is_some_and(|name| ON_RUNNERS.contains(&name));
    let key = usage.site.job.id.rsplit(" / ").next().unwrap_or_default();
    let mut jobs = context.workflow.jobs.iter();
    let has_services = jobs.any(|job| job.id == key && !job.containers.is_empty());
    let started = usage.site.before().iter().any(|fact| {
        matches!(&fact.kind, FactKind::Named(other, Need::LocalOrRemote, _)
            if reference::compare(other, usage.name) != Comparison::Different)
    });
    on_runner || has_services || started
}
