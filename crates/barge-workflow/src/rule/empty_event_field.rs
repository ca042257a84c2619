//! empty-event-field: a name hangs on a field that an event of `on:` does not have.
//!
//! ```yaml
//! on: [push, pull_request]
//! concurrency: {group: "ci-${{ github.event.pull_request.number }}", cancel-in-progress: true}
//! ```

use std::collections::BTreeMap;

use crate::expression::{Expression, Part, Template};
use crate::finding::{Finding, Fix, Severity};
use crate::flow::{FactKind, Place};
use crate::model::Field;
use crate::scenario::Scenario;
use crate::symbolic::{Condition, Scope, Shape, Value, evaluate};
use crate::yaml::Style;

use super::Rule;
use super::context::Context;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "empty-event-field",
    severity: Severity::Warning,
    summary: "a group, key, tag or artifact name is empty where an event lacks the field it is made of",
    explanation: "`github.event.pull_request` is null for every event but pull requests, and `github.head_ref` is empty: all runs of such an \
        event share one name. Add `|| github.run_id`, or a guard.",
    check,
};

const GROUP: &str = "concurrency group";

struct EventScope<'a>(&'a Scenario);

impl Scope for EventScope<'_> {
    fn resolve(&self, path: &[&str]) -> Value {
        match path.split_first() {
            Some((&"github", rest)) => self.0.github(rest),
            _ => Value::unknown(path.join("."), Shape::Text),
        }
    }

    fn status(&self, _: &str) -> Condition {
        Condition::Always
    }
}

/// A text that tells runs apart, what it names, and the events for which it is used.
struct Naming<'a> {
    field: Field,
    what: &'static str,
    scenarios: Vec<&'a Scenario>,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for naming in namings(context).into_values() {
        let mut lines = naming.field.text.lines();
        let emptied = lines.find_map(|line| {
            let mut scenarios = naming.scenarios.iter();
            scenarios.find(|scenario| is_emptied(line, scenario))
        });
        let Some(scenario) = emptied else { continue };
        let (what, label) = (naming.what, &scenario.label);
        let message = format!("this {what} has an empty part for the event {label}");
        let place = Place::new(&context.workflow.source, naming.field.span);
        let finding = RULE
            .finding(&place, message)
            .in_case(label.clone())
            .then(format!("all runs for {label} share one {what}"))
            .mended_by(fix(&place, what, scenario));
        findings.push(finding);
    }
}

/// `|| github.run_id` behind the field that is empty. Other names than groups may be used elsewhere too.
fn fix(place: &Place, what: &str, scenario: &Scenario) -> Fix {
    let template = Template::parse(place.text());
    let empty = template.parts.iter().find_map(|part| match part {
        Part::Expression(range, expression) if expression.path().is_some() => {
            let value = evaluate(expression, &EventScope(scenario)).sole_text()?;
            (value.is_empty() && names_event(expression)).then_some(range)
        }
        _ => None,
    });
    let inside = empty.and_then(|range| {
        let text = place.text().get(range.clone())?.strip_suffix("}}")?;
        Some(range.start + text.trim_end().len())
    });
    match inside {
        Some(end) if what == GROUP => {
            let message = "add `|| github.run_id` inside the braces";
            Fix::edit(message, &place.part(end, end), " || github.run_id")
        }
        _ => Fix::advice(format!(
            "add `|| github.run_id` inside the braces, and to what reads this {what}"
        )),
    }
}

fn namings<'a>(context: &Context<'a>) -> BTreeMap<usize, Naming<'a>> {
    let all: Vec<&Scenario> = context.traces.iter().map(|trace| &trace.scenario).collect();
    let mut namings = BTreeMap::new();
    for field in groups(context) {
        let naming = Naming {
            field,
            what: GROUP,
            scenarios: all.clone(),
        };
        namings.insert(naming.field.span.start, naming);
    }
    for site in context.sites() {
        let what = match &site.fact.kind {
            FactKind::Uploaded(_) => "artifact name",
            FactKind::Built(_) => "image tag",
            _ => continue,
        };
        let place = &site.fact.place;
        if place.source.path() != context.workflow.source.path() || site.case().is_none() {
            continue;
        }
        let naming = namings.entry(place.span.start).or_insert_with(|| Naming {
            field: Field::new(place.text().to_owned(), place.span, Style::Plain),
            what,
            scenarios: Vec::new(),
        });
        naming.scenarios.push(&site.trace.scenario);
    }
    namings
}

/// The concurrency groups of the workflow and its jobs.
fn groups(context: &Context<'_>) -> Vec<Field> {
    let jobs = context.workflow.jobs.iter().map(|job| &job.node);
    let roots = std::iter::once(&context.workflow.root).chain(jobs);
    let groups = roots.filter_map(|root| {
        let concurrency = root.get("concurrency")?;
        let group = concurrency.get("group").unwrap_or(concurrency);
        Some(Field::new(
            group.text()?.to_owned(),
            group.span,
            Style::Plain,
        ))
    });
    groups.collect()
}

/// A field of the event is null, prints nothing, and nothing else in the text tells runs apart.
fn is_emptied(text: &str, scenario: &Scenario) -> bool {
    let field = Field::new(
        text.to_owned(),
        crate::source::Span::default(),
        Style::Plain,
    );
    let mut empty = false;
    for expression in field.template().expressions() {
        match evaluate(expression, &EventScope(scenario)).sole_text() {
            Some(text) if text.is_empty() && names_event(expression) => empty = true,
            Some(text) if text.as_literal().is_some() => {}
            _ if is_same_for_all_runs(expression) => {}
            _ => return false,
        }
    }
    empty
}

fn names_event(expression: &Expression) -> bool {
    let text = expression.to_string();
    text.contains("github.event.") || text.contains("github.head_ref")
}

fn is_same_for_all_runs(expression: &Expression) -> bool {
    matches!(
        expression.to_string().as_str(),
        "github.workflow" | "github.repository" | "github.job" | "env.image_name" | "env.registry"
    )
}
