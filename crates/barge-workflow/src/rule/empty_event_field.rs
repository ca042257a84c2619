//! empty-event-field: a name hangs on a field that an event of `on:` does not have.
//!
//! ```yaml
//! on: [push, pull_request]
//! concurrency: {group: "ci-${{ github.event.pull_request.number }}", cancel-in-progress: true}
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::expression::{Expression, Part, Template};
use crate::finding::{Case, Finding, Fix, Severity};
use crate::flow::{FactKind, JobTrace, Place, StepTrace, Trace};
use crate::model::{Entry, Field, Step};
use crate::reference::{self, Name};
use crate::scenario::Scenario;
use crate::source::Span;
use crate::symbolic::{Condition, Scope, Shape, Value, evaluate};
use crate::yaml::Style;

use super::Rule;
use super::context::{Context, Site, case_of, shown};
use super::ref_empty_part::{END_OF_TAG, empty_part};
use super::uppercase_ref::named;

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
    let mut said = BTreeSet::new();
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
            .in_case(Case::of_event(label))
            .then(format!("all runs for {label} share one {what}"))
            .mended_by(fix(&place, what, scenario));
        said.insert(place.line());
        findings.push(finding);
    }
    for site in context.sites().filter(|site| !site.fact.tolerated) {
        let finding = emptied(context, &site).filter(|_| !explains(context, &site));
        if let Some(finding) = finding.filter(|_| said.insert(site.fact.place.line())) {
            findings.push(finding);
        }
    }
    findings.extend(context.sites().filter_map(|site| started_by_dash(&site)));
    for variable in variables(context) {
        let mut traces = context.traces.iter();
        let emptied = traces.find(|trace| {
            leaves_rest(&variable.value, &trace.scenario) && variable.is_taken(trace)
        });
        findings.extend(emptied.map(|trace| report_variable(context, &variable, &trace.scenario)));
    }
}

/// A reference with a part that only the events of other cases have.
fn emptied(context: &Context<'_>, site: &Site<'_>) -> Option<Finding> {
    let mut names = named(site).into_iter();
    let (name, part) = names.find_map(|name| Some((name, empty_part(name)?)))?;
    let whole = || reference::empty_part(name).is_some() && is_whole_elsewhere(context, site);
    if name.is_empty() || part == END_OF_TAG || !(holds_null_field(site) || whole()) {
        return None;
    }
    let label = &site.trace.scenario.label;
    let message = format!("{part} of {} is empty for the event {label}", shown(name));
    let mut finding = RULE
        .finding(&site.fact.place, message)
        .in_case(site.case()?)
        .then("the client answers \"invalid reference format\"")
        .advised("give the event a value of its own, or leave it out by `if:`");
    finding.severity = Severity::Error;
    Some(finding)
}

/// What is empty hangs on the event: its field stands there, or the same place names a whole reference for another event.
pub(super) fn is_of_event(context: &Context<'_>, site: &Site<'_>) -> bool {
    holds_null_field(site) || is_whole_elsewhere(context, site)
}

fn holds_null_field(site: &Site<'_>) -> bool {
    let scope = EventScope(&site.trace.scenario);
    let template = Template::parse(site.fact.place.text());
    let is_null = |expression: &Expression| {
        let text = evaluate(expression, &scope).sole_text();
        text.is_some_and(|text| text.is_empty()) && names_event(expression)
    };
    template.expressions().any(is_null)
}

fn is_whole_elsewhere(context: &Context<'_>, site: &Site<'_>) -> bool {
    let place = &site.fact.place;
    let mut others = context.sites().filter(|other| {
        other.trace.scenario.label != site.trace.scenario.label
            && other.fact.place.span == place.span
            && other.fact.place.shares_file(place)
    });
    others.any(|other| {
        let names = named(&other);
        !names.is_empty()
            && names.iter().all(|name| empty_part(name).is_none())
            && other.case().is_some()
    })
}

fn report_variable(context: &Context<'_>, variable: &Variable<'_>, scenario: &Scenario) -> Finding {
    let label = &scenario.label;
    let message = format!(
        "`{}` has an empty part for the event {label}",
        variable.name
    );
    let place = Place::new(&context.workflow.source, variable.span);
    RULE.finding(&place, message)
        .in_case(Case::of_event(label))
        .then(format!("all runs for {label} use one name"))
        .advised("give the event a name of its own: `|| github.sha` inside the braces")
}

/// A tag of metadata-action that starts with `-`: what stands before it is empty for this event.
fn started_by_dash(site: &Site<'_>) -> Option<Finding> {
    let FactKind::Built(delivery) = &site.fact.kind else {
        return None;
    };
    let mut names = delivery
        .references
        .iter()
        .filter(|_| delivery.from_metadata);
    let name = names.find(|name| {
        let tag = Name::of(name).tag;
        tag.is_some_and(|tag| tag.literal_start().starts_with('-'))
    })?;
    let before = site.job.steps.get(..site.fact.step)?;
    let mut makers = before.iter().rev();
    let maker = makers.find(|step| step.kind.to_lowercase().contains("metadata-action"))?;
    let text = maker.place.text();
    let part = ["{{branch}}-", "{{tag}}-", "{{base_ref}}-"]
        .iter()
        .find_map(|part| Some((text.find(part)?, part.len() - 1)));
    let (at, length) = part?;
    let label = &site.trace.scenario.label;
    let place = maker.place.part(at, at + length);
    let message = format!("`{}` is empty for the event {label}", place.text());
    let mut finding = RULE
        .finding(&place, message)
        .with_evidence(&site.fact.place, format!("the tag is {}", shown(name)))
        .in_case(site.case()?)
        .then("a tag may not start with `-`: the build fails with \"invalid reference format\"")
        .advised("add `enable=` with the events that have the value");
    finding.severity = Severity::Error;
    Some(finding)
}

/// A variable that by its name is part of an image's name.
struct Variable<'a> {
    name: &'a str,
    value: String,
    span: Span,
    /// The steps that see it: those of the workflow, of a job, or one alone.
    seen: Seen<'a>,
}

enum Seen<'a> {
    All,
    Job(&'a str),
    Step(Span),
}

fn variables<'a>(context: &Context<'a>) -> Vec<Variable<'a>> {
    let mut all = Vec::new();
    let mut add = |entries: &'a [Entry], seen: &dyn Fn() -> Seen<'a>| {
        for (name, field) in entries.iter().filter(|(name, _)| is_part_of_image(name)) {
            all.push(Variable {
                name,
                value: field.text.clone(),
                span: field.span,
                seen: seen(),
            });
        }
    };
    add(&context.workflow.env, &|| Seen::All);
    for job in &context.workflow.jobs {
        add(&job.env, &|| Seen::Job(&job.id));
        for step in &job.steps {
            add(&step.env, &|| Seen::Step(step.span));
        }
    }
    let jobs = context.workflow.jobs.iter();
    let scripts = jobs.flat_map(|job| &job.steps).filter_map(|step| {
        let run = step.run.as_ref()?;
        Some(assignments(context, step, run))
    });
    all.extend(scripts.flatten());
    all
}

/// The assignments of a script that does not ask for the event itself: `TAG=pr-${{ github.event.number }}`.
fn assignments<'a>(
    context: &Context<'_>,
    step: &'a Step,
    run: &'a Field,
) -> impl Iterator<Item = Variable<'a>> {
    let asks = ["if ", "case ", "&&", "||"]
        .iter()
        .any(|word| run.text.contains(word));
    let source = context.workflow.source.clone();
    let mut start = 0;
    let lines = run.text.split_inclusive('\n').map(move |line| {
        start += line.len();
        (start - line.len(), line)
    });
    lines
        .filter(move |(_, line)| !asks && line.contains("github."))
        .filter_map(move |(start, line)| {
            let words = line.trim().trim_start_matches("export ");
            let words = words.trim_start_matches("echo ");
            let words = words.trim_start_matches(['"', '\'']);
            let (name, value) = words.split_once('=')?;
            let value = value
                .split(['"', '\'', '>'])
                .find(|part| !part.is_empty())?;
            let at = run.locate(&source, start + line.len() - line.trim_start().len());
            is_part_of_image(name).then(|| Variable {
                name,
                value: value.trim().to_owned(),
                span: Span::new(at, at + line.trim().len()),
                seen: Seen::Step(step.span),
            })
        })
}

fn is_part_of_image(name: &str) -> bool {
    let name = name.to_uppercase();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(is_name)
        && ["TAG", "VERSION", "IMAGE"]
            .iter()
            .any(|part| name.contains(part))
}

impl Variable<'_> {
    /// A step runs that takes the variable, by name or by handing on its environment.
    fn is_taken(&self, trace: &Trace) -> bool {
        let takes = |step: &StepTrace| match self.seen {
            Seen::Step(span) => step.place.span == span,
            _ => mentions(step.place.text(), self.name) || hands_on(&step.script),
        };
        let runs = |job: &JobTrace| {
            let is_own = !matches!(self.seen, Seen::Job(id) if id != job.id);
            let mut steps = job.steps.iter();
            is_own
                && steps.any(|step| {
                    takes(step) && case_of(&job.condition.and(&step.condition)).is_some()
                })
        };
        trace.jobs.iter().any(runs)
    }
}

fn mentions(text: &str, variable: &str) -> bool {
    [
        format!("${variable}"),
        format!("${{{variable}"),
        format!("env.{variable}"),
    ]
    .iter()
    .any(|form| text.contains(form))
}

/// Programs that read the environment by themselves.
fn hands_on(script: &str) -> bool {
    ["make ", "compose ", "bake ", "./"]
        .iter()
        .any(|program| script.contains(program))
}

/// The empty part stands beside a known one: `pr-`.
fn leaves_rest(text: &str, scenario: &Scenario) -> bool {
    let template = Template::parse(text);
    let has_literal = template
        .parts
        .iter()
        .any(|part| matches!(part, Part::Literal(range) if text.get(range.clone()).is_some_and(|text| !text.trim().is_empty())));
    has_literal && is_emptied(text, scenario)
}

/// Says whether a fact's name is made of a variable that this rule reports.
pub(super) fn explains(context: &Context<'_>, site: &Site<'_>) -> bool {
    let text = site.step().map_or("", |step| step.place.text());
    variables(context).iter().any(|variable| {
        mentions(text, variable.name) && leaves_rest(&variable.value, &site.trace.scenario)
    })
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
