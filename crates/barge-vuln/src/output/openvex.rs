//! OpenVEX 0.2.0: what does not count as `not_affected` or `fixed`, the rest as `under_investigation` or `affected`.

use serde_json::{Value, json};

use super::uuid;
use crate::matching::{Match, SuppressedBy, Suppression};
use crate::scan::Scan;

/// The statements that follow from a scan.
#[must_use]
pub fn openvex(scan: &Scan, author: &str) -> Value {
    let time = scan.time.to_string();
    let statements: Vec<Value> = scan
        .findings
        .matches
        .iter()
        .map(|found| statement(found, &time))
        .collect();
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": format!("https://openvex.dev/docs/public/vex-{}", uuid(&[&scan.subject.name, &scan.data.digest, &time])),
        "author": author,
        "timestamp": time,
        "version": 1,
        "statements": statements,
    })
}

fn statement(found: &Match, time: &str) -> Value {
    let mut statement = json!({
        "vulnerability": { "name": found.advisory.id, "aliases": found.advisory.aliases },
        "timestamp": time,
        "products": [{ "@id": found.package.purl, "identifiers": { "purl": found.package.purl } }],
    });
    match &found.suppressed {
        Some(Suppression {
            by: SuppressedBy::Rule,
            reason,
        }) => {
            statement["status"] = json!("affected");
            statement["action_statement"] = json!(format!("accepted: {reason}"));
        }
        Some(Suppression { reason, .. }) if reason.starts_with("fixed") => {
            statement["status"] = json!("fixed");
            statement["status_notes"] = json!(reason);
        }
        Some(Suppression { reason, .. }) => {
            statement["status"] = json!("not_affected");
            statement["impact_statement"] = json!(reason);
        }
        None => match found.fix.version() {
            Some(version) => {
                statement["status"] = json!("affected");
                statement["action_statement"] =
                    json!(format!("upgrade {} to {version}", found.package.name));
            }
            None => statement["status"] = json!("under_investigation"),
        },
    }
    statement
}
