//! The cases of a workflow: each of its events, with each value of the step outputs that nobody can know beforehand.

use std::collections::BTreeMap;

use crate::flow::{Repository, trace};
use crate::model::Workflow;
use crate::scenario::{Scenario, scenarios};
use crate::symbolic::{Condition, Expectation};

/// More unknowns are not varied together.
const UNKNOWN_LIMIT: usize = 3;

/// Every event of `on:`, once for each combination of values that decide what runs.
#[must_use]
pub fn all_cases(workflow: &Workflow, files: &dyn Repository) -> Vec<Scenario> {
    let mut cases = Vec::new();
    for scenario in scenarios(workflow) {
        let mut varied = vec![scenario.clone()];
        for (path, values) in unknowns(workflow, &scenario, files) {
            let vary = |case: &Scenario| {
                let label = |value: &str| format!("{}, {path} = '{value}'", case.label);
                let cases = values.iter().map(|value| {
                    case.clone()
                        .with_value(&path, value)
                        .labelled(&label(value))
                });
                cases.collect::<Vec<_>>()
            };
            varied = varied.iter().flat_map(vary).collect();
        }
        cases.extend(varied);
    }
    cases
}

/// The step outputs that conditions of jobs and steps ask for, with the values that make a difference.
fn unknowns(
    workflow: &Workflow,
    scenario: &Scenario,
    files: &dyn Repository,
) -> Vec<(String, Vec<String>)> {
    let walk = trace(workflow, scenario, files);
    let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for job in &walk.jobs {
        questions(&job.condition, &mut asked);
        for step in &job.steps {
            questions(&step.condition, &mut asked);
        }
    }
    asked.into_iter().take(UNKNOWN_LIMIT).collect()
}

fn questions(condition: &Condition, into: &mut BTreeMap<String, Vec<String>>) {
    match condition {
        Condition::Always | Condition::Never => {}
        Condition::Test(test) => {
            let name = test.subject.name();
            if !(name.starts_with("steps.") && name.contains(".outputs.")) {
                return;
            }
            let values = into.entry(name.to_owned()).or_default();
            let (one, other) = match &test.expectation {
                Expectation::Equals(text) if text == "false" => ("false", "true"),
                Expectation::Equals(text) if text == "true" => ("true", "false"),
                Expectation::Equals(text) | Expectation::StartsWith(text) => {
                    (text.as_str(), "another")
                }
                Expectation::Truthy => ("true", ""),
            };
            for value in [one, other] {
                if !values.iter().any(|known| known == value) {
                    values.push(value.to_owned());
                }
            }
        }
        Condition::Not(inner) => questions(inner, into),
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| questions(part, into));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::course;
    use crate::source::Source;

    #[test]
    fn every_value_that_decides_is_a_case() {
        let text = include_str!("../../tests/rules/condition-mismatch/bad-pipeline-before.yml");
        let workflow = Workflow::parse(&Source::new("docker-build.yml", text)).unwrap();
        let cases = all_cases(&workflow, &());
        let broken: Vec<String> = cases
            .iter()
            .map(|case| course(&workflow, case, &()))
            .filter(|course| !course.breaks.is_empty())
            .map(|course| course.event)
            .collect();
        assert_eq!(
            broken,
            ["pull_request, steps.skip.outputs.skip_build = 'true'"]
        );
        assert!(cases.len() > 3, "{cases:?}");
    }
}
