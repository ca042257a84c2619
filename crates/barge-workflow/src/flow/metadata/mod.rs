//! The tags of docker/metadata-action over partly known values: the narrow seam to the tag engine.
//!
//! With known inputs and a known event the tag engine of barge-ci is the authority ([`engine`]); here the same rules run over
//! unknowns, for the types that workflows use. A rule that cannot be followed makes the whole list unknown, never a wrong one.

mod engine;

use crate::scenario::{RefKind, Scenario};
use crate::symbolic::{Comparison, Condition, Piece, Shape, Symbol, Text, Value};

/// What metadata-action is given.
#[derive(Debug, Clone)]
pub(super) struct Inputs {
    pub images: Text,
    pub tags: Text,
    pub flavor: Text,
}

/// What it makes of it.
#[derive(Debug, Clone)]
pub(super) struct Outputs {
    /// The names, each under its condition, in order.
    pub references: Vec<(Condition, Text)>,
    /// The first tag.
    pub version: Option<Text>,
}

struct Rule {
    kind: String,
    attributes: Vec<(String, Text)>,
    priority: f64,
}

struct Made {
    condition: Condition,
    tag: Text,
    latest: bool,
}

const DEFAULT_TAGS: &str =
    "type=schedule\ntype=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr";

/// The names that the inputs make in a scenario; nothing when they cannot be followed.
pub(super) fn references(inputs: &Inputs, scenario: &Scenario) -> Option<Outputs> {
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
fn over_unknowns(inputs: &Inputs, scenario: &Scenario) -> Option<Outputs> {
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
    let mut tags: Vec<(Condition, Text)> = Vec::new();
    for Made { condition, tag, .. } in &made {
        match tags.iter_mut().find(|(_, known)| known == tag) {
            Some((when, _)) if condition.implies(when) == Some(true) => {}
            Some((when, _)) => *when = when.or(condition),
            None => tags.push((condition.clone(), tag.clone())),
        }
    }
    if latest {
        let first = made
            .first()
            .map_or(Condition::Never, |first| first.condition.clone());
        if !tags
            .iter()
            .any(|(_, known)| known.as_literal() == Some("latest"))
        {
            tags.push((first, Text::literal("latest")));
        }
    }
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

fn rule(line: &Text) -> Option<Rule> {
    let mut kind = "raw".to_owned();
    let mut attributes = Vec::new();
    let mut priority = None;
    for field in line.split(|c| c == ',') {
        let field = field.trim();
        match field.split_first('=') {
            Some((key, value)) if !key.is_empty() => {
                let key = key.trim().as_literal()?.to_lowercase();
                match key.as_str() {
                    "type" => value.as_literal()?.clone_into(&mut kind),
                    "priority" => priority = value.as_literal()?.parse::<f64>().ok(),
                    _ => attributes.push((key, value.trim())),
                }
            }
            _ => attributes.push(("value".into(), field)),
        }
    }
    let standard = match kind.as_str() {
        "schedule" => 1000.0,
        "semver" | "pep440" => 900.0,
        "match" => 800.0,
        "edge" => 700.0,
        "ref" => 600.0,
        "sha" => 100.0,
        _ => 200.0,
    };
    Some(Rule {
        kind,
        attributes,
        priority: priority.unwrap_or(standard),
    })
}

impl Rule {
    fn get(&self, name: &str) -> Option<&Text> {
        self.attributes
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }
}

impl Rule {
    /// The value that is given in the ref's stead; an empty one is none.
    fn value(&self) -> Option<&Text> {
        self.get("value").filter(|value| !value.is_empty())
    }
}

/// What a rule makes in a scenario.
enum Yield {
    /// No tag.
    Nothing,
    /// This value under this condition, with the type's own prefix and its say about `latest`.
    Value(Condition, Text, &'static str, bool),
    /// What the pattern makes of a version under this condition, and what it makes of a pre-release.
    Version(Condition, Text, Text),
}

/// Nothing when the rule cannot be followed; an empty list when it makes no tag here.
fn apply(rule: &Rule, scenario: &Scenario, flavor: &Flavor) -> Option<Vec<Made>> {
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

fn yielded(rule: &Rule, scenario: &Scenario) -> Option<Yield> {
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

fn question(name: &str) -> Condition {
    Condition::truthy(&Symbol::new(name, Shape::Boolean))
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
        Shape::Digits | Shape::Hexadecimal | Shape::TagWord => std::sync::Arc::clone(symbol),
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

/// The global expressions of a value.
fn template(text: &Text, scenario: &Scenario) -> Option<Text> {
    let mut out = Text::new();
    for piece in text.pieces() {
        let Piece::Literal(literal) = piece else {
            out.push(piece);
            continue;
        };
        let mut rest = literal.as_str();
        while let Some(open) = rest.find("{{") {
            out.push_str(rest.get(..open)?);
            let close = rest.find("}}")?;
            let name = rest.get(open + 2..close)?.trim();
            out.append(&global(name, scenario)?);
            rest = rest.get(close + 2..)?;
        }
        out.push_str(rest);
    }
    Some(out)
}

fn global(name: &str, scenario: &Scenario) -> Option<Text> {
    match name {
        "branch" if scenario.reference == RefKind::Branch => {
            scenario.github(&["ref_name"]).sole_text()
        }
        "tag" if scenario.reference == RefKind::Tag => scenario.github(&["ref_name"]).sole_text(),
        "sha" => Some(Text::symbol(Symbol::new(
            "github.sha[..7]",
            Shape::Hexadecimal,
        ))),
        "branch" | "tag" if scenario.reference == RefKind::Any => None,
        "base_ref" | "commit_date" => None,
        "is_default_branch" | "is_not_default_branch" => None,
        "branch" | "tag" => Some(Text::new()),
        _ if name.starts_with("date ") => Some(Text::symbol(Symbol::new(name, Shape::TagWord))),
        _ => None,
    }
}

struct Flavor {
    latest: Option<bool>,
    prefix: Text,
    suffix: Text,
}

impl Flavor {
    fn read(text: &Text) -> Option<Self> {
        let mut flavor = Self {
            latest: None,
            prefix: Text::new(),
            suffix: Text::new(),
        };
        for line in text
            .split(|c| c == '\n' || c == ',')
            .iter()
            .map(Text::trim)
            .filter(|line| !line.is_empty())
        {
            let (key, value) = line.split_first('=')?;
            match key.as_literal()?.trim() {
                "latest" => {
                    flavor.latest = match value.as_literal()?.trim() {
                        "true" => Some(true),
                        "false" => Some(false),
                        "auto" => None,
                        _ => return None,
                    }
                }
                "prefix" => flavor.prefix = value,
                "suffix" => flavor.suffix = value,
                _ => {}
            }
        }
        Some(flavor)
    }
}

/// The list as the `tags` output prints it: one line a name, each there only under its condition.
pub(super) fn list(references: &[(Condition, Text)]) -> Value {
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
