//! The names that the inputs make.

use crate::scenario::Scenario;
use crate::symbolic::{Condition, Text, Value};

use super::engine;
use super::flavor::Flavor;
use super::made::{Made, apply};
use super::rule::{Rule, rule};

/// What metadata-action is given.
#[derive(Debug, Clone)]
pub(in super::super) struct Inputs {
    pub images: Text,
    pub tags: Text,
    pub flavor: Text,
}

/// What it makes of it.
#[derive(Debug, Clone)]
pub(in super::super) struct Outputs {
    /// The names, each under its condition, in order.
    pub references: Vec<(Condition, Text)>,
    /// The first tag.
    pub version: Option<Text>,
}

const DEFAULT_TAGS: &str =
    "type=schedule\ntype=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr";

/// The names that the inputs make in a scenario; nothing when they cannot be followed.
pub(in super::super) fn references(inputs: &Inputs, scenario: &Scenario) -> Option<Outputs> {
    match engine::outputs(inputs, scenario) {
        Some(texts) => Some(certain(&texts)),
        None => over_unknowns(inputs, scenario),
    }
}

/// What the engine said, for which there is one case only.
fn certain(texts: &[(&str, String)]) -> Outputs {
    let text = |wanted: &str| {
        let found = texts.iter().find(|(name, _)| *name == wanted);
        found.map_or("", |(_, text)| text.as_str())
    };
    let names = text("tags").lines();
    Outputs {
        references: names
            .map(|name| (Condition::Always, Text::literal(name)))
            .collect(),
        version: Some(Text::literal(text("version"))),
    }
}

/// The same over unknowns.
pub(super) fn over_unknowns(inputs: &Inputs, scenario: &Scenario) -> Option<Outputs> {
    let images: Vec<Text> = inputs
        .images
        .split(|c| c == '\n' || c == ',')
        .iter()
        .map(Text::trim)
        .filter(|image| !image.is_empty() && !is_comment(image))
        .collect();
    let images: Vec<Text> = images.iter().map(image_name).collect::<Option<_>>()?;
    let mut given = inputs.tags.lines();
    given.retain(|line| !is_comment(line));
    let lines = if given.is_empty() {
        Text::literal(DEFAULT_TAGS).lines()
    } else {
        given
    };
    let mut rules: Vec<Rule> = lines.iter().map(rule).collect::<Option<_>>()?;
    rules.sort_by(|a, b| b.priority.total_cmp(&a.priority));
    let flavor = Flavor::read(&inputs.flavor)?;
    let mut made: Vec<Made> = Vec::new();
    for rule in &rules {
        made.extend(apply(rule, scenario, &flavor)?);
    }
    let latest = match flavor.latest {
        Some(on) => on && !made.is_empty(),
        None => made.first().is_some_and(|first| first.latest),
    };
    let tags = distinct(&made, latest);
    let mut references = Vec::new();
    for image in &images {
        for (condition, tag) in &tags {
            let mut reference = image.clone();
            reference.push_str(":");
            reference.append(tag);
            references.push((condition.clone(), reference));
        }
    }
    Some(Outputs {
        references,
        version: made.first().map(|first| first.tag.clone()),
    })
}

/// Each tag once, with the condition under which one of the rules makes it; `latest` comes and goes with the first.
fn distinct(made: &[Made], latest: bool) -> Vec<(Condition, Text)> {
    let mut tags: Vec<(Condition, Text)> = Vec::new();
    for Made { condition, tag, .. } in made {
        match tags.iter_mut().find(|(_, known)| known == tag) {
            Some((when, _)) if condition.implies(when) == Some(true) => {}
            Some((when, _)) => *when = when.or(condition),
            None => tags.push((condition.clone(), tag.clone())),
        }
    }
    let has_latest = |(_, tag): &(Condition, Text)| tag.as_literal() == Some("latest");
    if latest && !tags.iter().any(has_latest) {
        let first = made.first().map(|first| first.condition.clone());
        tags.push((first.unwrap_or(Condition::Never), Text::literal("latest")));
    }
    tags
}

fn is_comment(line: &Text) -> bool {
    line.trim().literal_start().starts_with('#')
}

/// `name=...,enable=...` or a bare name; lower-cased as the action does.
fn image_name(line: &Text) -> Option<Text> {
    let named = line.strip_start("name=");
    let name = match (named, line.split_first(',')) {
        (Some(name), _) => name.split_first(',').map_or(name.clone(), |(name, _)| name),
        (None, _) => line.clone(),
    };
    Some(name.trim().lower())
}

/// The list as the `tags` output prints it: one line a name, each there only under its condition.
pub(in super::super) fn list(references: &[(Condition, Text)]) -> Value {
    let mut value = Value::text("");
    for (condition, reference) in references {
        let with = value.flat_map(|term| {
            let mut text = term.printed();
            if !text.is_empty() {
                text.push_str("\n");
            }
            text.append(reference);
            text.into()
        });
        value = Value::choose(condition, &with, &value);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::RefKind;

    fn tags(tags: &str, event: &str, reference: RefKind) -> Option<Vec<String>> {
        let inputs = Inputs {
            images: Text::literal("GHCR.io/Owner/App"),
            tags: Text::literal(tags),
            flavor: Text::new(),
        };
        let outputs = references(&inputs, &Scenario::of_event(event, reference))?;
        Some(
            outputs
                .references
                .iter()
                .map(|(_, reference)| reference.describe())
                .collect(),
        )
    }

    #[test]
    fn tags_by_event() {
        assert_eq!(
            tags("", "pull_request", RefKind::Pull).unwrap(),
            ["ghcr.io/owner/app:pr-{pull_request.number}"]
        );
        assert_eq!(
            tags("", "push", RefKind::Branch).unwrap(),
            ["ghcr.io/owner/app:{tag of github.ref_name}"]
        );
        assert_eq!(tags("", "push", RefKind::Tag).unwrap().len(), 2);
        assert_eq!(
            tags(
                "type=raw,value=latest,enable={{is_default_branch}}\ntype=sha",
                "push",
                RefKind::Branch
            )
            .unwrap(),
            [
                "ghcr.io/owner/app:latest",
                "ghcr.io/owner/app:sha-{sha[..7]}",
            ]
        );
        assert_eq!(
            tags("type=raw,value=x,enable={{odd}}", "push", RefKind::Branch),
            None
        );
    }
}
