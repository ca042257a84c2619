//! ref-empty-part: a part of a reference is always empty.
//!
//! ```yaml
//! - id: meta
//!   uses: docker/metadata-action@v5
//! - run: docker push app:${{ steps.docker_meta.outputs.version }}   # no such step
//! ```

use crate::expression::Template;
use crate::finding::{Finding, Fix, Severity};
use crate::flow::{FactKind, JobTrace, Place};
use crate::reference;
use crate::source::Span;
use crate::symbolic::{Condition, Text};

use super::Rule;
use super::context::{Context, case_of, case_words, shown};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "ref-empty-part",
    severity: Severity::Error,
    summary: "a part of an image reference is always empty",
    explanation: "An expression for a step, output or variable that does not exist is null and prints nothing, without a warning.",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (trace, job) in context.jobs() {
        for fact in &job.facts {
            let names: Vec<&Text> = match &fact.kind {
                FactKind::Named(name, _, _) | FactKind::Attested(name) => vec![name],
                FactKind::Present(name, crate::flow::Origin::Tagged(_)) => vec![name],
                FactKind::Built(delivery) => delivery.references.iter().collect(),
                _ => continue,
            };
            if fact.tolerated {
                continue;
            }
            for name in names {
                let Some(part) = reference::empty_part(name) else {
                    continue;
                };
                // Empty in some cases only: another rule's affair.
                let own = job
                    .steps
                    .get(fact.step)
                    .map_or(&Condition::Always, |step| &step.condition);
                let always = own.implies(&fact.condition) == Some(true);
                let Some(case) = case_of(&job.condition.and(&fact.condition)).filter(|_| always)
                else {
                    continue;
                };
                let cause = cause(job, &fact.place, fact.step);
                if cause.is_none() && name.is_empty() {
                    continue;
                }
                let mut finding = Context::finding(
                    RULE.id,
                    Severity::Error,
                    &fact.place,
                    format!("{part} of {} is empty", shown(name)),
                );
                finding.case = Some(case_words(trace, &case));
                finding.consequence =
                    Some("the client answers \"invalid reference format\"".into());
                if let Some((span, message, fix)) = cause {
                    finding = finding.with_evidence(&fact.place.source, span, message);
                    finding.fix = fix;
                }
                findings.push(finding);
                break;
            }
        }
    }
}

/// The expression that is null: a step that does not exist before this one.
fn cause(job: &JobTrace, place: &Place, number: usize) -> Option<(Span, String, Option<Fix>)> {
    let text = place.source.slice(place.span);
    let template = Template::parse(text);
    for part in &template.parts {
        let crate::expression::Part::Expression(range, expression) = part else {
            continue;
        };
        let Some(path) = expression.path() else {
            continue;
        };
        let ["steps", id, "outputs", output, ..] = path.as_slice() else {
            continue;
        };
        let known = job.steps.iter().take(number).any(|step| {
            step.id
                .as_deref()
                .is_some_and(|own| own.eq_ignore_ascii_case(id))
        });
        let span = Span::new(place.span.start + range.start, place.span.start + range.end);
        if known {
            return Some((span, format!("step `{id}` sets no output `{output}`"), None));
        }
        let with_output: Vec<&str> = job
            .steps
            .iter()
            .take(number)
            .filter(|step| {
                step.outputs
                    .keys()
                    .any(|key| key.eq_ignore_ascii_case(output))
                    || step.kind.ends_with("metadata-action")
            })
            .filter_map(|step| step.id.as_deref())
            .collect();
        let fix = match with_output.as_slice() {
            [only] => {
                let replacement = place.source.slice(span).replacen(id, only, 1);
                Some(Fix::edit(
                    format!("use step `{only}`"),
                    &place.source,
                    span,
                    replacement,
                ))
            }
            _ => None,
        };
        return Some((
            span,
            format!("no step before this one has the id `{id}`"),
            fix,
        ));
    }
    None
}
