//! What a script's expressions and variables are in one walk.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;

use crate::expression::Part as TemplatePart;
use crate::model::Field;
use crate::shell::ScriptText;
use crate::symbolic::{Scope as _, Shape, Term, Value, evaluate};

use super::super::scope::Contexts;

/// What a script's expressions and environment are in one walk.
pub(in super::super) struct Prepared {
    pub(super) script: Arc<ScriptText>,
    pub(super) placeholders: Vec<Value>,
    pub(super) environment: BTreeMap<EcoString, Value>,
}

/// Evaluates what a script refers to.
pub(in super::super) fn prepare(run: &Field, contexts: &Contexts<'_>) -> Prepared {
    let printed = |value: Value| value.map(|term| Term::Text(term.printed()));
    let values = run.template().parts.iter().filter_map(|part| match part {
        TemplatePart::Literal(_) => None,
        TemplatePart::Expression(_, expression) => Some(printed(evaluate(expression, contexts))),
        TemplatePart::Broken(range, _) => Some(Value::unknown(
            run.text.get(range.clone()).unwrap_or_default(),
            Shape::Text,
        )),
    });
    let script = Arc::clone(run.script());
    Prepared {
        placeholders: values.collect(),
        environment: environment(&script, contexts),
        script,
    }
}

/// The variables that a script can mean: only names that occur in it are looked up.
fn environment(script: &ScriptText, contexts: &Contexts<'_>) -> BTreeMap<EcoString, Value> {
    let mut variables = BTreeMap::new();
    if script.reads_all_variables() {
        let names = contexts.environment_names();
        variables.extend(names.filter_map(|name| Some((name.into(), contexts.environment(name)?))));
    }
    let closed = !contexts.environment_open && !script.sets_unseen();
    let open = contexts.environment_open && !script.sets_unseen();
    for name in script.variables() {
        if variables.contains_key(name) {
            continue;
        }
        if let Some(value) = contexts
            .environment(name)
            .or_else(|| default_variable(name, contexts))
            .or_else(|| {
                let unset = is_own(name) || set_in_another_shell(name, script.text(), contexts);
                (closed && unset).then(|| Value::text(""))
            })
            .or_else(|| (open && is_shared(name)).then(|| shared_variable(name)))
        {
            variables.insert(name.clone(), value);
        }
    }
    variables
}

/// A variable that something unknown can have set: the script and `env.NAME` mean the same one.
fn shared_variable(name: &str) -> Value {
    Value::unknown(format!("env.{}", name.to_lowercase()), Shape::Text)
}

/// An earlier step has set a variable of its own by this name, which ended with its shell.
fn set_in_another_shell(name: &str, script: &str, contexts: &Contexts<'_>) -> bool {
    let sets = |script: &str| {
        script.lines().any(|line| {
            let line = line.trim_start();
            let line = line.strip_prefix("export ").unwrap_or(line);
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('='))
        })
    };
    let hands_on = |script: &str| script.contains("GITHUB_ENV") || script.contains("BASH_ENV");
    let steps = contexts.steps.get(contexts.first_step..);
    let mut scripts = steps.into_iter().flatten().map(|step| &step.script);
    scripts.any(|script| sets(script) && !hands_on(script))
        && !script.contains(&format!("{name}="))
        && !script.contains("read ")
}

/// Says whether by its name a variable is one that steps share.
fn is_shared(name: &str) -> bool {
    let shared = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(shared)
}

/// Says whether by its name a variable is the script's own: the runner's are in capitals.
fn is_own(name: &str) -> bool {
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(lower)
        && !name.ends_with("_proxy")
}

fn default_variable(name: &str, contexts: &Contexts<'_>) -> Option<Value> {
    let path: &[&str] = match name {
        "GITHUB_REPOSITORY" => &["repository"],
        "GITHUB_REPOSITORY_OWNER" => &["repository_owner"],
        "GITHUB_SHA" => &["sha"],
        "GITHUB_REF" => &["ref"],
        "GITHUB_REF_NAME" => &["ref_name"],
        "GITHUB_REF_TYPE" => &["ref_type"],
        "GITHUB_HEAD_REF" => &["head_ref"],
        "GITHUB_BASE_REF" => &["base_ref"],
        "GITHUB_RUN_ID" => &["run_id"],
        "GITHUB_RUN_NUMBER" => &["run_number"],
        "GITHUB_RUN_ATTEMPT" => &["run_attempt"],
        "GITHUB_ACTOR" => &["actor"],
        "GITHUB_EVENT_NAME" => &["event_name"],
        "GITHUB_WORKSPACE" => &["workspace"],
        "RUNNER_TEMP" => return Some(contexts.resolve(&["runner", "temp"])),
        "RUNNER_OS" => return Some(contexts.resolve(&["runner", "os"])),
        "GITHUB_OUTPUT" | "GITHUB_ENV" | "GITHUB_STEP_SUMMARY" | "GITHUB_PATH" | "GITHUB_STATE" => {
            return Some(Value::unknown(format!("${name}"), Shape::Word));
        }
        _ => return None,
    };
    let path: Vec<&str> = std::iter::once("github")
        .chain(path.iter().copied())
        .collect();
    Some(contexts.resolve(&path))
}
