//! condition-mismatch: a case exists in which something is used and was not made.
//!
//! ```yaml
//! - if: steps.skip.outputs.skip_build != 'true'
//!   uses: docker/build-push-action@v6
//!   with: {load: true, tags: "app:1"}
//! - run: docker save app:1 -o app.tar   # runs also when the build was skipped
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{
    Artifact, Content, Fact, FactKind, FileUse, JobTrace, Place, Resolution, StepTrace,
};
use crate::reference;
use crate::symbolic::{Comparison, Condition, Text};

use super::Rule;
use super::context::{Context, FileRead, ImageUse, Site, case_of, guard_words, shown, step_name};
use super::edit;
use super::run_own::{Unpublished, unpublished};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "condition-mismatch",
    severity: Severity::Error,
    summary: "a step uses what another step makes, and runs in a case in which that one does not",
    explanation: "A skipped step is green and makes nothing. When the consumer's condition does not imply the producer's, the \
        consumer fails with an error that names the image or file, not the cause. Give the consumer the producer's condition.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for usage in context.images() {
        let finding = image(context, usage);
        findings.extend(finding.map(|finding| usage.site.weighed(finding)));
    }
    for read in context.reads() {
        if let Resolution::Written(found) = read.resolution
            && !matches!(read.usage, FileUse::Upload | FileUse::Copy)
        {
            let finding = file(&read, found);
            findings.extend(finding.map(|finding| read.site.weighed(finding)));
        }
    }
    for site in context.sites().filter(|site| !site.fact.tolerated) {
        match &site.fact.kind {
            FactKind::Downloaded(Some(name), candidates) => {
                findings.extend(artifact(context, &site, name, candidates));
            }
            FactKind::Failed(_) => findings.extend(failure(&site)),
            _ => {}
        }
    }
}

fn image(context: &Context<'_>, usage: &ImageUse<'_>) -> Option<Finding> {
    if reference::empty_part(usage.name).is_some() {
        return emptied(usage);
    }
    if !usage.is_local() {
        return unpushed(context, usage);
    }
    let (site, presence) = (&usage.site, &usage.presence);
    let Some(producer) = presence.producer() else {
        return elsewhere(context, usage);
    };
    let missing = presence.possible().negate();
    let case = site.case_when(&missing)?;
    // A build that ran and did not export its image is another defect.
    let unexported = presence
        .built
        .iter()
        .any(|built| case_of(&site.fact.condition.and(&missing).and(&built.condition)).is_some());
    if unexported {
        return None;
    }
    let message = format!(
        "{} needs an image that is not there in this case",
        usage.program
    );
    let made = format!(
        "put there by {}, equal value{}",
        step_name(site.job, producer),
        guard_words(site.job, producer)
    );
    Some(absent_image(usage, message, producer, made).in_case(case))
}

/// A name of this run that is pulled, and pushed in other cases only.
fn unpushed(context: &Context<'_>, usage: &ImageUse<'_>) -> Option<Finding> {
    if !usage.presence.others.is_empty() {
        return None;
    }
    let Unpublished { case, job, push } = unpublished(context, usage)?;
    let place = &usage.site.fact.place;
    let message = format!(
        "{} pulls an image that is not pushed in this case",
        usage.program
    );
    let pushed = format!(
        "pushed by {} of job {}{}",
        step_name(job, push),
        job.id,
        guard_words(job, push)
    );
    let fix = (job.id == usage.site.job.id)
        .then(|| guard_fix(&usage.site, push))
        .flatten();
    let finding = RULE
        .finding(place, message)
        .with_evidence(place, format!("names {}", shown(usage.name)))
        .with_evidence(&push.place, pushed)
        .in_case(case)
        .then("the registry answers \"manifest unknown\" or \"not found\"")
        .mended_by(fix);
    Some(finding)
}

/// The name is produced here for another event only.
fn elsewhere(context: &Context<'_>, usage: &ImageUse<'_>) -> Option<Finding> {
    let (site, presence) = (&usage.site, &usage.presence);
    if !presence.built.is_empty() || !presence.maybe.is_empty() {
        return None;
    }
    let case = site.case_when(&presence.possible().negate())?;
    let twins = context
        .jobs()
        .map(|(_, twin)| twin)
        .filter(|twin| twin.id == site.job.id && twin.leg == site.job.leg);
    let (twin, producer) = twins
        .into_iter()
        .find_map(|twin| Some((twin, maker(twin, usage)?)))?;
    let made_here = site
        .job
        .steps
        .get(producer.step)
        .is_some_and(|step| step.condition != Condition::Never);
    if made_here {
        return None;
    }
    let message = format!(
        "{} needs an image that is not made for this event",
        usage.program
    );
    let made = format!(
        "put there by {}{}",
        step_name(twin, producer),
        guard_words(twin, producer)
    );
    Some(absent_image(usage, message, producer, made).in_case(case))
}

/// The fact of a leg that puts the wanted name into the daemon. A concrete event's names are known, and only may be what the
/// workflow makes in general.
fn maker<'a>(job: &'a JobTrace, usage: &ImageUse<'_>) -> Option<&'a Fact> {
    let concrete = usage.site.trace.scenario.payload_json().is_some();
    let is_meant = |made: &Text| match reference::compare(made, usage.name) {
        Comparison::Equal => true,
        Comparison::Maybe => concrete,
        Comparison::Different => false,
    };
    job.facts.iter().find(|fact| {
        fact.place.span != usage.site.fact.place.span
            && matches!(&fact.kind, FactKind::Present(made, _) if is_meant(made))
    })
}

fn absent_image(usage: &ImageUse<'_>, message: String, producer: &Fact, made: String) -> Finding {
    let place = &usage.site.fact.place;
    let consequence = format!(
        "{} fails: the daemon answers \"reference does not exist\" or \"No such image\"",
        usage.program
    );
    RULE.finding(place, message)
        .with_evidence(place, format!("names {}", shown(usage.name)))
        .with_evidence(&producer.place, made)
        .then(consequence)
        .mended_by(guard_fix(&usage.site, producer))
}

/// A reference that is empty because the step whose output it is was skipped.
fn emptied(usage: &ImageUse<'_>) -> Option<Finding> {
    let site = &usage.site;
    let step = skipped_with(site)?;
    let case = site.case()?;
    let message = format!(
        "{} names nothing in this case: {} was skipped",
        usage.program,
        step.quoted()
    );
    let finding = RULE
        .finding(&site.fact.place, message)
        .with_evidence(
            &site.fact.place,
            format!("names {} here", shown(usage.name)),
        )
        .with_evidence(
            &step.place,
            format!("{} sets the value{}", step.quoted(), own_guard(step)),
        )
        .in_case(case)
        .then(format!(
            "{} fails: \"invalid reference format\"",
            usage.program
        ))
        .mended_by(step_guard_fix(site, step));
    Some(finding)
}

/// A script that ends itself exactly when a step was skipped whose output it wants.
fn failure(site: &Site<'_>) -> Option<Finding> {
    let step = skipped_with(site).filter(|step| makes_references(step))?;
    let case = site.case()?;
    let message = format!("the step fails whenever {} is skipped", step.quoted());
    let missed = format!(
        "{} sets the value that is missed{}",
        step.quoted(),
        own_guard(step)
    );
    let finding = RULE
        .finding(&site.fact.place, message)
        .with_evidence(&step.place, missed)
        .in_case(case)
        .then("the job fails, and what needs it is skipped")
        .mended_by(step_guard_fix(site, step));
    Some(finding)
}

fn makes_references(step: &StepTrace) -> bool {
    let kind = step.kind.to_lowercase();
    ["metadata-action", "build-push-action", "docker-meta"]
        .iter()
        .any(|name| kind.contains(name))
}

/// The step before a fact that cannot have run when the fact happens, though the fact's own step can run without it.
fn skipped_with<'a>(site: &Site<'a>) -> Option<&'a StepTrace> {
    let own = site.step()?;
    let before = site.job.steps.iter().take(site.fact.step).rev();
    let guarded = before.filter(|step| {
        step.id.is_some() && !matches!(step.condition, Condition::Always | Condition::Never)
    });
    let skipped: Vec<&StepTrace> = guarded
        .filter(|step| {
            let skip = step.condition.negate();
            // The fact must hang on the skip, not on the step's own condition.
            site.fact.condition.implies(&skip) == Some(true)
                && own.condition.implies(&skip) == Some(false)
        })
        .collect();
    let text = format!("{} {}", own.script, own.place.text());
    let named = skipped.iter().find(|step| {
        step.id
            .as_ref()
            .is_some_and(|id| text.contains(&format!("steps.{id}.")))
    });
    named.or_else(|| skipped.first()).copied()
}

fn own_guard(step: &StepTrace) -> String {
    step.guard
        .as_ref()
        .map_or_else(String::new, |guard| format!(", only if {}", guard.bare()))
}

fn file(read: &FileRead<'_>, found: &[(Condition, Content, Place)]) -> Option<Finding> {
    let site = &read.site;
    let written = found
        .iter()
        .fold(Condition::Never, |any, (condition, _, _)| any.or(condition));
    let case = site.case_when(&written.negate())?;
    let message = format!("{} is read, and not written in this case", shown(read.file));
    let mut finding = RULE.finding(&site.fact.place, message);
    for (condition, _, place) in found {
        finding = finding.with_evidence(place, format!("written here, only if {condition}"));
    }
    let producer = site.job.facts.iter().find(|other| {
        let mut places = found.iter().map(|(_, _, place)| place.span);
        places.any(|span| span == other.place.span)
    });
    let fix = producer.and_then(|producer| guard_fix(site, producer));
    Some(
        finding
            .in_case(case)
            .then("the file is not there")
            .mended_by(fix),
    )
}

fn artifact(
    context: &Context<'_>,
    site: &Site<'_>,
    name: &Text,
    candidates: &[usize],
) -> Option<Finding> {
    if site.trace.foreign_artifacts.is_some() {
        return None;
    }
    let found: Vec<&Artifact> = candidates
        .iter()
        .filter_map(|number| site.trace.artifacts.get(*number))
        .collect();
    let uploaded = found.iter().fold(Condition::Never, |any, artifact| {
        any.or(&artifact.condition)
    });
    let case = site.case_when(&uploaded.negate())?;
    // What another event uploads under this name shows which step is meant.
    let mut others = context.traces.iter().flat_map(|other| &other.artifacts);
    let meant = found
        .first()
        .copied()
        .or_else(|| others.find(|artifact| artifact.answers(name) == Comparison::Equal))?;
    let message = format!(
        "artifact {} is downloaded, and not uploaded in this case",
        shown(name)
    );
    let only = match &meant.condition {
        Condition::Always => String::new(),
        condition => format!(", only if {condition}"),
    };
    let finding = RULE
        .finding(&site.fact.place, message)
        .with_evidence(
            &meant.place,
            format!(
                "uploaded by step \"{}\" of job {}{only}",
                meant.step, meant.job
            ),
        )
        .in_case(case)
        .then("download-artifact fails: \"Artifact not found\"")
        .advised(format!(
            "let job {} run only when job {} uploaded it, by an output of that job",
            site.job.id, meant.job
        ));
    Some(finding)
}

/// Adds the producer's condition to the consumer's.
fn guard_fix(site: &Site<'_>, producer: &Fact) -> Option<Fix> {
    step_guard_fix(site, site.job.steps.get(producer.step)?)
}

fn step_guard_fix(site: &Site<'_>, producer: &StepTrace) -> Option<Fix> {
    let consumer = site.step()?;
    let wanted = producer.guard.as_ref()?.bare();
    // Conditions of another file speak of other steps; and a step that would then never run for this event was wanted there.
    let excluded = case_of(&consumer.condition.and(&producer.condition)).is_none();
    if excluded || !producer.place.shares_file(&consumer.place) {
        let advice = format!("run {} only if {wanted}", consumer.quoted());
        return Some(Fix::advice(advice));
    }
    let guard = consumer.guard.as_deref();
    Some(edit::guarded_step(&consumer.place, guard, wanted))
}
