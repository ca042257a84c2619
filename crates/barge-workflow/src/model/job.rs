//! Jobs and their steps.

use std::sync::Arc;

use crate::source::{Source, Span};
use crate::yaml::{Node, ParseYamlError};

use super::field::{Entry, Field, Guard, field, fields, text_of, texts};

const STEP_LIMIT: usize = 5_000;

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

pub(super) fn defaults(node: &Node) -> Defaults {
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

pub(super) fn job(key: &Arc<Node>, node: &Arc<Node>, count: &mut usize) -> Option<Job> {
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
pub(super) fn bounded(source: &Source, count: usize) -> Result<(), ParseYamlError> {
    if count <= STEP_LIMIT {
        return Ok(());
    }
    Err(ParseYamlError {
        position: source.position(0),
        reason: format!("{count} steps are too many: at most {STEP_LIMIT} are read"),
    })
}

/// The steps of a list, as long as no more than [`STEP_LIMIT`] were counted in their file.
pub(super) fn steps_of(node: &Node, count: &mut usize) -> Vec<Step> {
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
