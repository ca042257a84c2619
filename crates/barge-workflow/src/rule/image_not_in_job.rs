//! image-not-in-job: an image that another job built is used without having been handed over.
//!
//! ```yaml
//! build: {steps: [{run: docker build -t app:1 .}]}
//! test:  {needs: build, steps: [{run: docker run app:1}]}
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Fact, FactKind, JobTrace, Need, Origin, Trace};
use crate::reference::{self, Name};
use crate::symbolic::{Comparison, Text};

use super::Rule;
use super::context::{Context, case_of, case_words, shown, step_name};
use super::presence::Presence;

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
    for (trace, job) in context.jobs() {
        for (number, fact) in job.facts.iter().enumerate() {
            if let FactKind::Named(name, need, program) = &fact.kind
                && *need != Need::Remote
                && !fact.tolerated
                && name.has_literal()
            {
                report(trace, job, number, (name, *need, program), findings);
            }
        }
    }
}

fn report(
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
    if !presence.equal.is_empty() || !presence.maybe.is_empty() || !presence.built.is_empty() {
        return;
    }
    let Some((other, producer)) = producer(trace, job, name) else {
        return;
    };
    let pushed = trace.jobs.iter().flat_map(|job| &job.facts).any(|fact| {
        matches!(&fact.kind, FactKind::Pushed(pushed) if reference::compare(pushed, name) != Comparison::Different)
    });
    let pullable = need == Need::LocalOrRemote && (pushed || !Name::of(name).is_bare());
    if pullable {
        return;
    }
    let missing = job
        .condition
        .and(&fact.condition)
        .and(&presence.opaque.negate());
    let Some(case) = case_of(&missing) else {
        return;
    };
    let message = format!(
        "{program} needs {}, which only job {} has",
        shown(name),
        other.id
    );
    let mut finding = Context::finding(RULE.id, Severity::Error, &fact.place, message)
        .with_evidence(
            &producer.place.source,
            producer.place.span,
            format!(
                "built by {} of job {}",
                step_name(other, producer),
                other.id
            ),
        );
    finding.case = Some(case_words(trace, &case));
    finding.consequence = Some("this job's daemon does not know the image".into());
    finding.fix = Some(Fix::advice(
        "save and upload it there, download and load it here (`barge save`, `barge load`)",
    ));
    findings.push(finding);
}

fn producer<'a>(trace: &'a Trace, job: &JobTrace, name: &Text) -> Option<(&'a JobTrace, &'a Fact)> {
    trace
        .jobs
        .iter()
        .filter(|other| other.id != job.id)
        .find_map(|other| {
            let made = other.facts.iter().find(|fact| match &fact.kind {
                FactKind::Present(made, Origin::Built | Origin::Tagged(_)) => {
                    reference::compare(made, name) == Comparison::Equal
                }
                _ => false,
            })?;
            Some((other, made))
        })
}
