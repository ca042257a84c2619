//! not-loaded: an image was built in a builder of its own and never came into the daemon.
//!
//! ```yaml
//! - uses: docker/setup-buildx-action@v3
//! - uses: docker/build-push-action@v6
//!   with: {tags: "app:1"}            # neither load, nor push, nor outputs
//! - run: docker run app:1
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::{Fact, FactKind, JobTrace, Need, Trace};
use crate::model::{Step, Workflow};
use crate::source::Span;
use crate::symbolic::{Condition, Text};

use super::Rule;
use super::context::{Context, case_of, case_words, shown, step_name};
use super::presence::Presence;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "not-loaded",
    severity: Severity::Error,
    summary: "an image is built and not loaded into the daemon, and then used by name",
    explanation: "With setup-buildx-action the build runs in a container of its own and its result stays in that builder's cache, \
        unless `load`, `push` or `outputs` say otherwise. Add `load: true`, or `outputs: type=docker,dest=FILE` when it is only saved.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        for (number, fact) in job.facts.iter().enumerate() {
            if let FactKind::Named(name, need, program) = &fact.kind
                && !fact.tolerated
                && *need != Need::Remote
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
    let missing = fact.condition.and(&presence.possible().negate());
    for built in &presence.built {
        let FactKind::Built(delivery) = &built.kind else {
            continue;
        };
        let mut here = job.condition.and(&missing).and(&built.condition);
        if need == Need::LocalOrRemote {
            // What was pushed is pulled.
            here = here.and(&delivery.to_registry.negate());
        }
        let Some(case) = case_of(&here) else { continue };
        let pushed = case_of(&here.and(&delivery.to_registry.negate())).is_none();
        let where_to = if pushed {
            "is pushed and not loaded"
        } else {
            "stays in the builder"
        };
        let message = format!(
            "{program} needs {} in the daemon, but the build's result {where_to}",
            shown(name)
        );
        let mut finding = Context::finding(RULE.id, Severity::Error, &fact.place, message)
            .with_evidence(
                &built.place.source,
                built.place.span,
                format!("built by {} with {}", step_name(job, built), delivery.by),
            );
        finding.case = Some(case_words(trace, &case));
        finding.consequence = Some("the daemon does not know the image".into());
        finding.fix = fix(
            context.workflow,
            built,
            pushed,
            delivery.loads != Condition::Never,
        );
        findings.push(finding);
        return;
    }
}

/// `load: true` beside the other inputs of the build.
fn fix(workflow: &Workflow, built: &Fact, pushed: bool, loads_sometimes: bool) -> Option<Fix> {
    if pushed {
        return Some(Fix::advice(
            "pull the pushed image first, or build it with `load: true` too",
        ));
    }
    let advice = Some(Fix::advice("add `load: true` to the build"));
    let steps = workflow.jobs.iter().flat_map(|job| &job.steps);
    let Some(step) = steps
        .into_iter()
        .find(|step| step.span.contains(built.place.span))
    else {
        return advice;
    };
    if loads_sometimes
        || built.place.source.path() != workflow.source.path()
        || step.input("outputs").is_some()
    {
        return advice;
    }
    load_edit(workflow, step).or(advice)
}

fn load_edit(workflow: &Workflow, step: &Step) -> Option<Fix> {
    if let Some(load) = step.input("load") {
        return Some(Fix::edit("load: true", &workflow.source, load.span, "true"));
    }
    // Beside the first input, in its column; a mapping in braces is left to its author.
    let first = step.with.first()?;
    let value = first.1.span.start;
    let line = workflow.source.line_of(value);
    let mut first_line = line;
    while first_line > 1
        && !workflow
            .source
            .line(first_line)
            .trim_start()
            .starts_with(first.0.as_str())
    {
        first_line -= 1;
        if line - first_line > 2 {
            return None;
        }
    }
    let text = workflow.source.line(first_line);
    let indent = text.len() - text.trim_start().len();
    let at = workflow.source.line_start(first_line);
    Some(Fix::edit(
        "load: true",
        &workflow.source,
        Span::new(at, at),
        format!("{}load: true\n", " ".repeat(indent)),
    ))
}
