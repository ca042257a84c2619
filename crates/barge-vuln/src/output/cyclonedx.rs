//! CycloneDX 1.6 with vulnerabilities: what was found, and for what does not count the analysis that says so.

use std::collections::BTreeMap;

use barge_report::Tool;
use serde_json::{Value, json};

use super::gaps::gaps;
use super::upgrade::remedy_sentence;
use super::uuid::uuid;
use crate::matching::{Match, SuppressedBy};
use crate::scan::Scan;
use crate::severity::Severity;

/// The vulnerabilities of a scan with the components that they affect.
#[must_use]
pub fn cyclonedx(scan: &Scan<'_>, tool: &Tool) -> Value {
    let mut components: BTreeMap<&str, Value> = BTreeMap::new();
    // One vulnerability of CycloneDX affects many components; analysis and ratings must be equal then.
    let mut groups: BTreeMap<(String, String, String), Vec<&Match<'_>>> = BTreeMap::new();
    for found in &scan.findings.matches {
        components.entry(&found.package.purl).or_insert_with(|| {
            json!({
                "type": "library",
                "bom-ref": found.package.purl,
                "name": found.package.name,
                "version": found.package.version,
                "purl": found.package.purl,
            })
        });
        let suppressed = found
            .suppressed
            .as_ref()
            .map(|why| format!("{:?} {}", why.by, why.reason))
            .unwrap_or_default();
        let key = (
            found.advisory.id.to_owned(),
            suppressed,
            format!("{:?}", found.advisory.severity),
        );
        groups.entry(key).or_default().push(found);
    }
    let mut vulnerabilities: Vec<Value> =
        groups.values().map(|group| vulnerability(group)).collect();
    number_references(&mut vulnerabilities);
    let gaps = gaps(scan);
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", uuid(&[&scan.subject.name, &scan.data.digest.to_string(), &scan.time.to_string()])),
        "version": 1,
        "metadata": {
            "timestamp": scan.time.to_string(),
            "tools": { "components": [{ "type": "application", "name": tool.name, "version": tool.version }] },
            "component": { "type": "container", "bom-ref": "subject", "name": scan.subject.name },
        },
        "components": components.into_values().collect::<Vec<_>>(),
        "vulnerabilities": vulnerabilities,
    });
    if !gaps.is_empty() {
        let properties = gaps.iter();
        document["metadata"]["properties"] = properties
            .map(|gap| json!({ "name": "barge:scan:gap", "value": gap }))
            .collect();
        document["compositions"] =
            json!([{ "aggregate": "incomplete", "assemblies": ["subject"] }]);
    }
    document
}

/// Two groups may be about one flaw of one package: the managed copy and another. Each reference must be the only one of its kind.
fn number_references(vulnerabilities: &mut [Value]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for vulnerability in vulnerabilities {
        let reference = vulnerability["bom-ref"].as_str().unwrap_or_default();
        let count = seen.entry(reference.to_owned()).or_default();
        *count += 1;
        if *count > 1 {
            vulnerability["bom-ref"] = json!(format!("{reference}#{count}"));
        }
    }
}

fn vulnerability(group: &[&Match<'_>]) -> Value {
    let Some(first) = group.first() else {
        return Value::Null;
    };
    let advisory = &first.advisory;
    let affects: Vec<Value> = group
        .iter()
        .map(|found| json!({ "ref": found.package.purl, "versions": [{ "version": found.package.version, "status": "affected" }] }))
        .collect();
    let references: Vec<Value> = advisory
        .aliases
        .iter()
        .map(|alias| json!({ "id": alias, "source": { "url": format!("https://osv.dev/vulnerability/{alias}") } }))
        .collect();
    let mut value = json!({
        "bom-ref": format!("{}:{}", advisory.id, first.package.purl),
        "id": advisory.id,
        "source": { "url": advisory.url },
        "references": references,
        "ratings": [rating(first)],
        "description": advisory.summary,
        "affects": affects,
    });
    if advisory.published > 0
        && let Ok(time) = jiff::Timestamp::from_second(advisory.published)
    {
        value["published"] = json!(time.to_string());
    }
    let mut remedies: Vec<String> = group
        .iter()
        .filter_map(|found| remedy_sentence(found))
        .collect();
    remedies.dedup();
    if !remedies.is_empty() {
        value["recommendation"] = json!(remedies.join(". ") + ".");
    }
    value["analysis"] = match &first.suppressed {
        Some(why) if why.by == SuppressedBy::Rule => {
            json!({ "state": "exploitable", "response": ["will_not_fix"], "detail": why.reason })
        }
        Some(why) if why.is_fixed => {
            json!({ "state": "resolved", "detail": why.reason })
        }
        Some(why) => json!({ "state": "not_affected", "detail": why.reason }),
        None => json!({ "state": "in_triage" }),
    };
    value
}

fn rating(found: &Match<'_>) -> Value {
    let severity = &found.advisory.severity;
    let word = match severity.level {
        Severity::Negligible => "info",
        level => level.word(),
    };
    let mut rating = json!({ "severity": word });
    if !severity.source.is_empty() {
        rating["source"] = json!({ "name": severity.source });
    }
    if let Some(score) = severity.score {
        rating["score"] = json!(score);
    }
    if let Some(vector) = &severity.vector {
        rating["vector"] = json!(vector);
        rating["method"] = json!(match vector.get(..8) {
            Some("CVSS:4.0") => "CVSSv4",
            Some("CVSS:3.1") => "CVSSv31",
            Some("CVSS:3.0") => "CVSSv3",
            _ => "CVSSv2",
        });
    }
    rating
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_references_are_alike() {
        let mut values = ["a", "b", "a", "a"].map(|name| json!({ "bom-ref": name }));
        number_references(&mut values);
        let references = values.map(|value| value["bom-ref"].as_str().unwrap().to_owned());
        assert_eq!(references, ["a", "b", "a#2", "a#3"]);
    }
}
