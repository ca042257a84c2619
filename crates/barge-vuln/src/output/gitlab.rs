//! GitLab's container scanning report (security report schemas 15.2.1, `container-scanning-report-format`).

use barge_report::Tool;
use serde_json::{Value, json};

use super::uuid;
use crate::matching::{Fix, Match};
use crate::scan::Scan;
use crate::severity::Severity;

/// The matches that count, for the `container_scanning` report of a GitLab job.
#[must_use]
pub fn gitlab(scan: &Scan, tool: &Tool) -> Value {
    let time = scan.time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let system = scan.distro.as_ref().map_or_else(
        || "unknown".to_owned(),
        |distro| {
            format!(
                "{} {}",
                distro.id,
                distro.version_id.as_deref().unwrap_or_default()
            )
            .trim()
            .to_owned()
        },
    );
    let counted = scan
        .findings
        .matches
        .iter()
        .filter(|found| found.suppressed.is_none() && found.class.is_security());
    let scanner = json!({ "id": "barge", "name": tool.name, "version": tool.version, "vendor": { "name": "barge" } });
    json!({
        "version": "15.2.1",
        "scan": {
            "analyzer": scanner,
            "scanner": scanner,
            "type": "container_scanning",
            "start_time": time,
            "end_time": time,
            "status": "success",
        },
        "vulnerabilities": counted.map(|found| vulnerability(found, &scan.subject.name, &system)).collect::<Vec<_>>(),
    })
}

fn vulnerability(found: &Match, image: &str, system: &str) -> Value {
    let (advisory, package) = (&found.advisory, &found.package);
    let severity = match advisory.severity.level {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Negligible => "Info",
        Severity::Unknown => "Unknown",
    };
    let solution = match &found.fix {
        Fix::Version(version) => format!("Upgrade {} to {version}", package.name),
        Fix::Subscription(version) => format!(
            "Upgrade {} to {version}, which needs a subscription",
            package.name
        ),
        Fix::None => String::new(),
    };
    let identifiers: Vec<Value> = std::iter::once(&advisory.id)
        .chain(&advisory.aliases)
        .map(|id| identifier(id))
        .collect();
    let mut value = json!({
        // No version in it: the finding stays the same when the package is upgraded and still has the flaw.
        "id": uuid(&[&advisory.id, &package.name, image]),
        "name": format!("{} in {}", advisory.id, package.name),
        "description": advisory.summary,
        "severity": severity,
        "identifiers": identifiers,
        "links": [{ "url": advisory.url }],
        "location": {
            "dependency": { "package": { "name": package.name }, "version": package.version },
            "operating_system": system,
            "image": image,
        },
    });
    if !solution.is_empty() {
        value["solution"] = json!(solution);
    }
    value
}

fn identifier(id: &str) -> Value {
    let (kind, url) = match id.split('-').next() {
        Some("CVE") => ("cve", format!("https://nvd.nist.gov/vuln/detail/{id}")),
        Some("GHSA") => ("ghsa", format!("https://github.com/advisories/{id}")),
        _ => ("osv", format!("https://osv.dev/vulnerability/{id}")),
    };
    json!({ "type": kind, "name": id, "value": id, "url": url })
}
