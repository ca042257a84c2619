//! A workflow or composite action as typed parts, each with its place in the file.
//!
//! Tolerant: keys it does not know are left alone, values of the wrong kind are left out. Checking a file's shape is not
//! its purpose. Names are GitHub's; other forges get a model of their own that yields the same steps.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::expression::{Part, Template, parse};
use crate::shell::ScriptText;
use crate::source::{Source, Span};
use crate::yaml::{self, Node, ParseYamlError, Style};

const STEP_LIMIT: usize = 5_000;

/// A text and where it stands.
///
/// What is read from the text is kept: a step is walked once per leg and scenario.
#[derive(Debug, Clone)]
pub struct Field {
    /// The text as YAML reads it.
    pub text: String,
    /// Its bytes in the file.
    pub span: Span,
    /// How it was written.
    pub style: Style,
    template: OnceLock<Arc<Template>>,
    script: OnceLock<Arc<ScriptText>>,
    /// The bytes at which the text's lines start.
    line_starts: OnceLock<Arc<[usize]>>,
}

/// A name with its field.
pub type Entry = (String, Field);

/// An `if:`.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The text.
    pub field: Field,
    /// The text, read.
    pub template: Template,
}

/// A workflow file.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// The file.
    pub source: Source,
    /// Its tree.
    pub root: Arc<Node>,
    /// `name:`
    pub name: Option<String>,
    /// What starts it.
    pub triggers: Vec<Trigger>,
    /// `env:`
    pub env: Vec<Entry>,
    /// `defaults.run`
    pub defaults: Defaults,
    /// Its jobs in the order of the file.
    pub jobs: Vec<Job>,
}

/// One event of `on:`.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// The event's name.
    pub event: String,
    /// Where it is named.
    pub span: Span,
    /// The lists of its filters: `branches`, `tags`, `types`.
    pub filters: BTreeMap<String, Vec<String>>,
    /// Its inputs.
    pub inputs: BTreeMap<String, Input>,
    /// The outputs of a called workflow.
    pub outputs: Vec<Entry>,
}

/// An input of a workflow or action.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// `type:`
    pub kind: Option<String>,
    /// `default:`
    pub default: Option<String>,
    /// `options:`
    pub options: Vec<String>,
}

/// What steps inherit.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// `shell:`
    pub shell: Option<String>,
    /// `working-directory:`
    pub working_directory: Option<Field>,
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its key.
    pub id: String,
    /// Where the key stands.
    pub span: Span,
    /// The whole job.
    pub node: Arc<Node>,
    /// `needs:`
    pub needs: Vec<Field>,
    /// `if:`
    pub guard: Option<Arc<Guard>>,
    /// `env:`
    pub env: Vec<Entry>,
    /// `outputs:`
    pub outputs: Vec<Entry>,
    /// `strategy.matrix`
    pub matrix: Option<Arc<Node>>,
    /// `runs-on:`, when it is a text.
    pub runs_on: Option<String>,
    /// `uses:` of a called workflow.
    pub uses: Option<Field>,
    /// `with:` of a called workflow.
    pub with: Vec<Entry>,
    /// `defaults.run`
    pub defaults: Defaults,
    /// Images of `services:`, and of `container:`.
    pub containers: Vec<Field>,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// A step.
#[derive(Debug, Clone)]
pub struct Step {
    /// The step's whole mapping.
    pub span: Span,
    /// `id:`
    pub id: Option<Field>,
    /// `name:`
    pub name: Option<Field>,
    /// `if:`
    pub guard: Option<Arc<Guard>>,
    /// `uses:`
    pub uses: Option<Field>,
    /// `with:`
    pub with: Vec<Entry>,
    /// Where `with:` stands, key and values.
    pub with_span: Option<Span>,
    /// `run:`
    pub run: Option<Field>,
    /// `shell:`
    pub shell: Option<String>,
    /// `working-directory:`
    pub working_directory: Option<Field>,
    /// `env:`
    pub env: Vec<Entry>,
    /// `continue-on-error:` is anything but false.
    pub continue_on_error: bool,
}

/// A composite action.
#[derive(Debug, Clone)]
pub struct Action {
    /// The file.
    pub source: Source,
    /// Its inputs.
    pub inputs: BTreeMap<String, Input>,
    /// Its outputs.
    pub outputs: Vec<Entry>,
    /// Its steps; empty for an action that is no composite.
    pub steps: Vec<Step>,
    /// Says whether it is made of steps.
    pub composite: bool,
}

impl Field {
    fn from_node(node: &Node) -> Option<Self> {
        match &node.kind {
            yaml::Kind::Scalar(scalar) => {
                Some(Self::new(scalar.text.clone(), node.span, scalar.style))
            }
            _ => None,
        }
    }

    /// A text at a place.
    #[must_use]
    pub fn new(text: String, span: Span, style: Style) -> Self {
        Self {
            text,
            span,
            style,
            template: OnceLock::new(),
            script: OnceLock::new(),
            line_starts: OnceLock::new(),
        }
    }

    /// The text, split at its expressions.
    #[must_use]
    pub fn template(&self) -> &Template {
        self.template
            .get_or_init(|| Arc::new(Template::parse(&self.text)))
    }

    /// The text, read as a shell script.
    #[must_use]
    pub fn script(&self) -> &Arc<ScriptText> {
        self.script
            .get_or_init(|| Arc::new(ScriptText::new(&self.text, self.template())))
    }

    /// The byte of the file where a byte of the text stands.
    #[must_use]
    pub fn locate(&self, source: &Source, offset: usize) -> usize {
        match self.style {
            Style::Plain => (self.span.start + offset).min(self.span.end),
            Style::Quoted => (self.span.start + 1 + offset).min(self.span.end),
            Style::Literal | Style::Folded => self.locate_in_block(source, offset),
        }
    }

    fn line_starts(&self) -> &[usize] {
        self.line_starts.get_or_init(|| {
            let ends = self.text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(ends).collect()
        })
    }

    fn locate_in_block(&self, source: &Source, offset: usize) -> usize {
        let leading = self.text.len() - self.text.trim_start_matches('\n').len();
        let starts = self.line_starts();
        let line_in_text = starts.partition_point(|start| *start <= offset).max(1) - 1;
        let start = starts.get(line_in_text).copied().unwrap_or_default();
        let column = offset - start;
        let rest = self.text.get(start..).unwrap_or_default();
        let text_line = rest.lines().next().unwrap_or_default();
        let first = source.line_of(self.span.start).saturating_sub(leading);
        if self.style == Style::Folded {
            // Folding joins lines: look for the line that holds what follows.
            let wanted = self.text.get(offset..).unwrap_or_default();
            let wanted = wanted.split([' ', '\n']).next().unwrap_or_default();
            let from = source.line_start(first);
            let found = source
                .text()
                .get(from..self.span.end)
                .and_then(|block| block.find(wanted));
            return found.map_or(self.span.start, |at| from + at);
        }
        let line = first + line_in_text;
        let indent = source.line(line).len().saturating_sub(text_line.len());
        (source.line_start(line) + indent + column).min(source.line_end(line))
    }
}

impl Guard {
    fn new(field: Field) -> Self {
        let template = if field.text.contains("${{") {
            Template::parse(field.text.trim())
        } else {
            let range = 0..field.text.len();
            let part = match parse(&field.text) {
                Ok(expression) => Part::Expression(range, expression),
                Err(error) => Part::Broken(range, error),
            };
            Template { parts: vec![part] }
        };
        Self { field, template }
    }

    /// The text as written.
    #[must_use]
    pub fn text(&self) -> &str {
        self.field.text.trim()
    }

    /// The condition without the braces around it.
    #[must_use]
    pub fn bare(&self) -> &str {
        let inner = self
            .text()
            .strip_prefix("${{")
            .and_then(|rest| rest.strip_suffix("}}"));
        inner
            .filter(|inner| !inner.contains("${{"))
            .unwrap_or(self.text())
            .trim()
    }

    /// Says whether it can hold although something before it failed.
    #[must_use]
    pub fn holds_after_failure(&self) -> bool {
        self.template.expressions().any(|expression| {
            ["always", "failure", "cancelled"]
                .iter()
                .any(|function| expression.calls(function))
        })
    }

    /// Says whether a status function occurs in it.
    #[must_use]
    pub fn has_status_function(&self) -> bool {
        self.template
            .expressions()
            .any(crate::expression::Expression::has_status_function)
    }
}

impl Workflow {
    /// Reads a workflow; broken YAML is an error with its place.
    pub fn parse(source: &Source) -> Result<Self, ParseYamlError> {
        let root = yaml::parse(source)?;
        let jobs = root
            .get("jobs")
            .map(|jobs| jobs.entries())
            .unwrap_or_default();
        let mut count = 0;
        let jobs = jobs
            .iter()
            .filter_map(|(key, node)| job(key, node, &mut count))
            .collect();
        bounded(source, count)?;
        Ok(Self {
            name: text_of(&root, "name"),
            triggers: triggers(&root),
            env: fields(root.get("env")),
            defaults: defaults(&root),
            jobs,
            source: source.clone(),
            root,
        })
    }

    /// The trigger for an event.
    #[must_use]
    pub fn trigger(&self, event: &str) -> Option<&Trigger> {
        self.triggers.iter().find(|trigger| trigger.event == event)
    }
}

impl Action {
    /// Reads an action's description.
    pub fn parse(source: &Source) -> Result<Self, ParseYamlError> {
        let root = yaml::parse(source)?;
        let runs = root.get("runs");
        let mut count = 0;
        let steps = runs
            .and_then(|runs| runs.get("steps"))
            .map(|steps| steps_of(steps, &mut count));
        bounded(source, count)?;
        let composite = runs
            .and_then(|runs| text_of(runs, "using"))
            .is_some_and(|using| using == "composite");
        Ok(Self {
            inputs: inputs(root.get("inputs")),
            outputs: outputs(root.get("outputs")),
            steps: steps.unwrap_or_default(),
            composite,
            source: source.clone(),
        })
    }
}

impl Step {
    /// The value of an input.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&Field> {
        self.with
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, field)| field)
    }

    /// The action's name without its version: `docker/build-push-action`.
    #[must_use]
    pub fn action(&self) -> Option<(&str, &str)> {
        let uses = self.uses.as_ref()?;
        Some(uses.text.split_once('@').unwrap_or((&uses.text, "")))
    }

    /// What people call the step.
    #[must_use]
    pub fn title(&self) -> String {
        if let Some(name) = &self.name {
            return name.text.clone();
        }
        match (&self.uses, &self.run) {
            (Some(uses), _) => uses.text.clone(),
            (None, Some(run)) => run.text.lines().next().unwrap_or_default().to_owned(),
            _ => "a step".into(),
        }
    }
}

fn text_of(node: &Node, key: &str) -> Option<String> {
    node.get(key)?.text().map(str::to_owned)
}

fn fields(node: Option<&Arc<Node>>) -> Vec<Entry> {
    let entries = node.map(|node| node.entries()).unwrap_or_default();
    entries
        .iter()
        .filter_map(|(key, value)| Some((key.text()?.to_owned(), Field::from_node(value)?)))
        .collect()
}

fn field(node: &Node, key: &str) -> Option<Field> {
    node.get(key)
        .filter(|value| !value.is_null())
        .and_then(|value| Field::from_node(value))
}

fn defaults(node: &Node) -> Defaults {
    let run = node
        .get("defaults")
        .and_then(|defaults| defaults.get("run"));
    Defaults {
        shell: run.and_then(|run| text_of(run, "shell")),
        working_directory: run.and_then(|run| field(run, "working-directory")),
    }
}

fn guard(node: &Node) -> Option<Arc<Guard>> {
    field(node, "if").map(|field| Arc::new(Guard::new(field)))
}

fn texts(node: &Arc<Node>) -> Vec<Field> {
    match Field::from_node(node) {
        Some(single) => vec![single],
        None => node
            .items()
            .iter()
            .filter_map(|item| Field::from_node(item))
            .collect(),
    }
}

fn triggers(root: &Node) -> Vec<Trigger> {
    // YAML 1.1 readers take `on` for a boolean; this one keeps the text.
    let Some(on) = root.get("on").or_else(|| root.get("true")) else {
        return Vec::new();
    };
    if !on.entries().is_empty() {
        return on
            .entries()
            .iter()
            .filter_map(|(key, value)| trigger(key, value))
            .collect();
    }
    let named = texts(on).into_iter();
    named
        .map(|field| Trigger {
            event: field.text,
            span: field.span,
            filters: BTreeMap::new(),
            inputs: BTreeMap::new(),
            outputs: Vec::new(),
        })
        .collect()
}

fn trigger(key: &Node, value: &Node) -> Option<Trigger> {
    let mut filters = BTreeMap::new();
    for (name, list) in value.entries() {
        if let Some(name) = name.text() {
            filters.insert(
                name.to_owned(),
                texts(list).into_iter().map(|field| field.text).collect(),
            );
        }
    }
    Some(Trigger {
        event: key.text()?.to_owned(),
        span: key.span,
        filters,
        inputs: inputs(value.get("inputs")),
        outputs: outputs(value.get("outputs")),
    })
}

fn inputs(node: Option<&Arc<Node>>) -> BTreeMap<String, Input> {
    let entries = node.map(|node| node.entries()).unwrap_or_default();
    let read = entries.iter().filter_map(|(key, value)| {
        let options = value.get("options").map(texts).unwrap_or_default();
        let input = Input {
            kind: text_of(value, "type"),
            default: text_of(value, "default"),
            options: options.into_iter().map(|field| field.text).collect(),
        };
        Some((key.text()?.to_lowercase(), input))
    });
    read.collect()
}

fn outputs(node: Option<&Arc<Node>>) -> Vec<Entry> {
    let entries = node.map(|node| node.entries()).unwrap_or_default();
    entries
        .iter()
        .filter_map(|(key, value)| Some((key.text()?.to_owned(), field(value, "value")?)))
        .collect()
}

fn job(key: &Arc<Node>, node: &Arc<Node>, count: &mut usize) -> Option<Job> {
    let mut containers: Vec<Field> = Vec::new();
    if let Some(container) = node.get("container") {
        containers.extend(Field::from_node(container).or_else(|| field(container, "image")));
    }
    for (_, service) in node
        .get("services")
        .map(|services| services.entries())
        .unwrap_or_default()
    {
        containers.extend(field(service, "image"));
    }
    Some(Job {
        id: key.text()?.to_owned(),
        span: key.span,
        needs: node.get("needs").map(texts).unwrap_or_default(),
        guard: guard(node),
        env: fields(node.get("env")),
        outputs: fields(node.get("outputs")),
        matrix: node
            .get("strategy")
            .and_then(|strategy| strategy.get("matrix"))
            .cloned(),
        runs_on: text_of(node, "runs-on"),
        uses: field(node, "uses"),
        with: fields(node.get("with")),
        defaults: defaults(node),
        containers,
        steps: node
            .get("steps")
            .map(|steps| steps_of(steps, count))
            .unwrap_or_default(),
        node: Arc::clone(node),
    })
}

/// Refuses a file with more steps than are read.
fn bounded(source: &Source, count: usize) -> Result<(), ParseYamlError> {
    if count <= STEP_LIMIT {
        return Ok(());
    }
    Err(ParseYamlError {
        position: source.position(0),
        reason: format!("{count} steps are too many: at most {STEP_LIMIT} are read"),
    })
}

/// The steps of a list, as long as no more than [`STEP_LIMIT`] were counted in their file.
fn steps_of(node: &Node, count: &mut usize) -> Vec<Step> {
    let mut steps = Vec::new();
    for item in node.items() {
        // A group of parallel steps holds a list of its own.
        let inner = item
            .get("parallel")
            .or_else(|| item.get("steps"))
            .filter(|inner| !inner.items().is_empty());
        let members = inner.map_or(std::slice::from_ref(item), |inner| inner.items());
        for member in members {
            *count += 1;
            if *count <= STEP_LIMIT {
                steps.push(step(member));
            }
        }
    }
    steps
}

fn step(node: &Node) -> Step {
    let with = node.entry("with");
    Step {
        span: node.span,
        id: field(node, "id"),
        name: field(node, "name"),
        guard: guard(node),
        uses: field(node, "uses"),
        with: fields(with.map(|(_, value)| value)),
        with_span: with.map(|(key, value)| Span::new(key.span.start, value.span.end)),
        run: field(node, "run"),
        shell: text_of(node, "shell"),
        working_directory: field(node, "working-directory"),
        env: fields(node.get("env")),
        continue_on_error: text_of(node, "continue-on-error").is_some_and(|value| value != "false"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_parts_and_their_places() {
        let text = "on:\n  push:\n    branches: [main]\n  pull_request:\njobs:\n  a:\n    if: github.ref == 'x'\n    steps:\n      - name: n\n        run: |\n          one\n            two ü\n          three\n      - uses: a/b@v1\n        with: {K: v}\n";
        let source = Source::new("w.yml", text);
        let workflow = Workflow::parse(&source).unwrap();
        assert_eq!(workflow.triggers.len(), 2);
        assert_eq!(
            workflow
                .trigger("push")
                .unwrap()
                .filters
                .get("branches")
                .unwrap(),
            &["main"]
        );
        let job = workflow.jobs.first().unwrap();
        assert!(
            job.guard
                .as_ref()
                .unwrap()
                .template
                .sole_expression()
                .is_some()
        );
        let run = job.steps.first().unwrap().run.as_ref().unwrap();
        for word in ["one", "two", "three"] {
            let at = run.text.find(word).unwrap();
            let byte = run.locate(&source, at);
            assert!(source.text()[byte..].starts_with(word), "{word}");
        }
        let second = job.steps.get(1).unwrap();
        assert_eq!(second.action(), Some(("a/b", "v1")));
        assert_eq!(second.input("k").unwrap().text, "v");
    }
}
