//! A composite action.

use std::collections::BTreeMap;

use crate::source::Source;
use crate::yaml::{self, ParseYamlError};

use super::field::{Entry, text_of};
use super::input::{Input, inputs, outputs};
use super::job::{Step, bounded, steps_of};

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
