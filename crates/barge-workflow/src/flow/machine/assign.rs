//! What a script sets for later steps: outputs and environment variables.

use std::collections::BTreeMap;

use crate::symbolic::{Condition, Satisfiable, Shape, Symbol, Text, Value};

use super::super::facts::FactKind;
use super::script::Script;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Output,
    Environment,
}

fn heredoc_start(line: &Text) -> Option<(String, Text)> {
    let (name, rest) = line.split_first('<')?;
    let delimiter = rest.strip_start("<")?;
    Some((name.as_literal()?.trim().to_owned(), delimiter.trim()))
}

impl Script<'_, '_> {
    /// Sets an output or variable from `name=value` lines and here-document forms.
    pub(super) fn assign_lines(&mut self, target: Target, text: &Text, condition: &Condition) {
        let mut lines = text.split(|c| c == '\n').into_iter();
        while let Some(line) = lines.next() {
            let heredoc = heredoc_start(&line);
            if let Some((name, delimiter)) = heredoc {
                let mut value = Text::new();
                let mut first = true;
                for body in lines.by_ref() {
                    if body.trim() == delimiter {
                        break;
                    }
                    if !first {
                        value.push_str("\n");
                    }
                    first = false;
                    value.append(&body);
                }
                self.assign(target, &name, &value.into(), condition);
            } else if let Some((name, value)) = line.split_first('=')
                && let Some(name) = name.as_literal()
            {
                self.assign(target, name.trim(), &value.into(), condition);
            } else if !line.is_empty() && line.as_literal().is_none() {
                self.open(target);
            }
        }
    }

    /// Something that is not known was set.
    pub(super) fn open(&mut self, target: Target) {
        match target {
            Target::Output => self.open_outputs(),
            Target::Environment => self.walk.environment_open = true,
        }
    }

    pub(super) fn assign(
        &mut self,
        target: Target,
        name: &str,
        value: &Value,
        condition: &Condition,
    ) {
        self.assigned.insert((target, name.to_owned()));
        let canonical = self.canonical(target, name);
        let Some(values) = self.values(target) else {
            return;
        };
        let before = values.get(name).cloned().unwrap_or_else(Value::null);
        let value = Value::choose(condition, value, &before).or_unknown(|| canonical);
        values.insert(name.to_owned(), value);
    }

    fn values(&mut self, target: Target) -> Option<&mut BTreeMap<String, Value>> {
        match target {
            Target::Output => self
                .walk
                .trace
                .steps
                .get_mut(self.step)
                .map(|step| &mut step.outputs),
            Target::Environment => Some(&mut self.walk.environment),
        }
    }

    fn canonical(&self, target: Target, name: &str) -> String {
        match (
            target,
            self.walk
                .trace
                .steps
                .get(self.step)
                .and_then(|step| step.id.as_deref()),
        ) {
            (Target::Output, Some(id)) => format!("steps.{id}.outputs.{name}"),
            _ => format!("${name}"),
        }
    }

    /// Names the one thing the script decides by questions that only a run can answer.
    ///
    /// With several such outputs, or images made under the same questions, the connection between them would be lost:
    /// then the questions themselves stay, from which nothing is proven.
    pub(super) fn settle(&mut self, first_fact: usize) {
        let assigned: Vec<(Target, String)> = self.assigned.iter().cloned().collect();
        let mut undecided = Vec::new();
        for (target, name) in assigned {
            let hangs = self
                .values(target)
                .and_then(|values| values.get(&name))
                .is_some_and(hangs_on_questions);
            if hangs {
                undecided.push((target, name));
            }
        }
        let made = self.walk.trace.facts.get(first_fact..).unwrap_or_default();
        let made = made.iter().any(|fact| {
            matches!(fact.kind, FactKind::Present(..) | FactKind::Written(..))
                && fact.condition != *self.condition
        });
        let [(target, name)] = undecided.as_slice() else {
            return;
        };
        if made {
            return;
        }
        let canonical = self.canonical(*target, name);
        if let Some(value) = self.values(*target).and_then(|values| values.get_mut(name)) {
            *value = settled(value, &canonical);
        }
    }

    pub(super) fn open_outputs(&mut self) {
        if let Some(trace) = self.walk.trace.steps.get_mut(self.step) {
            trace.open_outputs = true;
        }
    }
}

/// Says whether a value's alternatives depend on what programs say.
fn hangs_on_questions(value: &Value) -> bool {
    value.alternatives().len() > 1
        && value.alternatives().iter().any(|(condition, _)| {
            condition
                .symbols()
                .iter()
                .any(|symbol| symbol.shape() == Shape::Boolean)
        })
}

/// The unknown in place of a value; one whose alternatives are all known texts keeps them as its only values.
fn settled(value: &Value, name: &str) -> Value {
    let possible = value
        .texts()
        .into_iter()
        .filter(|(condition, _)| condition.satisfiable() != Satisfiable::No);
    let literals: Option<Vec<String>> = possible
        .map(|(_, text)| text.as_literal().map(str::to_owned))
        .collect();
    match literals {
        Some(literals) => Text::symbol(Symbol::one_of(name, Shape::Text, literals)).into(),
        None => Value::unknown(name, Shape::Text),
    }
}
