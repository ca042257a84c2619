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
    Content, Fact, FactKind, FileUse, JobTrace, Need, Place, Resolution, StepTrace, Trace,
};
use crate::reference;
use crate::symbolic::{Comparison, Condition, Text};

use super::Rule;
use super::context::{Context, case_of, case_words, guard_words, shown, step_name};
use super::presence::Presence;

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
    for (trace, job) in context.jobs() {
        for (number, fact) in job.facts.iter().enumerate() {
            if fact.tolerated {
                continue;
            }
            match &fact.kind {
                FactKind::Named(name, need, program) => image(
                    context,
                    trace,
                    job,
                    number,
                    (name, *need, program),
                    findings,
                ),
                FactKind::Read(file, usage, Resolution::Written(found))
                    if *usage != FileUse::Upload =>
                {
                    file_read(trace, job, fact, file, found, findings);
                }
                FactKind::Downloaded(Some(name), candidates) => {
                    artifact(context, trace, job, fact, name, candidates, findings);
                }
                FactKind::Failed(_) => failure(trace, job, number, findings),
                _ => {}
            }
        }
    }
}

fn image(
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
    let local =
        need == Need::Local || (need == Need::LocalOrRemote && reference::Name::of(name).is_bare());
    if reference::empty_part(name).is_some() {
        return emptied(trace, job, fact, name, program, findings);
    }
    if !local {
        return;
    }
    let presence = Presence::before(job, number, name);
    let Some(producer) = presence
        .producer()
        .or_else(|| presence.equal.first().copied())
    else {
        return elsewhere(
            context,
            trace,
            job,
            number,
            (name, program),
            &presence,
            findings,
        );
    };
    let missing = fact.condition.and(&presence.possible().negate());
    let Some(case) = case_of(&job.condition.and(&missing)) else {
        return;
    };
    // A build that ran and did not export its image is another defect.
    let unexported = presence
        .built
        .iter()
        .any(|built| case_of(&missing.and(&built.condition)).is_some());
    if unexported {
        return;
    }
    let message = format!("{program} needs an image that is not there in this case");
    let mut finding = Context::finding(RULE.id, Severity::Error, &fact.place, message)
        .with_evidence(
            &fact.place.source,
            fact.place.span,
            format!("names {}", shown(name)),
        )
        .with_evidence(
            &producer.place.source,
            producer.place.span,
            format!(
                "put there by {}, equal value{}",
                step_name(job, producer),
                guard_words(job, producer)
            ),
        );
    finding.case = Some(case_words(trace, &case));
    finding.consequence = Some(consequence(program));
    finding.fix = guard_fix(job, fact, producer);
    findings.push(finding);
}

fn consequence(program: &str) -> String {
    format!("{program} fails: the daemon answers \"reference does not exist\" or \"No such image\"")
}

/// The name is produced here for another event only.
fn elsewhere(
    context: &Context<'_>,
    trace: &Trace,
    job: &JobTrace,
    number: usize,
    use_of: (&Text, &str),
    presence: &Presence<'_>,
    findings: &mut Vec<Finding>,
) {
    let (name, program) = use_of;
    let Some(fact) = job.facts.get(number) else {
        return;
    };
    let missing = job
        .condition
        .and(&fact.condition)
        .and(&presence.possible().negate());
    if !presence.built.is_empty() || !presence.maybe.is_empty() {
        return;
    }
    let Some(case) = case_of(&missing) else {
        return;
    };
    for other in context.traces {
        let twin = other
            .jobs
            .iter()
            .find(|twin| twin.id == job.id && twin.leg == job.leg);
        let Some(twin) = twin else { continue };
        let producer = twin.facts.iter().find(|other| {
            other.place.span != fact.place.span && matches!(&other.kind, FactKind::Present(made, _) if reference::compare(made, name) == Comparison::Equal)
        });
        let Some(producer) = producer else { continue };
        let made_here = job
            .steps
            .get(producer.step)
            .is_some_and(|step| step.condition != Condition::Never);
        if made_here {
            return;
        }
        let message = format!("{program} needs an image that is not made for this event");
        let mut finding = Context::finding(RULE.id, Severity::Error, &fact.place, message)
            .with_evidence(
                &fact.place.source,
                fact.place.span,
                format!("names {}", shown(name)),
            )
            .with_evidence(
                &producer.place.source,
                producer.place.span,
                format!(
                    "put there by {}{}",
                    step_name(twin, producer),
                    guard_words(twin, producer)
                ),
            );
        finding.case = Some(case_words(trace, &case));
        finding.consequence = Some(consequence(program));
        finding.fix = guard_fix(job, fact, producer);
        findings.push(finding);
        return;
    }
}

/// A reference that is empty because the step whose output it is was skipped.
fn emptied(
    trace: &Trace,
    job: &JobTrace,
    fact: &Fact,
    name: &Text,
    program: &str,
    findings: &mut Vec<Finding>,
) {
    let Some(step) = skipped_with(job, fact) else {
        return;
    };
    let Some(case) = case_of(&job.condition.and(&fact.condition)) else {
        return;
    };
    let message = format!(
        "{program} names nothing in this case: {} was skipped",
        quoted(step)
    );
    let mut finding = Context::finding(RULE.id, Severity::Error, &fact.place, message)
        .with_evidence(
            &fact.place.source,
            fact.place.span,
            format!("names {} here", shown(name)),
        )
        .with_evidence(
            &step.place.source,
            step.place.span,
            format!("{} sets the value{}", quoted(step), own_guard(step)),
        );
    finding.case = Some(case_words(trace, &case));
    finding.consequence = Some(format!("{program} fails: \"invalid reference format\""));
    finding.fix = step_guard_fix(job, fact, step);
    findings.push(finding);
}

/// A script that ends itself exactly when a step was skipped whose output it wants.
fn failure(trace: &Trace, job: &JobTrace, number: usize, findings: &mut Vec<Finding>) {
    let Some(fact) = job.facts.get(number) else {
        return;
    };
    let Some(step) = skipped_with(job, fact).filter(|step| makes_references(step)) else {
        return;
    };
    let Some(case) = case_of(&job.condition.and(&fact.condition)) else {
        return;
    };
    let message = format!("the step fails whenever {} is skipped", quoted(step));
    let mut finding = Context::finding(RULE.id, Severity::Error, &fact.place, message)
        .with_evidence(
            &step.place.source,
            step.place.span,
            format!(
                "{} sets the value that is missed{}",
                quoted(step),
                own_guard(step)
            ),
        );
    finding.case = Some(case_words(trace, &case));
    finding.consequence = Some("the job fails, and what needs it is skipped".into());
    finding.fix = step_guard_fix(job, fact, step);
    findings.push(finding);
}

fn makes_references(step: &StepTrace) -> bool {
    let kind = step.kind.to_lowercase();
    kind.contains("metadata-action")
        || kind.contains("build-push-action")
        || kind.contains("docker-meta")
}

/// The step before a fact that cannot have run when the fact happens, though the fact's own step can run without it.
fn skipped_with<'a>(job: &'a JobTrace, fact: &Fact) -> Option<&'a StepTrace> {
    let own = job.steps.get(fact.step)?;
    let before = job.steps.iter().take(fact.step).rev();
    let guarded = before.filter(|step| {
        step.id.is_some() && !matches!(step.condition, Condition::Always | Condition::Never)
    });
    let skipped: Vec<&StepTrace> = guarded
        .filter(|step| {
            let excluded = fact.condition.implies(&step.condition.negate()) == Some(true);
            // The fact must hang on the skip, not on the step's own condition.
            excluded && own.condition.implies(&step.condition.negate()) == Some(false)
        })
        .collect();
    let text = format!("{} {}", own.script, own.place.source.slice(own.place.span));
    let named = skipped.iter().find(|step| {
        step.id
            .as_ref()
            .is_some_and(|id| text.contains(&format!("steps.{id}.")))
    });
    named.or_else(|| skipped.first()).copied()
}

fn quoted(step: &StepTrace) -> String {
    format!("step \"{}\"", step.title)
}

fn own_guard(step: &StepTrace) -> String {
    step.guard.as_ref().map_or_else(String::new, |(guard, _)| {
        format!(", only if {}", bare(guard))
    })
}

fn file_read(
    trace: &Trace,
    job: &JobTrace,
    fact: &Fact,
    file: &Text,
    found: &[(Condition, Content, Place)],
    findings: &mut Vec<Finding>,
) {
    let written = found
        .iter()
        .fold(Condition::Never, |any, (condition, _, _)| any.or(condition));
    let Some(case) = case_of(&job.condition.and(&fact.condition).and(&written.negate())) else {
        return;
    };
    let mut finding = Context::finding(
        RULE.id,
        Severity::Error,
        &fact.place,
        format!("{} is read, and not written in this case", shown(file)),
    );
    for (condition, _, place) in found {
        finding = finding.with_evidence(
            &place.source,
            place.span,
            format!("written here, only if {condition}"),
        );
    }
    finding.case = Some(case_words(trace, &case));
    finding.consequence = Some("the file is not there".into());
    let producer = job.facts.iter().find(|other| {
        found
            .iter()
            .any(|(_, _, place)| place.span == other.place.span)
    });
    finding.fix = producer.and_then(|producer| guard_fix(job, fact, producer));
    findings.push(finding);
}

fn artifact(
    context: &Context<'_>,
    trace: &Trace,
    job: &JobTrace,
    fact: &Fact,
    name: &Text,
    candidates: &[usize],
    findings: &mut Vec<Finding>,
) {
    if trace.foreign_artifacts.is_some() {
        return;
    }
    let found: Vec<_> = candidates
        .iter()
        .filter_map(|number| trace.artifacts.get(*number))
        .collect();
    let uploaded = found.iter().fold(Condition::Never, |any, artifact| {
        any.or(&artifact.condition)
    });
    let missing = job.condition.and(&fact.condition).and(&uploaded.negate());
    let Some(case) = case_of(&missing) else {
        return;
    };
    // What another event uploads under this name shows which step is meant.
    let others = context
        .traces
        .iter()
        .flat_map(|other| other.artifacts.iter());
    let meant = found.first().copied().or_else(|| {
        others
            .into_iter()
            .find(|artifact| artifact.answers(name) == Comparison::Equal)
    });
    let Some(meant) = meant else { return };
    let message = format!(
        "artifact {} is downloaded, and not uploaded in this case",
        shown(name)
    );
    let guard = meant.condition.to_string();
    let only = if guard == "always" {
        String::new()
    } else {
        format!(", only if {guard}")
    };
    let mut finding = Context::finding(RULE.id, Severity::Error, &fact.place, message)
        .with_evidence(
            &meant.place.source,
            meant.place.span,
            format!(
                "uploaded by step \"{}\" of job {}{only}",
                meant.step, meant.job
            ),
        );
    finding.case = Some(case_words(trace, &case));
    finding.consequence = Some("download-artifact fails: \"Artifact not found\"".into());
    finding.fix = Some(Fix::advice(format!(
        "let job {} run only when job {} uploaded it, by an output of that job",
        job.id, meant.job
    )));
    findings.push(finding);
}

/// Adds the producer's condition to the consumer's.
fn guard_fix(job: &JobTrace, fact: &Fact, producer: &Fact) -> Option<Fix> {
    let step = job.steps.get(producer.step)?;
    step_guard_fix(job, fact, step)
}

fn step_guard_fix(job: &JobTrace, fact: &Fact, producer: &StepTrace) -> Option<Fix> {
    let consumer = job.steps.get(fact.step)?;
    let (wanted, _) = producer.guard.as_ref()?;
    let wanted = bare(wanted);
    // Conditions of another file speak of other steps.
    if producer.place.source.path() != consumer.place.source.path() || wanted.contains('\n') {
        return Some(Fix::advice(format!(
            "run {} only if {wanted}",
            quoted(consumer)
        )));
    }
    match &consumer.guard {
        None => {
            let text = consumer.place.source.text();
            let column = consumer.place.position().column - 1;
            let insertion = format!("if: {}\n{}", quoted_for_yaml(&wanted), " ".repeat(column));
            // A step in braces cannot take a line of its own.
            if text
                .get(consumer.place.span.start..)
                .is_some_and(|rest| rest.starts_with('{'))
            {
                return Some(Fix::advice(format!("if: {wanted}")));
            }
            let at = crate::source::Span::new(consumer.place.span.start, consumer.place.span.start);
            Some(Fix::edit(
                format!("if: {wanted}"),
                &consumer.place.source,
                at,
                insertion,
            ))
        }
        Some((guard, span)) => {
            let own = bare(guard);
            if own.contains('\n') || own.contains(&wanted) {
                return Some(Fix::advice(format!("if: ({own}) && ({wanted})")));
            }
            let left = if own.contains("||") {
                format!("({own})")
            } else {
                own
            };
            let missing: Vec<&str> = if wanted.contains("||") {
                Vec::new()
            } else {
                wanted
                    .split("&&")
                    .map(str::trim)
                    .filter(|part| !left.contains(part))
                    .collect()
            };
            let right = if missing.is_empty() {
                format!("({wanted})")
            } else {
                missing.join(" && ")
            };
            let joined = format!("{left} && {right}");
            let written = quoted_for_yaml(&joined);
            Some(Fix::edit(
                format!("if: {joined}"),
                &consumer.place.source,
                *span,
                written,
            ))
        }
    }
}

/// A condition without its braces.
fn bare(guard: &str) -> String {
    let guard = guard.trim();
    let inner = guard
        .strip_prefix("${{")
        .and_then(|rest| rest.strip_suffix("}}"));
    inner
        .filter(|inner| !inner.contains("${{"))
        .unwrap_or(guard)
        .trim()
        .to_owned()
}

/// A condition as a YAML value: one that starts with `!` or a quote, or holds `: ` or ` #`, needs braces around it.
fn quoted_for_yaml(condition: &str) -> String {
    if condition.starts_with(['!', '\'', '"', '[', '{', '*', '&'])
        || condition.contains(": ")
        || condition.contains(" #")
    {
        format!("${{{{ {condition} }}}}")
    } else {
        condition.to_owned()
    }
}
