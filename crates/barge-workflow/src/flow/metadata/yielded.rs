//! What the type of a rule makes of an event: `type=ref`, `semver`, `sha` and the others.

use crate::scenario::{RefKind, Scenario};
use crate::symbolic::{Comparison, Condition, Piece, Shape, Symbol, Text};

use super::rule::Rule;
use super::template::template;

/// What a rule makes in a scenario.
pub(super) enum Yield {
    /// No tag.
    Nothing,
    /// This value under this condition, with the type's own prefix and its say about `latest`.
    Value(Condition, Text, &'static str, bool),
    /// What the pattern makes of a version under this condition, and what it makes of a pre-release.
    Version(Condition, Text, Text),
}

pub(super) fn yielded(rule: &Rule, scenario: &Scenario) -> Option<Yield> {
    let certain = |value, latest| Yield::Value(Condition::Always, value, "", latest);
    let short_ref = || scenario.github(&["ref_name"]).sole_text();
    let event = scenario.event.as_deref()?;
    Some(match rule.kind.as_str() {
        "schedule" if !event.contains("schedule") => Yield::Nothing,
        "schedule" => {
            let pattern = rule.get("pattern").cloned();
            certain(pattern.unwrap_or_else(|| Text::literal("nightly")), false)
        }
        "ref" => match (rule.get("event")?.as_literal()?, scenario.reference) {
            ("branch", RefKind::Branch) => certain(short_ref()?, false),
            ("tag", RefKind::Tag) => certain(short_ref()?, true),
            ("pr", RefKind::Pull) => {
                let number = scenario.github(&["event", "number"]).sole_text()?;
                Yield::Value(Condition::Always, number, "pr-", false)
            }
            (_, RefKind::Any) => return None,
            _ => Yield::Nothing,
        },
        "edge" => edge(rule, scenario)?,
        "raw" => certain(template(rule.get("value")?, scenario)?, false),
        "sha" => Yield::Value(Condition::Always, commit(rule, scenario)?, "sha-", false),
        "semver" | "pep440" | "match" => match (scenario.reference, rule.value()) {
            (RefKind::Tag, None) | (_, Some(_)) => {
                let pattern = rule.get("pattern")?;
                let name = format!("{} {}", rule.kind, pattern.describe());
                // All patterns ask one question of the pushed tag, and each one of its own of a given value.
                let of = match rule.value() {
                    None if rule.kind != "match" => &rule.kind,
                    _ => &name,
                };
                let asked = match scenario.tag_version() {
                    // Filters like `v*` are meant for versions.
                    Some(_) if of == "semver" => Condition::Always,
                    _ => question(&format!("the tag is a version ({of})")),
                };
                let pushed = rule.kind == "semver" && rule.value().is_none();
                let parts = semver_parts(pattern, scenario).filter(|_| pushed);
                let whole = Text::symbol(Symbol::new(name, Shape::TagWord));
                let unknown = || Text::symbol(Symbol::new("semver {{version}}", Shape::TagWord));
                let version = scenario.tag_version().unwrap_or_else(unknown);
                match parts {
                    // A pre-release is never shortened.
                    Some(parts) if is_shortened(&parts, &version) => {
                        Yield::Version(asked, parts, version)
                    }
                    parts => Yield::Value(asked, parts.unwrap_or(whole), "", true),
                }
            }
            (RefKind::Any, None) => return None,
            _ => Yield::Nothing,
        },
        _ => return None,
    })
}

/// Says whether a part of the version is left out.
fn is_shortened(parts: &Text, version: &Text) -> bool {
    !parts
        .symbols()
        .any(|symbol| version.symbols().any(|own| own == symbol))
}

/// The parts of the pushed tag that a pattern of `type=semver` names; nothing for patterns of other parts.
fn semver_parts(pattern: &Text, scenario: &Scenario) -> Option<Text> {
    let mut out = Text::new();
    let mut rest = pattern.as_literal()?;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let (name, left) = after.split_once("}}")?;
        match name.trim() {
            "raw" => out.append(&scenario.github(&["ref_name"]).sole_text()?),
            "version" => out.append(&scenario.tag_version()?),
            name @ ("major" | "minor" | "patch") => {
                let name = format!("semver {{{{{name}}}}}");
                out.push(&Piece::Symbol(Symbol::new(name, Shape::Digits)));
            }
            _ => return None,
        }
        rest = left;
    }
    out.push_str(rest);
    Some(out)
}

fn edge(rule: &Rule, scenario: &Scenario) -> Option<Yield> {
    match scenario.reference {
        RefKind::Branch => {}
        RefKind::Any => return None,
        _ => return Some(Yield::Nothing),
    }
    let default = || {
        let name = "github.event.repository.default_branch";
        Text::symbol(Symbol::new(name, Shape::Word))
    };
    let branch = rule.get("branch").cloned().unwrap_or_else(default);
    let condition = match scenario.github(&["ref_name"]).sole_text()?.compare(&branch) {
        Comparison::Different => return Some(Yield::Nothing),
        Comparison::Equal => Condition::Always,
        Comparison::Maybe => question("on the edge branch"),
    };
    Some(Yield::Value(condition, Text::literal("edge"), "", false))
}

fn commit(rule: &Rule, scenario: &Scenario) -> Option<Text> {
    let long = rule
        .get("format")
        .is_some_and(|format| format.as_literal() == Some("long"));
    let full = scenario.github(&["sha"]).sole_text()?;
    Some(match full.as_symbol() {
        Some(_) if long => full,
        Some(_) => Text::symbol(Symbol::new("github.sha[..7]", Shape::Hexadecimal)),
        None => {
            let length = if long { 64 } else { 7 };
            Text::literal(full.as_literal()?.chars().take(length).collect::<String>())
        }
    })
}

pub(super) fn question(name: &str) -> Condition {
    Condition::truthy(&Symbol::new(name, Shape::Boolean))
}
