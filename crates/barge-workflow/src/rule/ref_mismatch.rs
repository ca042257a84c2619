//! ref-mismatch: no producer in this daemon can give the name that is used.
//!
//! ```yaml
//! - run: docker build -t app:${{ github.sha }} .
//! - run: docker save app:latest -o app.tar
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Fact, FactKind, JobTrace, Need, Origin, Trace};
use crate::reference::{self, Name};
use crate::symbolic::{Comparison, Condition, Text};

use super::Rule;
use super::context::{Context, case_of, case_words, shown, step_name};
use super::presence::Presence;

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
    for (trace, job) in context.jobs() {
        for (number, fact) in job.facts.iter().enumerate() {
            if let FactKind::Named(name, need, program) = &fact.kind
                && !fact.tolerated
                && reference::empty_part(name).is_none()
            {
                report(
                    context,
                    trace,
                    job,
                    number,
                    (name, *need, program),
                    findings,
                );
            }
        }
    }
}

fn report(
    context: &Context<'_>,
    trace: &Trace,
    job: &JobTrace,
    number: usize,
    use_of: (&Text, Need, &str),
    findings: &mut Vec<Finding>,
) {
    let (name, need, program) = use_of;
    let Some(fact) = job.facts.get(number) else {
        return;
    };
    let presence = Presence::before(job, number, name);
    let nothing_fits =
        presence.equal.is_empty() && presence.maybe.is_empty() && presence.built.is_empty();
    if !nothing_fits || presence.others.is_empty() || name.contains("\n") || is_unknowable(name) {
        return;
    }
    if !wanted_locally(context, job, need, name, &presence)
        || made_for_other_event(context, job, fact, name)
        || built_elsewhere(context, job, name)
    {
        return;
    }
    let Some(case) = case_of(
        &job.condition
            .and(&fact.condition)
            .and(&presence.opaque.negate()),
    ) else {
        return;
    };
    let Some((producer, made)) = nearest(name, &presence) else {
        return;
    };
    let message = format!("{program} names an image that nothing in this job makes");
    let mut finding = Context::finding(RULE.id, Severity::Error, &fact.place, message)
        .with_evidence(
            &fact.place.source,
            fact.place.span,
            format!("names {}", shown(name)),
        )
        .with_evidence(
            &producer.place.source,
            producer.place.span,
            format!("{} gives {}", step_name(job, producer), shown(made)),
        );
    finding.case = Some(case_words(trace, &case));
    finding.consequence =
        Some("the daemon answers \"reference does not exist\" or \"No such image\"".into());
    finding.fix = fix(fact, name, made, presence.others.len());
    findings.push(finding);
}

/// A name that is wholly unknown proves nothing.
fn is_unknowable(name: &Text) -> bool {
    !name.has_literal() && name.symbols().any(|symbol| symbol.may_hold('/'))
}

/// Programs that pull would find the image in a registry, unless the name is one of this job's own.
fn wanted_locally(
    context: &Context<'_>,
    job: &JobTrace,
    need: Need,
    name: &Text,
    presence: &Presence<'_>,
) -> bool {
    match need {
        Need::Local => true,
        Need::Remote => false,
        Need::LocalOrRemote => {
            let wanted = Name::of(name);
            let own = presence.others.iter().any(|(fact, made)| {
                matches!(
                    fact.kind,
                    FactKind::Present(_, Origin::Built | Origin::Loaded(_))
                ) && Name::of(made).repository == wanted.repository
            });
            let pushed = context.jobs().any(|(_, other)| {
                other.facts.iter().any(|fact| matches!(&fact.kind, FactKind::Pushed(pushed) if reference::compare(pushed, name) != Comparison::Different))
            });
            own && wanted.is_bare() && !pushed && !job.id.is_empty()
        }
    }
}

/// The same name is made in another event: then the condition is what differs.
fn made_for_other_event(context: &Context<'_>, job: &JobTrace, fact: &Fact, name: &Text) -> bool {
    context.jobs().filter(|(_, other)| other.id == job.id && other.leg == job.leg).any(|(_, other)| {
        other.facts.iter().any(|made| {
            made.place.span != fact.place.span && matches!(&made.kind, FactKind::Present(made, _) if reference::compare(made, name) == Comparison::Equal)
        })
    })
}

/// The name is made in another job: then the hand-off is what is missing.
fn built_elsewhere(context: &Context<'_>, job: &JobTrace, name: &Text) -> bool {
    context
        .jobs()
        .filter(|(_, other)| other.id != job.id)
        .any(|(_, other)| {
            other.facts.iter().any(|fact| match &fact.kind {
                FactKind::Present(made, Origin::Built | Origin::Tagged(_)) => {
                    reference::compare(made, name) == Comparison::Equal
                }
                _ => false,
            })
        })
}

fn nearest<'a>(name: &Text, presence: &Presence<'a>) -> Option<(&'a Fact, &'a Text)> {
    let wanted = Name::of(name);
    let same = presence
        .others
        .iter()
        .rev()
        .find(|(_, made)| Name::of(made).repository == wanted.repository);
    let last_part = |text: &Text| {
        text.split_last('/')
            .map_or_else(|| text.clone(), |(_, last)| last)
    };
    let alike =
        presence.others.iter().rev().find(|(_, made)| {
            last_part(&Name::of(made).repository) == last_part(&wanted.repository)
        });
    same.or(alike).or_else(|| presence.others.last()).copied()
}

/// A literal name of which one literal other is made can be replaced where it stands.
fn fix(fact: &Fact, name: &Text, made: &Text, made_names: usize) -> Option<Fix> {
    let advice = Some(Fix::advice(format!("name {}", shown(made))));
    let (Some(old), Some(new)) = (name.as_literal(), made.as_literal()) else {
        return advice;
    };
    let text = fact.place.source.slice(fact.place.span);
    let mut hits = text.match_indices(old);
    match (hits.next(), hits.next()) {
        (Some((at, _)), None) if made_names == 1 && fact.condition != Condition::Never => {
            let start = fact.place.span.start + at;
            let span = crate::source::Span::new(start, start + old.len());
            Some(Fix::edit(
                format!("name `{new}`"),
                &fact.place.source,
                span,
                new,
            ))
        }
        _ => advice,
    }
}
