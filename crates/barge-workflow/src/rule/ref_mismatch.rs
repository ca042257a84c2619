//! ref-mismatch: no producer in this daemon can give the name that is used.
//!
//! ```yaml
//! - run: docker build -t app:${{ github.sha }} .
//! - run: docker save app:latest -o app.tar
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Fact, FactKind, JobTrace, Need, Origin};
use crate::reference::{self, Name};
use crate::symbolic::{Comparison, Text};

use super::Rule;
use super::context::{Context, ImageUse, guard_words, shown, step_name};
use super::edit;
use super::other_image::other_image;
use super::other_tag::{other_tag, unpushed as unpushed_name};
use super::run_own::{Unpublished, unpublished};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "ref-mismatch",
    severity: Severity::Error,
    summary: "an image is named that no step of the job makes, though others are made",
    explanation: "Every job has a daemon of its own, which holds what the job built, loaded, tagged or pulled. The name that is used \
        differs from each of these for every value of its unknowns. Use the producer's own expression.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for usage in context.images() {
        let finding = report(context, usage)
            .or_else(|| unpushed(context, usage))
            .or_else(|| other_tag(context, usage));
        findings.extend(finding.map(|finding| usage.site.weighed(finding)));
    }
    let counting = context.sites().filter(|site| !site.fact.tolerated);
    findings
        .extend(counting.filter_map(|site| other_image(&site).or_else(|| unpushed_name(&site))));
}

/// A name of this run that is pulled and not pushed in some case, while the daemon holds another image of the run.
fn unpushed(context: &Context<'_>, usage: &ImageUse<'_>) -> Option<Finding> {
    let (own, made) = usage.presence.others.iter().rev().find(|(fact, _)| {
        matches!(
            fact.kind,
            FactKind::Present(_, Origin::Built | Origin::Loaded(_))
        )
    })?;
    let Unpublished { case, job, push } = unpublished(context, usage)?;
    let place = &usage.site.fact.place;
    let message = format!(
        "{} names an image that is neither in this job nor pushed in this case",
        usage.program
    );
    let finding = RULE
        .finding(place, message)
        .with_evidence(place, format!("names {}", shown(usage.name)))
        .with_evidence(&own.place, format!("the daemon holds {}", shown(made)))
        .with_evidence(
            &push.place,
            format!("pushed by job {}{}", job.id, guard_words(job, push)),
        )
        .in_case(case)
        .then("the registry answers \"manifest unknown\" or \"not found\"")
        .advised(format!("name {}", shown(made)));
    Some(finding)
}

fn report(context: &Context<'_>, usage: &ImageUse<'_>) -> Option<Finding> {
    let (site, presence) = (&usage.site, &usage.presence);
    let decidable = presence.is_empty()
        && !presence.others.is_empty()
        && reference::empty_part(usage.name).is_none()
        && (without_registry(usage) || !is_unknowable(usage.name));
    if !decidable
        || !wanted_locally(context, usage)
        || made_for_other_event(context, usage)
        || built_elsewhere(context, site.job, usage.name)
    {
        return None;
    }
    let case = site.case_when(&presence.opaque.negate())?;
    let (producer, made) = nearest(usage)?;
    let message = format!(
        "{} names an image that nothing in this job makes",
        usage.program
    );
    let place = &site.fact.place;
    let finding = RULE
        .finding(place, message)
        .with_evidence(place, format!("names {}", shown(usage.name)))
        .with_evidence(
            &producer.place,
            format!("{} gives {}", step_name(site.job, producer), shown(made)),
        )
        .in_case(case)
        .then("the daemon answers \"reference does not exist\" or \"No such image\"")
        .mended_by(fix(usage, made));
    Some(finding)
}

/// A name that is wholly unknown, or a list of names, proves nothing.
fn is_unknowable(name: &Text) -> bool {
    name.contains("\n")
        || (!name.has_literal() && name.symbols().any(|symbol| symbol.may_hold('/')))
}

/// Programs that pull would find the image in a registry, unless the name is one of this job's own.
fn wanted_locally(context: &Context<'_>, usage: &ImageUse<'_>) -> bool {
    match usage.need {
        Need::Local => true,
        Need::Remote => false,
        Need::LocalOrRemote => {
            let wanted = Name::of(usage.name);
            let own = usage.presence.others.iter().any(|(fact, made)| {
                matches!(
                    fact.kind,
                    FactKind::Present(_, Origin::Built | Origin::Loaded(_))
                ) && Name::of(made).repository == wanted.repository
            });
            own && wanted.is_bare() && !is_pushed(context, usage.name)
                || without_registry(usage) && !pushed_in_run(usage)
        }
    }
}

/// The name is that of an image of this job but for the registry, or all that stands before its last part, which means
/// another registry.
fn without_registry(usage: &ImageUse<'_>) -> bool {
    // A name that is put together here, not one that is written out and may be anybody's.
    let put_together = usage.site.fact.place.text().contains("${{");
    let has_unknown = put_together || usage.name.symbols().next().is_some();
    has_unknown
        && usage.presence.others.iter().any(|(fact, made)| {
            let start = made.literal_start();
            let registry = start.find('/').and_then(|slash| start.get(..=slash));
            matches!(
                fact.kind,
                FactKind::Present(_, Origin::Built | Origin::Loaded(_))
            ) && registry.is_some_and(|registry| {
                let mut whole = Text::literal(registry);
                whole.append(usage.name);
                let last = made.split_last('/').map(|(_, last)| last);
                let is_end = whole == **made || last.as_ref() == Some(usage.name);
                registry.contains(['.', ':']) && registry != "docker.io/" && is_end
            })
        })
}

/// A job of this very run pushes the name.
pub(super) fn pushed_in_run(usage: &ImageUse<'_>) -> bool {
    let facts = usage.site.trace.jobs.iter().flat_map(|job| &job.facts);
    facts.into_iter().any(|fact| {
        matches!(&fact.kind, FactKind::Pushed(pushed) if reference::compare(pushed, usage.name) == Comparison::Equal)
    })
}

fn is_pushed(context: &Context<'_>, name: &Text) -> bool {
    context.sites().any(|site| {
        matches!(&site.fact.kind, FactKind::Pushed(pushed) if reference::compare(pushed, name) != Comparison::Different)
    })
}

/// The same name is made in another event: then the condition is what differs.
fn made_for_other_event(context: &Context<'_>, usage: &ImageUse<'_>) -> bool {
    let job = usage.site.job;
    let twins = context
        .jobs()
        .filter(|(_, other)| other.id == job.id && other.leg == job.leg);
    twins.flat_map(|(_, twin)| &twin.facts).any(|made| {
        made.place.span != usage.site.fact.place.span
            && matches!(&made.kind, FactKind::Present(made, _) if reference::compare(made, usage.name) == Comparison::Equal)
    })
}

/// The name is made in another job: then the hand-off is what is missing.
fn built_elsewhere(context: &Context<'_>, job: &JobTrace, name: &Text) -> bool {
    let others = context.sites().filter(|site| site.job.id != job.id);
    others.into_iter().any(|site| match &site.fact.kind {
        FactKind::Present(made, Origin::Built | Origin::Tagged(_)) => {
            reference::compare(made, name) == Comparison::Equal
        }
        _ => false,
    })
}

/// What was made under a name like the wanted one: the same repository, else the same last part, else the last made.
fn nearest<'a>(usage: &ImageUse<'a>) -> Option<(&'a Fact, &'a Text)> {
    let wanted = Name::of(usage.name).repository;
    let last_part = |text: &Text| {
        text.split_last('/')
            .map_or_else(|| text.clone(), |(_, last)| last)
    };
    let others = &usage.presence.others;
    let find = |alike: &dyn Fn(&Text) -> bool| {
        let mut latest_first = others.iter().rev();
        latest_first.find(|(_, made)| alike(&Name::of(made).repository))
    };
    find(&|made| *made == wanted)
        .or_else(|| find(&|made| last_part(made) == last_part(&wanted)))
        .or_else(|| others.last())
        .copied()
}

/// Where several names are made the right one is the author's to choose.
fn fix(usage: &ImageUse<'_>, made: &Text) -> Fix {
    match usage.presence.others.as_slice() {
        [_] => edit::renamed("name", &usage.site.fact.place, usage.name, made),
        _ => Fix::advice(format!("name {}", shown(made))),
    }
}
