//! A target: the image that a bake or compose file says how to build.

use crate::symbolic::{Condition, Term, Text, Value};

use super::super::docker::{OutputTarget, Recipe};
use super::value::sole;

/// One image that a bake or compose file says how to build.
#[derive(Debug, Clone)]
pub(in super::super) struct Target {
    pub(in super::super) name: String,
    /// It is built here; a service without `build:` is only pulled.
    pub(in super::super) builds: bool,
    /// Its names, each under its condition.
    pub(in super::super) tags: Vec<(Condition, Text)>,
    pub(in super::super) outputs: Vec<Text>,
    pub(in super::super) platforms: Option<Text>,
    pub(in super::super) recipe: Recipe,
}

impl Target {
    /// Where its result goes by its own words.
    pub(in super::super) fn output_targets(&self) -> impl Iterator<Item = OutputTarget> {
        self.outputs.iter().map(OutputTarget::read)
    }
}

/// The items of a list that has one form only.
pub(super) fn list(value: &Value) -> Option<Vec<Text>> {
    match sole(value)? {
        Term::List(items) => Some(items.iter().map(Term::printed).collect()),
        Term::Null => Some(Vec::new()),
        term => Some(vec![term.printed()]),
    }
}

/// The names in each form of a list; empty ones are left out, as bake does.
pub(super) fn named(value: &Value) -> Vec<(Condition, Text)> {
    let forms = value.alternatives().iter().flat_map(|(when, term)| {
        let items = match term {
            Term::List(items) => items.iter().map(Term::printed).collect(),
            Term::Null => Vec::new(),
            other => vec![other.printed()],
        };
        items.into_iter().map(move |item| (when.clone(), item))
    });
    forms.filter(|(_, name)| !name.is_empty()).collect()
}

pub(super) fn joined(parts: &[Text]) -> Text {
    let mut all = Text::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            all.push_str(",");
        }
        all.append(part);
    }
    all
}

/// `--set '*.tags=app:1'`: gives targets another value.
pub(super) fn apply(line: &Text, targets: &mut [Target]) {
    let Some((left, value)) = line.split_first('=') else {
        return;
    };
    let Some((pattern, key)) = left
        .as_literal()
        .and_then(|left| left.trim().rsplit_once('.'))
    else {
        return;
    };
    let fits = |name: &str| match pattern.split_once('*') {
        Some((start, end)) => name.starts_with(start) && name.ends_with(end),
        None => name == pattern,
    };
    let more = key.ends_with('+');
    for target in targets.iter_mut().filter(|target| fits(&target.name)) {
        match key.trim_end_matches('+') {
            "tags" => {
                if !more {
                    target.tags.clear();
                }
                target.tags.push((Condition::Always, value.trim()));
            }
            "output" => target.outputs = vec![value.trim()],
            "platform" | "platforms" => target.platforms = Some(value.trim()),
            "context" => target.recipe.context = Some(value.trim()),
            "dockerfile" => target.recipe.file = Some(value.trim()),
            "target" => target.recipe.target = Some(value.trim()),
            _ => {}
        }
    }
}
