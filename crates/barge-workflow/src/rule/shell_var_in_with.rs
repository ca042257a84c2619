//! shell-var-in-with: a shell variable stands in an input of an action, where no shell reads it.
//!
//! ```yaml
//! - uses: docker/build-push-action@v6
//!   with: {tags: "app:$VERSION"}
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::Place;
use crate::model::Field;
use crate::source::Span;

use super::Rule;
use super::context::Context;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "shell-var-in-with",
    severity: Severity::Error,
    summary: "a shell variable stands in an input of an action that runs no shell",
    explanation: "Inputs are texts: `$NAME` stays as it is. Use `${{ env.NAME }}`.",
    check,
};

const INPUTS: &[&str] = &[
    "tags",
    "name",
    "path",
    "image-ref",
    "image",
    "images",
    "file",
    "outputs",
    "input",
    "sbom",
    "subject-name",
    "push-to-registry",
    "build-args",
    "labels",
    "cache-from",
    "cache-to",
    "output",
    "key",
];
const ACTIONS: &[&str] = &[
    "docker/",
    "actions/upload-artifact",
    "actions/download-artifact",
    "actions/cache",
    "aquasecurity/",
    "anchore/",
    "ishworkh/",
    "actions/attest",
    "crazy-max/",
];

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let steps = context.workflow.jobs.iter().flat_map(|job| &job.steps);
    for step in steps {
        let Some((action, _)) = step.action() else {
            continue;
        };
        let lower = action.to_lowercase();
        if !ACTIONS.iter().any(|known| lower.starts_with(known)) {
            continue;
        }
        let inputs = step.with.iter();
        for (input, field) in inputs.filter(|(input, _)| is_text(input)) {
            report(context, action, input, field, findings);
        }
    }
}

fn is_text(input: &str) -> bool {
    INPUTS.contains(&input.to_lowercase().as_str())
}

fn report(
    context: &Context<'_>,
    action: &str,
    input: &str,
    field: &Field,
    findings: &mut Vec<Finding>,
) {
    let source = &context.workflow.source;
    let mut from = 0;
    while let Some((at, length, name)) = variable(&field.text, from) {
        from = at + length;
        let start = field.locate(source, at);
        let place = Place::new(source, Span::new(start, start + length));
        let message = format!("`{input}` of {action} is no shell text: `${name}` stays as it is");
        let meant = if name.starts_with("GITHUB_") || name.starts_with("RUNNER_") {
            name.to_lowercase().replacen('_', ".", 1)
        } else {
            format!("env.{name}")
        };
        let expression = format!("${{{{ {meant} }}}}");
        let fix = Fix::edit(expression.clone(), &place, expression);
        findings.push(RULE.finding(&place, message).mended_by(fix));
    }
}
/// The next `$NAME` or `${NAME}`: its byte, its length and its name. Only names in capitals, as environments have them.
fn variable(text: &str, from: usize) -> Option<(usize, usize, &str)> {
    let mut at = from;
    loop {
        at += text.get(at..)?.find('$')?;
        let rest = text.get(at + 1..)?;
        let braces = rest.starts_with('{') && !rest.starts_with("{{");
        let name_start = if braces { at + 2 } else { at + 1 };
        let tail = text.get(name_start..)?;
        let end = tail
            .find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
            .unwrap_or(tail.len());
        let name = tail.get(..end)?;
        let closed = !braces || tail.get(end..).is_some_and(|after| after.starts_with('}'));
        let lower_follows = tail
            .get(end..)
            .is_some_and(|after| after.starts_with(|c: char| c.is_ascii_lowercase()));
        if name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && closed
            && !lower_follows
        {
            return Some((at, name_start - at + end + usize::from(braces), name));
        }
        at += 1;
    }
}
