//! shell-var-in-with: a shell variable stands in an input of an action, where no shell reads it.
//!
//! ```yaml
//! - uses: docker/build-push-action@v6
//!   with: {tags: "app:$VERSION"}
//! ```

use crate::finding::{Finding, Fix, Severity};
use crate::flow::Place;
use crate::model::{Entry, Field, Step};
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
    "platforms",
    "context",
    "target",
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
    "dawidd6/action-download-artifact",
    "redhat-actions/",
];
/// Inputs whose values tools of their own may expand.
const EXPANDED: &[&str] = &["build-args", "labels"];
/// Contexts that are written in one brace by mistake: `${matrix.image}`.
const CONTEXTS: &[&str] = &[
    "matrix.", "env.", "inputs.", "github.", "steps.", "needs.", "vars.",
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

fn is_expanded(input: &str) -> bool {
    EXPANDED.contains(&input.to_lowercase().as_str())
}

fn report(
    context: &Context<'_>,
    action: &str,
    input: &str,
    field: &Field,
    findings: &mut Vec<Finding>,
) {
    let source = &context.workflow.source;
    if let Some(at) = field.text.find("$(").filter(|_| !is_expanded(input)) {
        let start = field.locate(source, at);
        let place = Place::new(source, Span::new(start, start + 2));
        let message = format!("`{input}` of {action} is no shell text: `$(` runs nothing");
        let fix = Fix::advice("run the command in a step of its own, and take its output");
        findings.push(RULE.finding(&place, message).mended_by(fix));
    }
    let mut from = 0;
    while let Some((at, length, name)) = variable(&field.text, from) {
        from = at + length;
        let start = field.locate(source, at);
        let place = Place::new(source, Span::new(start, start + length));
        if name.starts_with(|c: char| c.is_ascii_lowercase())
            && !name.contains('.')
            && is_expanded(input)
        {
            continue;
        }
        let message = format!("`{input}` of {action} is no shell text: `${name}` stays as it is");
        let meant = if name.contains('.') {
            name.to_owned()
        } else if name.starts_with("GITHUB_") || name.starts_with("RUNNER_") {
            name.to_lowercase().replacen('_', ".", 1)
        } else {
            format!("env.{name}")
        };
        let expression = format!("${{{{ {meant} }}}}");
        let fix = if meant.starts_with("env.") && !is_set(context, name) {
            Fix::advice(format!(
                "nothing sets `{name}`: set it in `env:`, then {expression}"
            ))
        } else {
            Fix::edit(expression.clone(), &place, expression)
        };
        findings.push(RULE.finding(&place, message).mended_by(fix));
    }
}

/// Says whether something gives steps a variable of this name: an `env:`, or a script that writes to GITHUB_ENV.
fn is_set(context: &Context<'_>, name: &str) -> bool {
    let has = |entries: &[Entry]| entries.iter().any(|(key, _)| key == name);
    let workflow = context.workflow;
    let written = |step: &Step| {
        let script = step.run.as_ref().map_or("", |run| run.text.as_str());
        script.contains("GITHUB_ENV") && script.contains(&format!("{name}="))
    };
    has(&workflow.env)
        || workflow.jobs.iter().any(|job| {
            has(&job.env) || job.steps.iter().any(|step| has(&step.env) || written(step))
        })
}

/// The next variable: its byte, its length and its name.
///
/// `$NAME` and `${NAME}` in capitals, as environments have them; in braces also small letters and contexts.
fn variable(text: &str, from: usize) -> Option<(usize, usize, &str)> {
    let starts = text.get(from..)?.match_indices('$');
    starts.map(|(at, _)| from + at).find_map(|at| {
        let rest = text.get(at + 1..)?;
        match rest.strip_prefix('{') {
            Some(inner) => {
                let (name, _) = inner.split_once('}')?;
                is_braced_name(name).then_some((at, name.len() + 3, name))
            }
            None => {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                let name = rest.get(..end.unwrap_or(rest.len()))?;
                is_capital_name(name).then_some((at, name.len() + 1, name))
            }
        }
    })
}

fn is_capital_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.len() > 1 && name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(fits)
}

fn is_braced_name(name: &str) -> bool {
    let is_word = |name: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(fits)
    };
    let context = CONTEXTS.iter().any(|context| name.starts_with(context));
    (context && name.split('.').all(|part| part == "*" || is_word(part)))
        || (is_word(name) && !name.contains('-'))
}
