//! GitLab's container scanning report (security report schemas 15.2.1, `container-scanning-report-format`).

use std::collections::BTreeSet;

use barge_report::Tool;
use barge_report::table::cut;
use serde_json::{Value, json};

use super::gaps::gaps;
use super::report::{paths, without_version};
use super::upgrade::remedy_sentence;
use super::uuid::uuid;
use crate::matching::Match;
use crate::scan::Scan;
use crate::severity::Severity;

/// What the schema lets a name be, in characters.
const LONGEST_NAME: usize = 255;

/// The matches that count, for the `container_scanning` report of a GitLab job.
#[must_use]
pub fn gitlab(scan: &Scan<'_>, tool: &Tool) -> Value {
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
    let mut ids = BTreeSet::new();
    let vulnerabilities: Vec<Value> = counted
        .map(|found| vulnerability(found, &scan.subject.name, &system, &mut ids))
        .collect();
    let messages = gaps(scan)
        .into_iter()
        .map(|gap| json!({ "level": "warn", "value": gap }));
    json!({
        "version": "15.2.1",
        "scan": {
            "analyzer": scanner,
            "scanner": scanner,
            "type": "container_scanning",
            "start_time": time,
            "end_time": time,
            "status": "success",
            "messages": messages.collect::<Vec<_>>(),
        },
        "vulnerabilities": vulnerabilities,
    })
}

fn vulnerability(
    found: &Match<'_>,
    image: &str,
    system: &str,
    ids: &mut BTreeSet<String>,
) -> Value {
    let (advisory, package) = (&found.advisory, &found.package);
    let severity = match advisory.severity.level {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Negligible => "Info",
        Severity::Unknown => "Unknown",
    };
    let identifiers: Vec<Value> = std::iter::once(&advisory.id)
        .chain(&advisory.aliases)
        .map(|id| identifier(id))
        .collect();
    let is_link = |url: &String| url.starts_with("https://") || url.starts_with("http://");
    let links = std::iter::once(advisory.url.to_string()).filter(is_link);
    let links = links.map(|url| json!({ "url": url }));
    let mut value = json!({
        "id": unique_id(found, image, ids),
        "name": cut(&format!("{} in {}", advisory.id, package.name), LONGEST_NAME),
        "description": advisory.summary,
        "severity": severity,
        "identifiers": identifiers,
        "links": links.collect::<Vec<_>>(),
        "location": {
            "dependency": { "package": { "name": package.name }, "version": package.version },
            "operating_system": system,
            "image": image,
        },
    });
    if let Some(solution) = remedy_sentence(found) {
        value["solution"] = json!(solution);
    }
    let severity = &advisory.severity;
    let vector = severity.vector.as_ref();
    // Version 4 came after the schema, and version 2 has no prefix to know it by.
    if let Some(vector) = vector.filter(|vector| vector.starts_with("CVSS:3.")) {
        value["cvss_vectors"] = json!([{ "vendor": severity.source, "vector": vector }]);
    }
    value
}

/// An id that stays the same when the package is upgraded and still has the flaw: it holds no version, unless the image
/// has the package twice at one place.
fn unique_id(found: &Match<'_>, image: &str, ids: &mut BTreeSet<String>) -> String {
    let (package, id) = (&found.package, found.advisory.id);
    let path = paths(package).next().unwrap_or_default();
    let path = without_version(path, &package.version);
    let stable = uuid(&[id, &package.name, image, &path]);
    let own = if ids.contains(&stable) {
        uuid(&[id, &package.purl, image, &path])
    } else {
        stable
    };
    ids.insert(own.clone());
    own
}

fn identifier(id: &str) -> Value {
    let (kind, url) = match id.split('-').next() {
        Some("CVE") => ("cve", format!("https://nvd.nist.gov/vuln/detail/{id}")),
        Some("GHSA") => ("ghsa", format!("https://github.com/advisories/{id}")),
        _ => ("osv", format!("https://osv.dev/vulnerability/{id}")),
    };
    json!({ "type": kind, "name": id, "value": id, "url": url })
}
