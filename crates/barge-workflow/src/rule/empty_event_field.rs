//! empty-event-field: a name hangs on a field that an event of `on:` does not have.
//!
//! ```yaml
//! on: [push, pull_request]
//! concurrency: {group: "ci-${{ github.event.pull_request.number }}", cancel-in-progress: true}
//! ```

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::expression::Template;
use crate::finding::{Finding, Fix, Severity};
use crate::flow::FactKind;
use crate::model::Field;
use crate::scenario::Scenario;
use crate::symbolic::{Condition, Scope, Shape, Value, evaluate};

use super::Rule;
use super::context::{Context, case_of};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "empty-event-field",
    severity: Severity::Warning,
    summary: "a group, key, tag or artifact name is empty where an event lacks the field it is made of",
    explanation: "`github.event.pull_request` is null for every event but pull requests, and `github.head_ref` is empty: all runs of such an \
        event share one name. Add `|| github.run_id`, or a guard.",
    check,
};

struct EventScope<'a> {
    scenario: &'a Scenario,
    asked: Cell<u32>,
}

impl Scope for EventScope<'_> {
    fn resolve(&self, path: &[&str]) -> Value {
        self.asked.set(self.asked.get() + 1);
        match path.split_first() {
            Some((&"github", rest)) => self.scenario.github(rest),
            _ => Value::unknown(path.join("."), Shape::Text),
        }
    }

    fn status(&self, _: &str) -> Condition {
        Condition::Always
    }
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut named: BTreeMap<usize, (Field, &'static str, Vec<&Scenario>)> = BTreeMap::new();
    let all: Vec<&Scenario> = context.traces.iter().map(|trace| &trace.scenario).collect();
    for field in groups(context) {
        named.insert(field.span.start, (field, "concurrency group", all.clone()));
    }
    for (trace, job) in context.jobs() {
        for fact in &job.facts {
            let what = match &fact.kind {
                FactKind::Uploaded(_) => "artifact name",
                FactKind::Built(_) => "image tag",
                _ => continue,
            };
            if fact.place.source.path() != context.workflow.source.path()
                || case_of(&job.condition.and(&fact.condition)).is_none()
            {
                continue;
            }
            let text = fact.place.source.slice(fact.place.span).to_owned();
            let field = Field::new(text, fact.place.span, crate::yaml::Style::Plain);
            named
                .entry(field.span.start)
                .or_insert_with(|| (field, what, Vec::new()))
                .2
                .push(&trace.scenario);
        }
    }
    for (field, what, scenarios) in named.into_values() {
        for line in field.text.lines() {
            if let Some(scenario) = scenarios.iter().find(|scenario| is_emptied(line, scenario)) {
                let place = crate::flow::Place {
                    source: context.workflow.source.clone(),
                    span: field.span,
                };
                let message = format!(
                    "this {what} has an empty part for the event {}",
                    scenario.label
                );
                let mut finding = Context::finding(RULE.id, Severity::Warning, &place, message);
                finding.case = Some(scenario.label.clone());
                finding.consequence =
                    Some(format!("all runs for {} share one {what}", scenario.label));
                finding.fix = Some(Fix::advice("add `|| github.run_id` inside the braces"));
                findings.push(finding);
                break;
            }
        }
    }
}

fn groups(context: &Context<'_>) -> Vec<Field> {
    let mut groups = Vec::new();
    let roots = std::iter::once(&context.workflow.root)
        .chain(context.workflow.jobs.iter().map(|job| &job.node));
    for root in roots {
        let Some(concurrency) = root.get("concurrency") else {
            continue;
        };
        let node = concurrency.get("group").unwrap_or(concurrency);
        if let Some(text) = node.text() {
            groups.push(Field::new(
                text.to_owned(),
                node.span,
                crate::yaml::Style::Plain,
            ));
        }
    }
    groups
}

/// A field of the event is null, prints nothing, and nothing else in the text tells runs apart.
fn is_emptied(text: &str, scenario: &Scenario) -> bool {
    let template = Template::parse(text);
    let scope = EventScope {
        scenario,
        asked: Cell::new(0),
    };
    let mut empty = false;
    for expression in template.expressions() {
        let value = evaluate(expression, &scope);
        let names_event = expression.to_string().contains("github.event.")
            || expression.to_string().contains("github.head_ref");
        match value.sole_text() {
            Some(text) if text.is_empty() && names_event => empty = true,
            Some(text) if text.as_literal().is_some() => {}
            _ => {
                let name = expression.to_string();
                // The workflow's name is the same for all its runs.
                if !matches!(
                    name.as_str(),
                    "github.workflow"
                        | "github.repository"
                        | "github.job"
                        | "env.image_name"
                        | "env.registry"
                ) {
                    return false;
                }
            }
        }
    }
    empty
}
