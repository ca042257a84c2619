//! ref-empty-part: a part of a reference is always empty.
//!
//! ```yaml
//! - id: meta
//!   uses: docker/metadata-action@v5
//! - run: docker push app:${{ steps.docker_meta.outputs.version }}   # no such step
//! ```

use std::collections::BTreeMap;

use crate::expression::{Part, Template};
use crate::finding::{Case, Finding, Fix, Severity};
use crate::flow::{FactKind, Place, StepTrace};
use crate::model::Entry;
use crate::reference::{self, Name};
use crate::symbolic::{Condition, Doubt, Satisfiable, Text};

use super::Rule;
use super::context::{Context, Site, shown};
use super::empty_event_field;
use super::uppercase_ref::named;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "ref-empty-part",
    severity: Severity::Error,
    summary: "a part of an image reference is always empty",
    explanation: "An expression for a step, output or variable that does not exist is null and prints nothing, without a warning.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    // One finding a step in each walk: its lines share the empty expression.
    let mut said = BTreeMap::new();
    for site in context.sites().filter(|site| !site.fact.tolerated) {
        let finding = match site.fact.kind {
            FactKind::EmptyWord => missing(&site),
            _ => named(&site)
                .into_iter()
                .find_map(|name| report(&site, name))
                .filter(|_| !empty_event_field::is_of_event(context, &site))
                .or_else(|| tagless(&site))
                .or_else(|| of_another_job(context, &site)),
        };
        let Some(finding) = finding.filter(|_| !empty_event_field::explains(context, &site)) else {
            continue;
        };
        let step = (site.fact.step, std::ptr::from_ref(site.job));
        if *said.entry(step).or_insert(site.fact.place.span) == site.fact.place.span {
            findings.push(finding);
        }
    }
}

/// A command that is given an image by an output that is never there.
fn missing(site: &Site<'_>) -> Option<Finding> {
    const CLIENTS: [&str; 9] = [
        "docker push ",
        "docker pull ",
        "docker run ",
        "docker save ",
        "docker tag ",
        "kind load docker-image ",
        "minikube image load ",
        "trivy image ",
        "cosign sign ",
    ];
    let place = &site.fact.place;
    let line = place.source.line(place.line());
    let client = CLIENTS.iter().find(|client| line.contains(*client))?;
    let message = format!("`{}` is given no image: the output is empty", client.trim());
    let finding = RULE
        .finding(place, message)
        .in_case(site.case()?)
        .then("the command lacks its argument and fails");
    let (at, why, fix) = cause(site).unwrap_or_else(|| {
        let why = "an output is a text: a member of it is null".to_owned();
        (place.clone(), why, None)
    });
    Some(finding.with_evidence(&at, why).mended_by(fix))
}

pub(super) const END_OF_TAG: &str = "the end of the tag";

/// The part of a reference that is empty, that of a tag's which stands beside a `-` included.
pub(super) fn empty_part(name: &Text) -> Option<&'static str> {
    let starts_open = |name: &Text| {
        let tag = Name::of(name).tag;
        tag.is_some_and(|tag| tag.literal_start().starts_with('-'))
    };
    // Few names hold such a dash: only those are taken apart.
    reference::empty_part(name)
        .or_else(|| (name.contains(":-") && starts_open(name)).then_some("the start of the tag"))
        .or_else(|| (name.literal_end().ends_with('-') && ends_open(name)).then_some(END_OF_TAG))
}

fn report(site: &Site<'_>, name: &Text) -> Option<Finding> {
    let part = empty_part(name)?;
    let consequence = if part == END_OF_TAG {
        "the name is the same in every run, and the last one to push wins"
    } else {
        "the client answers \"invalid reference format\""
    };
    // Empty in some cases only: another rule's affair.
    let step = site
        .step()
        .map_or(&Condition::Always, |step| &step.condition);
    if step.implies(&site.fact.condition) != Some(true) {
        return None;
    }
    let cause = cause(site);
    if cause.is_none() && name.is_empty() {
        return None;
    }
    let finding = RULE
        .finding(
            &site.fact.place,
            format!("{part} of {} is empty", shown(name)),
        )
        .in_case(case(site)?)
        .then(consequence);
    Some(match cause {
        Some((place, message, fix)) => finding.with_evidence(&place, message).mended_by(fix),
        None => finding,
    })
}

/// A case in which the name is used. What hangs on a job that is no direct need is empty as well when that is.
fn case(site: &Site<'_>) -> Option<Case> {
    let asks_other_job = |condition: &Condition| {
        let mut symbols = condition.symbols().into_iter();
        symbols.any(|symbol| symbol.doubt() == Some(Doubt::Undocumented))
    };
    site.case().or_else(|| {
        let possible = matches!(site.condition().satisfiable(), Satisfiable::Yes(_));
        (possible && asks_other_job(&site.condition()))
            .then(|| Case::of_event(&site.trace.scenario.label))
    })
}

/// A variable that only another job sets, in a job where nothing else can have set it by this name.
fn of_another_job(context: &Context<'_>, site: &Site<'_>) -> Option<Finding> {
    let name = named(site).into_iter().next()?;
    let variable = name.as_symbol()?.name().strip_prefix("env.")?;
    let workflow = context.workflow;
    let set = |entries: &'_ [Entry]| {
        let own = entries
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(variable));
        own.map(|(key, field)| (key.clone(), field.span))
    };
    let job = workflow.jobs.iter().find(|job| job.id == site.job.id)?;
    let steps = job.steps.iter();
    let here = std::iter::once(&job.env).chain(steps.map(|step| &step.env));
    if set(&workflow.env).is_some() || here.into_iter().any(|entries| set(entries).is_some()) {
        return None;
    }
    let mut others = workflow.jobs.iter().filter(|other| other.id != job.id);
    let (other, (key, span)) = others.find_map(|other| Some((other, set(&other.env)?)))?;
    // A script that sets it may hand it on.
    if workflow.source.text().contains(&format!("{key}=")) {
        return None;
    }
    let finding = RULE
        .finding(
            &site.fact.place,
            format!("`{key}` is not set in job {}", job.id),
        )
        .with_evidence(
            &Place::new(&workflow.source, span),
            format!("it is a variable of job {}", other.id),
        )
        .in_case(site.case()?)
        .then("the client answers \"invalid reference format\"")
        .advised("set it in the `env:` of the workflow");
    Some(finding)
}

/// A build that is given a list of tags which is always empty.
fn tagless(site: &Site<'_>) -> Option<Finding> {
    let FactKind::Built(delivery) = &site.fact.kind else {
        return None;
    };
    if !delivery.references.is_empty() || !site.fact.place.text().contains("steps.") {
        return None;
    }
    let (at, why, fix) = cause(site)?;
    let finding = RULE
        .finding(
            &site.fact.place,
            "the build is given no name: its tags are empty",
        )
        .with_evidence(&at, why)
        .in_case(case(site)?)
        .then("the image has no name, a push fails")
        .mended_by(fix);
    Some(finding)
}

/// The tag ends where another part was to come: `app:master-`.
fn ends_open(name: &Text) -> bool {
    let tag = Name::of(name).tag;
    tag.is_some_and(|tag| tag.literal_end().ends_with('-'))
}

/// The expression that is null: an output of a step that does not exist before this one, or that this step never sets.
fn cause(site: &Site<'_>) -> Option<(Place, String, Option<Fix>)> {
    let place = &site.fact.place;
    let template = Template::parse(place.text());
    let mut outputs = template.parts.iter().filter_map(|part| match part {
        Part::Expression(range, expression) => match expression.path()?.as_slice() {
            ["steps", id, "outputs", output, ..] => Some((range, *id, *output)),
            ["steps", id, member] if !is_member(member) => Some((range, *id, *member)),
            _ => None,
        },
        _ => None,
    });
    let (range, id, output) = outputs.next()?;
    let expression = place.part(range.start, range.end);
    let before = site.job.steps.get(..site.fact.step).unwrap_or_default();
    let named = |step: &StepTrace| {
        step.id
            .as_deref()
            .is_some_and(|own| own.eq_ignore_ascii_case(id))
    };
    if let Some(step) = before.iter().rev().find(|step| named(step)) {
        let member = format!("steps.{id}.{output}");
        if let Some(fix) = with_outputs(&expression, id, output) {
            let message = format!("`{member}` is nothing: a step's values are below `outputs`");
            return Some((expression, message, Some(fix)));
        }
        if step
            .outputs
            .keys()
            .any(|key| key.eq_ignore_ascii_case(output))
        {
            return None;
        }
        let message = format!("step `{id}` sets no output `{output}`");
        return Some((expression, message, None));
    }
    let sets = |step: &&StepTrace| {
        step.kind.ends_with("metadata-action")
            || step
                .outputs
                .keys()
                .any(|key| key.eq_ignore_ascii_case(output))
    };
    let meant: Vec<&str> = before
        .iter()
        .filter(sets)
        .filter_map(|step| step.id.as_deref())
        .collect();
    let fix = match meant.as_slice() {
        [only] => {
            let replacement = expression.text().replacen(id, only, 1);
            Some(Fix::edit(
                format!("use step `{only}`"),
                &expression,
                replacement,
            ))
        }
        _ => None,
    };
    let message = format!("no step before this one has the id `{id}`");
    Some((expression, message, fix))
}

/// What a step has beside its outputs.
fn is_member(name: &str) -> bool {
    ["outputs", "outcome", "conclusion"].contains(&name)
}

/// `outputs` put in where it is missing.
fn with_outputs(expression: &Place, id: &str, output: &str) -> Option<Fix> {
    let text = expression.text();
    let lower = text.to_lowercase();
    let at = lower.find(&format!("steps.{id}.{output}"))? + "steps.".len() + id.len();
    let (before, after) = (text.get(..at)?, text.get(at..)?);
    Some(Fix::edit(
        format!("write `steps.{id}.outputs.{output}`"),
        expression,
        format!("{before}.outputs{after}"),
    ))
}
