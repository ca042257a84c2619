//! SARIF 2.1.0 as GitHub code scanning accepts it (OASIS sarif-v2.1.0; GitHub's "SARIF support for code scanning").
//!
//! GitHub refuses a file whose location has a scheme or none at all, and keeps 5,000 of 25,000 results. So every result
//! names a file of the repository, results come worst first, and what is cut is said in the properties of the run.

use std::collections::{BTreeMap, HashMap};
use std::io;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::fingerprint::fingerprint;
use crate::model::{Finding, Level, Location, Report, Rule};

/// Where the format is defined.
pub const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// How much of a report goes into the file.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file that findings without a location are shown at: one that exists in the repository.
    pub default_path: String,
    /// What distinguishes this run inside its category, such as a run number.
    pub run: String,
    /// The most results: GitHub takes 25,000.
    pub max_results: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            default_path: "Dockerfile".to_owned(),
            run: String::new(),
            max_results: 25_000,
        }
    }
}

/// The most rules and locations that GitHub takes.
const MAX_RULES: usize = 25_000;
const MAX_LOCATIONS: usize = 1_000;
const MAX_TAGS: usize = 20;

/// The report as a SARIF log with one run.
#[must_use]
pub fn to_value(report: &Report, options: &Options) -> Value {
    let mut index: HashMap<&str, usize> = HashMap::new();
    for (position, rule) in report.rules.iter().take(MAX_RULES).enumerate() {
        index.entry(rule.id.as_str()).or_insert(position);
    }
    let mut order: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| index.contains_key(finding.rule.as_str()))
        .collect();
    order.sort_by_key(|finding| {
        (
            finding.suppression.is_some(),
            std::cmp::Reverse(finding.level),
        )
    });
    let kept = order.len().min(options.max_results);
    let fallback = Location {
        path: options.default_path.clone(),
        line: 1,
        ..Location::default()
    };
    let results: Vec<Value> = order
        .iter()
        .take(kept)
        .map(|finding| result(finding, &index, &fallback))
        .collect();
    let mut properties: Map<String, Value> = report
        .properties
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if kept < report.findings.len() {
        properties.insert(
            "omittedResults".to_owned(),
            json!(report.findings.len() - kept),
        );
    }
    let mut run = json!({ "tool": { "driver": driver(report) } });
    if !report.category.is_empty() {
        // Everything before the last slash is the category.
        run["automationDetails"] =
            json!({ "id": format!("{}/{}", report.category.trim_end_matches('/'), options.run) });
    }
    if !report.gaps.is_empty() {
        run["invocations"] = json!([invocation(&report.gaps)]);
    }
    run["columnKind"] = json!("unicodeCodePoints");
    run["results"] = Value::Array(results);
    if !properties.is_empty() {
        run["properties"] = Value::Object(properties);
    }
    json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] })
}

/// The tool, with its rules.
fn driver(report: &Report) -> Value {
    let tool = &report.tool;
    let mut driver = json!({ "name": tool.name, "informationUri": tool.url });
    if is_semantic(&tool.version) {
        driver["semanticVersion"] = json!(tool.version);
    } else if !tool.version.is_empty() {
        driver["version"] = json!(tool.version);
    }
    driver["rules"] = report.rules.iter().take(MAX_RULES).map(rule).collect();
    driver
}

/// What the run did not look at.
fn invocation(gaps: &[String]) -> Value {
    let gaps = gaps.iter();
    let notifications = gaps.map(|gap| json!({ "level": "warning", "message": { "text": gap } }));
    json!({
        "executionSuccessful": true,
        "toolExecutionNotifications": notifications.collect::<Vec<_>>(),
    })
}

/// The report as SARIF text.
///
/// # Errors
/// When a property of the report cannot be JSON.
pub fn render(report: &Report, options: &Options) -> io::Result<String> {
    crate::json::render(&to_value(report, options))
}

fn rule(rule: &Rule) -> Value {
    let or = |text: &str, other: &str| {
        if text.is_empty() {
            other.to_owned()
        } else {
            text.to_owned()
        }
    };
    let summary = or(&rule.summary, &rule.id);
    let help = or(&rule.help, &summary);
    let mut value = json!({
        "id": rule.id,
        "name": or(&rule.name, &rule.id),
        "shortDescription": { "text": clip(&summary, 1024) },
        "fullDescription": { "text": clip(&or(&rule.description, &summary), 1024) },
        "help": { "text": help, "markdown": help },
        "defaultConfiguration": { "level": rule.level.word() },
    });
    if rule.url.starts_with("https://") || rule.url.starts_with("http://") {
        value["helpUri"] = json!(rule.url);
    }
    let mut properties = Map::new();
    if !rule.tags.is_empty() {
        properties.insert(
            "tags".to_owned(),
            json!(rule.tags.iter().take(MAX_TAGS).collect::<Vec<_>>()),
        );
    }
    // An unknown severity is left out: "0.0" would be shown as none.
    if let Some(score) = rule.security_severity.filter(|score| *score > 0.0) {
        properties.insert("security-severity".to_owned(), json!(format!("{score:.1}")));
    }
    if !properties.is_empty() {
        value["properties"] = Value::Object(properties);
    }
    value
}

fn result(finding: &Finding, index: &HashMap<&str, usize>, fallback: &Location) -> Value {
    let mut locations: Vec<Value> = finding
        .locations
        .iter()
        .take(MAX_LOCATIONS)
        .map(|place| location(place, &finding.places))
        .collect();
    if locations.is_empty() {
        locations.push(location(fallback, &finding.places));
    }
    let mut value = json!({
        "ruleId": finding.rule,
        "ruleIndex": index.get(finding.rule.as_str()),
        "level": finding.level.word(),
        "message": { "text": if finding.message.is_empty() { &finding.rule } else { &finding.message } },
        "locations": locations,
        "partialFingerprints": { "primaryLocationLineHash": line_hash(finding) },
    });
    if let Some(suppression) = &finding.suppression {
        let kind = if suppression.in_source {
            "inSource"
        } else {
            "external"
        };
        value["suppressions"] =
            json!([{ "kind": kind, "justification": suppression.justification }]);
    }
    if !finding.properties.is_empty() {
        value["properties"] = json!(finding.properties);
    }
    value
}

/// GitHub takes only fingerprints of the form `hash:number`.
fn line_hash(finding: &Finding) -> String {
    let hash = if finding.fingerprint.is_empty() {
        fingerprint(&[&finding.rule, &finding.message])
    } else {
        finding.fingerprint.clone()
    };
    if hash.contains(':') {
        hash
    } else {
        format!("{hash}:1")
    }
}

fn location(location: &Location, places: &[String]) -> Value {
    let mut region = json!({ "startLine": location.line.max(1) });
    let parts = [
        ("startColumn", location.column),
        ("endLine", location.end_line),
        ("endColumn", location.end_column),
    ];
    for (key, number) in parts {
        if let Some(number) = number {
            region[key] = json!(number.max(1));
        }
    }
    let mut value = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": relative_uri(&location.path), "uriBaseId": "%SRCROOT%" },
            "region": region,
        }
    });
    if !places.is_empty() {
        let logical: Vec<Value> = places
            .iter()
            .take(100)
            .map(|place| json!({ "fullyQualifiedName": place }))
            .collect();
        value["logicalLocations"] = Value::Array(logical);
    }
    value
}

/// A path as a relative URI reference: no scheme, no leading slash, no `..`, and nothing that needs escaping.
fn relative_uri(path: &str) -> String {
    // A colon in the first part would make what stands before it a scheme.
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'!')
        .remove(b'$')
        .remove(b'&')
        .remove(b'\'')
        .remove(b'(')
        .remove(b')')
        .remove(b'*')
        .remove(b'+')
        .remove(b',')
        .remove(b';')
        .remove(b'=')
        .remove(b'@');
    let parts = path
        .split(['/', '\\'])
        .filter(|part| !part.is_empty() && *part != "." && *part != "..");
    let encoded = parts.map(|part| utf8_percent_encode(part, RESERVED).to_string());
    let uri = encoded.collect::<Vec<_>>().join("/");
    if uri.is_empty() {
        "Dockerfile".to_owned()
    } else {
        uri
    }
}

fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most - 1) {
        Some((end, _)) if text[end..].chars().count() > 1 => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

fn is_semantic(version: &str) -> bool {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    parts.len() == 3
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Groups rules so that each (id, level, score) is one rule: a rule holds the score, and packages may differ in it.
/// The worst keeps the plain id; others get `/level` behind it.
#[must_use]
pub fn split_rules(rules: Vec<(Rule, Vec<Finding>)>) -> (Vec<Rule>, Vec<Finding>) {
    let mut by_id: BTreeMap<String, Vec<(Rule, Vec<Finding>)>> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    for (rule, findings) in rules {
        let group = by_id.entry(rule.id.clone()).or_default();
        if group.is_empty() {
            order.push(rule.id.clone());
        }
        match group.iter_mut().find(|(known, _)| {
            known.level == rule.level && known.security_severity == rule.security_severity
        }) {
            Some((_, known)) => known.extend(findings),
            None => group.push((rule, findings)),
        }
    }
    let (mut rules, mut all) = (Vec::new(), Vec::new());
    for id in order {
        let mut group = by_id.remove(&id).unwrap_or_default();
        let score = |rule: &Rule| rule.security_severity.unwrap_or(0.0);
        group.sort_by(|(left, _), (right, _)| {
            right
                .level
                .cmp(&left.level)
                .then(score(right).total_cmp(&score(left)))
        });
        for (position, (mut rule, findings)) in group.into_iter().enumerate() {
            if position > 0 {
                let score = rule
                    .security_severity
                    .map(|score| format!("-{score:.1}"))
                    .unwrap_or_default();
                rule.id = format!("{id}/{}{score}", rule.level.word());
            }
            all.extend(findings.into_iter().map(|finding| Finding {
                rule: rule.id.clone(),
                ..finding
            }));
            rules.push(rule);
        }
    }
    all.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    (rules, all)
}

/// The level that a CVSS-like score has in GitHub's eyes.
#[must_use]
pub fn level_of_score(score: Option<f64>) -> Level {
    match score {
        Some(score) if score >= 7.0 => Level::Error,
        Some(score) if score >= 4.0 => Level::Warning,
        _ => Level::Note,
    }
}
