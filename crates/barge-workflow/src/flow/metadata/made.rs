//! What a rule makes for an event: the tag's value, with its prefix and suffix, and when.

use std::sync::Arc;

use crate::scenario::{RefKind, Scenario};
use crate::symbolic::{Condition, Shape, Symbol, Text};

use super::flavor::Flavor;
use super::rule::Rule;
use super::template::template;
use super::yielded::{Yield, question, yielded};

pub(super) struct Made {
    pub(super) condition: Condition,
    pub(super) tag: Text,
    pub(super) latest: bool,
}

/// Nothing when the rule cannot be followed; an empty list when it makes no tag here.
pub(super) fn apply(rule: &Rule, scenario: &Scenario, flavor: &Flavor) -> Option<Vec<Made>> {
    let enabled = match rule.get("enable") {
        None => Condition::Always,
        Some(text) => enabled(text, scenario)?,
    };
    if enabled == Condition::Never {
        return Some(Vec::new());
    }
    match yielded(rule, scenario)? {
        Yield::Nothing => Some(Vec::new()),
        Yield::Value(condition, value, prefix, latest) => {
            let condition = enabled.and(&condition);
            Some(vec![made(
                rule, scenario, flavor, &condition, prefix, &value, latest,
            )?])
        }
        Yield::Version(condition, value, prerelease) => {
            let condition = enabled.and(&condition);
            let early = question("the tag is a pre-release");
            let make = |when: &Condition, value, latest| {
                made(
                    rule,
                    scenario,
                    flavor,
                    &condition.and(when),
                    "",
                    value,
                    latest,
                )
            };
            Some(vec![
                make(&early.negate(), &value, true)?,
                make(&early, &prerelease, false)?,
            ])
        }
    }
}

fn made(
    rule: &Rule,
    scenario: &Scenario,
    flavor: &Flavor,
    condition: &Condition,
    own_prefix: &str,
    value: &Text,
    latest: bool,
) -> Option<Made> {
    let prefix = match rule.get("prefix") {
        Some(prefix) => prefix.clone(),
        None if own_prefix.is_empty() => flavor.prefix.clone(),
        None => Text::literal(own_prefix),
    };
    let suffix = rule
        .get("suffix")
        .cloned()
        .unwrap_or_else(|| flavor.suffix.clone());
    let mut tag = template(&prefix, scenario)?;
    tag.append(value);
    tag.append(&template(&suffix, scenario)?);
    Some(Made {
        condition: condition.clone(),
        tag: sanitised(&tag),
        latest,
    })
}

fn sanitised(tag: &Text) -> Text {
    let clean = |text: &str| {
        let mut out = String::new();
        let mut bad = false;
        for character in text.chars() {
            if character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-') {
                out.push(character);
                bad = false;
            } else if !bad {
                out.push('-');
                bad = true;
            }
        }
        out
    };
    tag.map(clean, |symbol| match symbol.shape() {
        Shape::Digits | Shape::Hexadecimal | Shape::TagWord => Arc::clone(symbol),
        _ => Symbol::one_of(
            format!("tag of {}", symbol.name()),
            Shape::TagWord,
            symbol.values().iter().map(|value| clean(value)).collect(),
        ),
    })
}

/// `enable=`: a boolean, or one of the templates for the default branch.
fn enabled(text: &Text, scenario: &Scenario) -> Option<Condition> {
    match text.as_literal().map(str::trim) {
        Some("true") => Some(Condition::Always),
        Some("false") => Some(Condition::Never),
        Some("{{is_default_branch}}") => match scenario.reference {
            RefKind::Tag | RefKind::Pull => Some(Condition::Never),
            _ => Some(question("on the default branch")),
        },
        Some("{{is_not_default_branch}}") => match scenario.reference {
            RefKind::Tag | RefKind::Pull => Some(Condition::Always),
            _ => Some(question("on the default branch").negate()),
        },
        Some(_) => None,
        None => {
            let symbol = text.as_symbol()?;
            Some(if symbol.shape() == Shape::Boolean {
                Condition::truthy(symbol)
            } else {
                Condition::equals(symbol, "true")
            })
        }
    }
}
