//! A workflow file: what starts it, and its jobs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::source::{Source, Span};
use crate::yaml::{self, Node, ParseYamlError};

use super::field::{Entry, fields, text_of, texts};
use super::input::{Input, inputs, outputs};
use super::job::{Defaults, Job, bounded, defaults, job};

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
