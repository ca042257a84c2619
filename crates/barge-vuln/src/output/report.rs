//! A scan as rules and findings of the report model, from which SARIF, JUnit and annotations are made.

use std::collections::BTreeMap;

use barge_report::fingerprint::fingerprint;
use barge_report::sarif::{level_of_score, split_rules};
use barge_report::{Finding, Level, Location, Report, Rule, Suppression, Tool};
use barge_sbom::package::Package;
use serde_json::json;

use super::gaps::gaps;
use super::upgrade::remedy;
use crate::index::RecordText;
use crate::matching::Match;
use crate::scan::Scan;
use crate::severity::Severity;

/// What the report needs to know beyond the scan.
#[derive(Debug, Clone, Default)]
pub struct ReportOptions {
    /// The tool that made it.
    pub tool: Tool,
    /// The image without tag and digest: stays the same when the image is built again.
    pub image: String,
    /// The platform, such as `linux/amd64`, or empty.
    pub platform: String,
    /// Files of the repository by layer position from the bottom: the instruction that made the layer.
    pub layer_locations: BTreeMap<u32, Location>,
    /// Long texts, by the record that hits first.
    pub texts: BTreeMap<String, RecordText>,
}

/// The scan as a report.
#[must_use]
pub fn report(scan: &Scan<'_>, options: &ReportOptions) -> Report {
    let matches = scan.findings.matches.iter();
    let pairs = matches
        .map(|found| (rule(found, options), vec![finding(found, options)]))
        .collect();
    let (rules, findings) = split_rules(pairs);
    let platform = options.platform.replace('/', "-");
    let category = ["barge", &options.image, &platform]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>();
    let properties = [
        ("database", json!(scan.data.digest)),
        ("databaseNewest", json!(scan.data.newest)),
        ("databaseAgeDays", json!(scan.data.age_days)),
        ("databaseSources", json!(scan.data.sources)),
        ("packages", json!(scan.findings.packages)),
        ("verdict", json!(scan.verdict.status)),
    ];
    Report {
        tool: options.tool.clone(),
        subject: scan.subject.name.clone(),
        category: category.join("/"),
        rules,
        findings,
        gaps: gaps(scan),
        properties: properties
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    }
}

/// Where a package was found, first path first.
pub(super) fn paths(package: &Package) -> impl Iterator<Item = &str> {
    package
        .evidence
        .iter()
        .map(|evidence| evidence.path.as_str())
}

fn rule(found: &Match<'_>, options: &ReportOptions) -> Rule {
    let advisory = &found.advisory;
    let text = found.record().and_then(|record| options.texts.get(record));
    let security_severity = security_severity(found);
    let mut tags = vec![
        if found.class.is_security() {
            "security"
        } else {
            "maintainability"
        }
        .to_owned(),
    ];
    tags.push(found.class.word().to_owned());
    tags.push(format!("severity-{}", advisory.severity.level));
    if advisory.exploited.is_some() {
        tags.push("known-exploited".to_owned());
    }
    let level = if security_severity.is_some() {
        level_of_score(security_severity)
    } else {
        Level::Note
    };
    let description = text
        .map(|text| text.details.clone())
        .filter(|details| !details.is_empty());
    Rule {
        id: advisory.id.to_owned(),
        name: "VulnerablePackage".to_owned(),
        summary: advisory.summary.to_owned(),
        description: description.unwrap_or_else(|| advisory.summary.to_owned()),
        help: help(found, text),
        url: advisory.url.to_string(),
        level,
        security_severity,
        tags,
    }
}

/// The score, or the middle of the level where only a word is known. Nothing for what is unknown or no vulnerability.
fn security_severity(found: &Match<'_>) -> Option<f64> {
    let severity = &found.advisory.severity;
    if !found.class.is_security() {
        return None;
    }
    severity
        .score
        .filter(|score| *score > 0.0)
        .or(match severity.level {
            Severity::Critical => Some(9.5),
            Severity::High => Some(8.0),
            Severity::Medium => Some(5.5),
            Severity::Low => Some(2.0),
            Severity::Negligible | Severity::Unknown => None,
        })
}

fn help(found: &Match<'_>, text: Option<&RecordText>) -> String {
    let advisory = &found.advisory;
    let mut lines = vec![
        format!(
            "**{}**: {}",
            advisory.id,
            barge_report::markdown::escape(advisory.summary)
        ),
        String::new(),
    ];
    if !advisory.aliases.is_empty() {
        lines.push(format!("- Also known as {}", advisory.aliases.join(", ")));
    }
    if !advisory.severity.source.is_empty() {
        lines.push(format!(
            "- Severity {} ({})",
            advisory.severity.level, advisory.severity.source
        ));
    }
    if let Some(exploited) = &advisory.exploited {
        lines.push(format!(
            "- Known to be exploited since {} (CISA)",
            exploited.added
        ));
    }
    let references = text
        .map(|text| text.references.as_slice())
        .unwrap_or_default();
    let own = advisory.url.to_string();
    let links = std::iter::once(&own).chain(references.iter().take(10));
    lines.extend(links.map(|url| format!("- {}", barge_report::markdown::link(url, url))));
    lines.join("\n")
}

fn finding(found: &Match<'_>, options: &ReportOptions) -> Finding {
    let (package, advisory) = (&found.package, &found.advisory);
    let fix = remedy(found).unwrap_or_else(|| "no fix is known".to_owned());
    let paths: Vec<&str> = paths(package).collect();
    let place = paths
        .first()
        .map(|path| format!(" in {path}"))
        .unwrap_or_default();
    let message = format!(
        "{} {} has {} ({}){place}: {fix}",
        package.name, package.version, advisory.id, advisory.severity.level
    );
    let why = found.why.iter().map(|reason| {
        format!(
            "{}: {} {} is {}",
            reason.record, reason.name, reason.version, reason.range
        )
    });
    let mut properties = BTreeMap::from([
        ("purl".to_owned(), json!(package.purl)),
        ("why".to_owned(), json!(why.collect::<Vec<_>>())),
    ]);
    for (key, text) in [("doubt", &found.doubt), ("note", &found.note)] {
        if let Some(text) = text {
            properties.insert(key.to_owned(), json!(text));
        }
    }
    let layers = package
        .evidence
        .iter()
        .filter_map(|evidence| evidence.layer_index);
    let locations = layers
        .filter_map(|layer| options.layer_locations.get(&layer).cloned())
        .take(1)
        .collect();
    let mut places: Vec<String> = paths
        .iter()
        .map(|path| format!("{}/{path}", options.image))
        .collect();
    places.push(package.purl.clone());
    Finding {
        rule: advisory.id.to_owned(),
        level: found.level,
        message,
        locations,
        places,
        fingerprint: stable_fingerprint(
            found,
            &options.image,
            paths.first().copied().unwrap_or_default(),
        ),
        suppression: found.suppressed.as_ref().map(|why| Suppression {
            in_source: false,
            justification: why.reason.clone(),
        }),
        properties,
    }
}

/// Holds no version, tag, digest or layer: an alert must survive a rebuild.
fn stable_fingerprint(found: &Match<'_>, image: &str, path: &str) -> String {
    let ecosystem = found
        .why
        .first()
        .map_or("", |reason| crate::ecosystem::base(&reason.ecosystem));
    fingerprint(&[
        found.advisory.id,
        ecosystem,
        &found.package.name,
        image,
        &without_version(path, &found.package.version),
    ])
}

/// The path with every part that holds the package's version left out.
pub(super) fn without_version(path: &str, version: &str) -> String {
    path.split('/')
        .filter(|part| version.is_empty() || !part.contains(version))
        .collect::<Vec<_>>()
        .join("/")
}
