//! The input `tags`: one rule an entry.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::ecmascript::{number, trim};
use super::error::MetaError;
use super::image::fields;

/// The type of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Schedule,
    Semver,
    Pep440,
    Match,
    Edge,
    Branch,
    Tag,
    PullRequest,
    Raw,
    ShortSha,
    LongSha,
}

/// A rule with its attributes, defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    /// The entry as written.
    pub(crate) entry: String,
    pub(crate) kind: Kind,
    attributes: BTreeMap<String, String>,
    priority: f64,
}

const DEFAULTS: [&str; 4] = [
    "type=schedule",
    "type=ref,event=branch",
    "type=ref,event=tag",
    "type=ref,event=pr",
];

/// Reads all rules and sorts them by priority.
pub(super) fn rules(entries: &[String]) -> Result<Vec<Rule>, MetaError> {
    let parsed: Result<_, _> = if entries.is_empty() {
        DEFAULTS.iter().map(|entry| Rule::parse(entry)).collect()
    } else {
        entries.iter().map(|entry| Rule::parse(entry)).collect()
    };
    Ok(rules_of(parsed?))
}

/// Rules in the order in which they are evaluated.
pub(super) fn rules_of(mut rules: Vec<Rule>) -> Vec<Rule> {
    sort(&mut rules);
    rules
}

impl Rule {
    pub(super) fn parse(entry: &str) -> Result<Self, MetaError> {
        let mut kind = None;
        let mut attributes = BTreeMap::new();
        for field in fields(entry)? {
            match split_first(&field) {
                None => {
                    attributes.insert("value".to_owned(), trim(&field).to_owned());
                }
                Some((key, value)) => match trim(key).to_lowercase() {
                    key if key == "type" => kind = Some(type_name(trim(value))?),
                    key => {
                        attributes.insert(key, trim(value).to_owned());
                    }
                },
            }
        }
        Self::new(entry, kind.unwrap_or("raw"), attributes)
    }

    /// Completes a rule of a known type.
    pub(super) fn new(
        entry: &str,
        kind: &'static str,
        mut attributes: BTreeMap<String, String>,
    ) -> Result<Self, MetaError> {
        if let Some(attribute) =
            required(kind).filter(|attribute| !attributes.contains_key(*attribute))
        {
            return Err(MetaError::RuleAttribute {
                attribute,
                entry: entry.to_owned(),
            });
        }
        for (key, value) in defaults(kind, attributes.get("event").map(String::as_str)) {
            attributes
                .entry((*key).to_owned())
                .or_insert_with(|| (*value).to_owned());
        }
        let text = |name: &str| attributes.get(name).map_or("", String::as_str);
        let (kind, priority) = classify(kind, text).map_err(|attribute| MetaError::RuleValue {
            attribute,
            entry: entry.to_owned(),
        })?;
        Ok(Self {
            entry: entry.to_owned(),
            kind,
            priority: attributes
                .get("priority")
                .map_or(priority, |text| number(text)),
            attributes,
        })
    }

    /// An attribute if the rule has it, by its own words or by default.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// An attribute, empty if the rule has none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.attribute(name).unwrap_or_default()
    }
}

fn required(kind: &str) -> Option<&'static str> {
    match kind {
        "semver" | "pep440" | "match" => Some("pattern"),
        "ref" => Some("event"),
        "raw" => Some("value"),
        _ => None,
    }
}

fn defaults(kind: &str, event: Option<&str>) -> &'static [(&'static str, &'static str)] {
    match (kind, event) {
        ("schedule", _) => &[("pattern", "nightly")],
        ("match", _) => &[("group", "0")],
        ("ref", Some("pr")) => &[("prefix", "pr-")],
        ("sha", _) => &[("prefix", "sha-"), ("format", "short")],
        _ => &[],
    }
}

/// The kind and the usual priority, or the attribute that the type cannot use.
fn classify<'a>(kind: &str, text: impl Fn(&str) -> &'a str) -> Result<(Kind, f64), &'static str> {
    Ok(match kind {
        "schedule" => (Kind::Schedule, 1000.0),
        "semver" => (Kind::Semver, 900.0),
        "pep440" => (Kind::Pep440, 900.0),
        "match" if number(text("group")).is_nan() => return Err("match group"),
        "match" => (Kind::Match, 800.0),
        "edge" => (Kind::Edge, 700.0),
        "ref" => match text("event") {
            "branch" => (Kind::Branch, 600.0),
            "tag" => (Kind::Tag, 600.0),
            "pr" => (Kind::PullRequest, 600.0),
            _ => return Err("event"),
        },
        "sha" => match text("format") {
            "short" => (Kind::ShortSha, 100.0),
            "long" => (Kind::LongSha, 100.0),
            _ => return Err("format"),
        },
        _ => (Kind::Raw, 200.0),
    })
}

/// Splits at the first `=` that has a character before it.
fn split_first(field: &str) -> Option<(&str, &str)> {
    field.split_once('=').filter(|(key, _)| !key.is_empty())
}

pub(super) fn type_name(name: &str) -> Result<&'static str, MetaError> {
    const TYPES: [&str; 8] = [
        "schedule", "semver", "pep440", "match", "edge", "ref", "raw", "sha",
    ];
    TYPES
        .into_iter()
        .find(|known| *known == name)
        .ok_or_else(|| MetaError::RuleType(name.to_owned()))
}

/// Sorts by falling priority as JavaScript does. A priority that is no number equals every other, so that the outcome
/// depends on the algorithm: V8 extends the run at the start and puts the others in place by binary search.
fn sort(rules: &mut Vec<Rule>) {
    if rules.iter().all(|rule| !rule.priority.is_nan()) {
        rules.sort_by(|left, right| {
            right
                .priority
                .partial_cmp(&left.priority)
                .unwrap_or(Ordering::Equal)
        });
        return;
    }
    let before = |left: &Rule, right: &Rule| left.priority > right.priority;
    let run = first_run(rules, before);
    for start in run..rules.len() {
        let (mut low, mut high) = (0, start);
        while low < high {
            let middle = low + (high - low) / 2;
            if before(&rules[start], &rules[middle]) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let rule = rules.remove(start);
        rules.insert(low, rule);
    }
}

/// The length of the sorted run at the start; one that is strictly the wrong way round is turned.
fn first_run(rules: &mut [Rule], before: impl Fn(&Rule, &Rule) -> bool) -> usize {
    let [first, second, ..] = rules else {
        return rules.len();
    };
    let falling = before(second, first);
    let breaks = rules
        .windows(2)
        .position(|pair| before(&pair[1], &pair[0]) != falling);
    let run = breaks.map_or(rules.len(), |at| at + 1);
    if falling {
        rules[..run].reverse();
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(entry: &str) -> String {
        Rule::parse(entry).unwrap_err().to_string()
    }

    #[test]
    fn fields_are_split_at_the_first_equals_sign() {
        let rule = Rule::parse("type=raw, VALUE = a=b=c ").unwrap();
        assert_eq!((rule.kind, rule.text("value")), (Kind::Raw, "a=b=c"));
        assert_eq!(Rule::parse("=foo").unwrap().text("value"), "=foo");
        assert_eq!(Rule::parse("type=raw,value=x,").unwrap().text("value"), "");
        assert_eq!(
            Rule::parse("type=raw,type=sha").unwrap().kind,
            Kind::ShortSha
        );
        assert_eq!(
            Rule::parse("type=ref,event=pr,prefix=")
                .unwrap()
                .attribute("prefix"),
            Some("")
        );
    }

    #[test]
    fn attributes_are_checked() {
        for (entry, expected) in [
            ("type=Raw,value=a", "Unknown tag type attribute: Raw"),
            ("type=", "Unknown tag type attribute: "),
            ("type=semver", "Missing pattern attribute for type=semver"),
            ("type=ref", "Missing event attribute for type=ref"),
            ("type=ref,event=x", "Invalid event for type=ref,event=x"),
            ("enable=false", "Missing value attribute for enable=false"),
            (
                "type=match,pattern=a,group=x",
                "Invalid match group for type=match,pattern=a,group=x",
            ),
            ("type=sha,format=x", "Invalid format for type=sha,format=x"),
        ] {
            assert_eq!(message(entry), expected);
        }
    }

    #[test]
    fn rules_are_sorted_by_priority() {
        let order = |priorities: &[&str]| {
            let entry =
                |(at, priority): (usize, &&str)| format!("type=raw,value={at},priority={priority}");
            let entries: Vec<String> = priorities.iter().enumerate().map(entry).collect();
            rules(&entries)
                .unwrap()
                .iter()
                .map(|rule| rule.text("value").to_owned())
                .collect::<String>()
        };
        assert_eq!(order(&["1", "2", "3"]), "210");
        assert_eq!(
            order(&["1", "1e3", "0x10", "1.5", "+5", "Infinity", ""]),
            "5124306"
        );
        assert_eq!(order(&["1", "1", "2", "1"]), "2013");
        assert_eq!(order(&["1", "x", "3", "2"]), "0123");
        assert_eq!(order(&["x", "1", "3", "2", "5", "y", "7"]), "0642315");
    }
}
