//! What an expression in a job or step can see.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::model::{Entry, Field, Input};
use crate::scenario::{Scenario, outside};
use crate::symbolic::{Condition, Scope, Shape, Symbol, Term, Text, Value, interpolate_template};

use super::facts::StepTrace;

/// A field's text with its expressions put in.
pub(super) fn interpolate_field(field: &Field, scope: &dyn Scope) -> Value {
    match field.known() {
        Some(text) => text.clone().into(),
        None => interpolate_template(field.template(), &field.text, scope),
    }
}

/// The result and outputs of a job that was walked.
#[derive(Debug, Clone)]
pub(super) struct JobResult {
    /// When it runs and succeeds.
    pub ran: Condition,
    /// What it hands on.
    pub outputs: BTreeMap<String, Value>,
    /// It can hand on more.
    pub open: bool,
}

impl JobResult {
    /// That of a job that is not followed.
    pub(super) fn unknown(ran: &Condition) -> Self {
        Self {
            ran: ran.clone(),
            outputs: BTreeMap::new(),
            open: true,
        }
    }
}

/// The contexts of one place in a job.
pub(super) struct Contexts<'a> {
    pub scenario: &'a Scenario,
    /// `inputs`; nothing when the caller is not known.
    pub inputs: &'a BTreeMap<String, Value>,
    pub declared: &'a BTreeMap<String, Input>,
    pub needs: &'a BTreeMap<String, JobResult>,
    /// Jobs of the workflow, for `jobs.<id>.outputs` of a called workflow.
    pub matrix: Option<&'a Term>,
    /// The job, which tells its unknown matrix values from those of other jobs.
    pub job: &'a str,
    /// Environment layers, the nearest first; each with the prefix that names its unknowns.
    pub layers: Vec<&'a [Entry]>,
    /// Values written to GITHUB_ENV.
    pub written: Option<&'a BTreeMap<String, Value>>,
    pub steps: &'a [StepTrace],
    /// The steps of this file start here in `steps`: a local action sees its own only.
    pub first_step: usize,
    /// Something unknown can have written to GITHUB_ENV.
    pub environment_open: bool,
    /// The condition under which the job's needs all succeeded.
    pub success: Condition,
    /// The first layer that can be seen; those before it are being evaluated.
    pub first_layer: Cell<usize>,
}

impl Contexts<'_> {
    /// The value of an environment variable as steps see it, if something sets it.
    pub(super) fn environment(&self, name: &str) -> Option<Value> {
        let first = self.first_layer.get();
        // The step's own layer stands before what earlier steps wrote.
        if first == 0
            && let Some(value) = self.layer(0, name)
        {
            return Some(value);
        }
        let below = (first.max(1)..self.layers.len()).find_map(|at| self.layer(at, name));
        let written = self.written.filter(|_| first < 2);
        match written.and_then(|written| written.get(name)) {
            // A write under a condition leaves the lower layer in the other cases, marked by null.
            Some(value) => Some(value.flat_map(|term| match term {
                Term::Null => below.clone().unwrap_or_else(Value::null),
                other => other.clone().into(),
            })),
            None => below,
        }
    }

    /// A variable of one layer. What it is made of is looked up in the layers behind it: `X: ${{ env.X }}` hands on.
    fn layer(&self, at: usize, name: &str) -> Option<Value> {
        let (_, field) = self.layers.get(at)?.iter().find(|(key, _)| key == name)?;
        let outer = self.first_layer.replace(at + 1);
        let value = interpolate_field(field, self);
        self.first_layer.set(outer);
        Some(value.map(|term| Term::Text(term.printed())))
    }

    fn step(&self, path: &[&str]) -> Value {
        let name = || format!("steps.{}", path.join("."));
        let (Some(id), Some(field)) = (path.first(), path.get(1)) else {
            return Value::unknown(name(), Shape::Any);
        };
        let steps = self.steps.get(self.first_step..).unwrap_or_default();
        let Some(step) = steps.iter().rev().find(|step| {
            step.id
                .as_deref()
                .is_some_and(|own| own.eq_ignore_ascii_case(id))
        }) else {
            // No step of this name came before: null, printed as nothing.
            return Value::null();
        };
        match (*field, path.get(2)) {
            ("outcome" | "conclusion", _) => {
                let skipped = Value::text("skipped");
                Value::choose(&step.condition, &Value::text("success"), &skipped)
            }
            // Outputs are texts, which have no members.
            ("outputs", Some(_)) if path.len() > 3 => Value::null(),
            ("outputs", Some(output)) => {
                let known = step
                    .outputs
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(output));
                let value = match known {
                    Some((_, value)) => value.clone(),
                    // A name that occurs in the script may be written in a way that was not understood.
                    None if step.open_outputs || may_set(&step.script, output) => {
                        Value::unknown(name(), Shape::Text)
                    }
                    None => return Value::null(),
                };
                Value::choose(&step.condition, &value, &Value::null())
            }
            ("outputs", None) => Value::unknown(name(), Shape::Any),
            // A step has nothing else: `steps.meta.tags` lacks its `outputs`.
            _ => Value::null(),
        }
    }

    fn need(&self, path: &[&str]) -> Value {
        let name = || format!("needs.{}", path.join("."));
        let job = path.first().and_then(|id| {
            self.needs
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(id))
        });
        let Some((_, job)) = job else {
            // Where nothing is needed the context is empty.
            if self.needs.is_empty() && self.scenario.event.is_some() {
                return Value::null();
            }
            // Whether a job that is no direct need can be read is not documented: nothing is proven from it.
            return Text::symbol(Symbol::undocumented(&name(), Shape::Any)).into();
        };
        match (path.get(1).copied(), path.get(2)) {
            (Some("result"), _) => {
                Value::choose(&job.ran, &Value::text("success"), &Value::text("skipped"))
            }
            (Some("outputs"), Some(_)) if path.len() > 3 => Value::null(),
            (Some("outputs"), Some(output)) => {
                let known = job
                    .outputs
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(output));
                match known {
                    Some((_, value)) => Value::choose(&job.ran, value, &Value::null()),
                    None if job.open => Value::unknown(name(), Shape::Text),
                    None => Value::null(),
                }
            }
            _ => Value::unknown(name(), Shape::Any),
        }
    }

    fn input(&self, path: &[&str]) -> Value {
        let name = path.first().copied().unwrap_or_default().to_lowercase();
        if let Some(value) = self.inputs.get(&name) {
            return value.clone();
        }
        let canonical = format!("inputs.{name}");
        // What is not declared is null, whoever calls.
        let Some(declared) = self.declared.get(&name) else {
            return Value::null();
        };
        match declared.kind.as_deref() {
            Some("boolean") => Value::unknown(canonical, Shape::Boolean),
            Some("choice") if !declared.options.is_empty() => Term::Text(Text::symbol(
                Symbol::one_of(canonical, Shape::Text, declared.options.clone()),
            ))
            .into(),
            Some("number") => Value::unknown(canonical, Shape::Digits),
            _ => Term::Text(Text::symbol(outside(&canonical))).into(),
        }
    }
}

impl Scope for Contexts<'_> {
    fn resolve(&self, path: &[&str]) -> Value {
        let Some((context, rest)) = path.split_first() else {
            return Value::null();
        };
        if let Some(value) = self.scenario.given(path) {
            return value;
        }
        let unknown = || Value::unknown(path.join("."), Shape::Text);
        match *context {
            "github" => self.scenario.github(rest),
            "env" => match rest.first() {
                Some(name) => {
                    let exact = self.environment(name);
                    // Names keep their case in the environment, but the parser lowers those after a dot.
                    exact
                        .or_else(|| self.environment_ignoring_case(name))
                        .unwrap_or_else(|| {
                            if self.environment_open {
                                unknown()
                            } else {
                                Value::null()
                            }
                        })
                }
                None => unknown(),
            },
            "steps" => self.step(rest),
            "needs" | "jobs" => self.need(rest),
            "inputs" => self.input(rest),
            "matrix" => match self.matrix {
                Some(matrix) => {
                    let mut term = matrix.clone();
                    for key in rest {
                        match term.member(&Term::text(*key)) {
                            Some(member) => term = member,
                            None => {
                                let name = format!("{} of {}", path.join("."), self.job);
                                return Value::unknown(name, Shape::Any);
                            }
                        }
                    }
                    term.into()
                }
                None => Value::unknown(format!("{} of {}", path.join("."), self.job), Shape::Any),
            },
            "vars" | "secrets" => Term::Text(Text::symbol(outside(&path.join(".")))).into(),
            "runner" | "job" | "strategy" => Value::unknown(path.join("."), Shape::Word),
            // GitHub knows no other contexts.
            _ => Value::null(),
        }
    }

    fn status(&self, function: &str) -> Condition {
        match function {
            "success" => self.success.clone(),
            "always" => Condition::Always,
            _ => Condition::Never,
        }
    }
}

impl Contexts<'_> {
    /// The names of all environment variables that are set.
    pub(super) fn environment_names(&self) -> impl Iterator<Item = &str> {
        let layers = self.layers.iter();
        let in_layers = layers.flat_map(|layer| layer.iter().map(|(key, _)| key.as_str()));
        let written = self.written.into_iter();
        in_layers.chain(written.flat_map(|written| written.keys().map(String::as_str)))
    }

    fn environment_ignoring_case(&self, name: &str) -> Option<Value> {
        let mut names = self.environment_names();
        let exact = names.find(|key| key.eq_ignore_ascii_case(name))?;
        self.environment(exact)
    }
}

/// Says whether a script's text can set an output in a way that was not understood: `NAME=`, `NAME<<` or `NAME::` stands in it.
fn may_set(script: &str, output: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    script.match_indices(output).any(|(at, _)| {
        let before = script.get(..at).unwrap_or_default();
        let after = script.get(at + output.len()..).unwrap_or_default();
        let after = after.trim_start_matches(['"', '\'', '}', '\\', ' ']);
        !before.ends_with(is_name) && ["=", "<<", "::"].iter().any(|sign| after.starts_with(sign))
    })
}
