//! shell-var-in-with: a shell variable stands in an input of an action, where no shell reads it.
//!
//! ```yaml
//! - uses: docker/build-push-action@v6
//!   with: {tags: "app:$VERSION"}
//! ```

use crate::finding::{Finding, Fix, Severity};
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
    for step in context.workflow.jobs.iter().flat_map(|job| &job.steps) {
        let Some((action, _)) = step.action() else {
            continue;
        };
        if !ACTIONS
            .iter()
            .any(|known| action.to_lowercase().starts_with(known))
        {
            continue;
        }
        for (input, field) in &step.with {
            if !INPUTS.contains(&input.to_lowercase().as_str()) {
                continue;
            }
            let mut from = 0;
            while let Some((at, length, name)) = variable(&field.text, from) {
                from = at + length;
                let start = field.locate(&context.workflow.source, at);
                let place = crate::flow::Place {
                    source: context.workflow.source.clone(),
                    span: Span::new(start, start + length),
                };
                let mut finding = Context::finding(
                    RULE.id,
                    Severity::Error,
                    &place,
                    format!("`{input}` of {action} is no shell text: `${name}` stays as it is"),
                );
                finding.fix = Some(Fix::edit(
                    format!("${{{{ env.{name} }}}}"),
                    &context.workflow.source,
                    place.span,
                    format!("${{{{ env.{name} }}}}"),
                ));
                if name.starts_with("GITHUB_") || name.starts_with("RUNNER_") {
                    let context_name = name.to_lowercase().replacen('_', ".", 1);
                    let replacement = format!("${{{{ {context_name} }}}}");
                    finding.fix = Some(Fix::edit(
                        replacement.clone(),
                        &context.workflow.source,
                        place.span,
                        replacement,
                    ));
                }
                findings.push(finding);
            }
        }
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
