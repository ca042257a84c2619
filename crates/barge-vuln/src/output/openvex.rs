//! OpenVEX 0.2.0: what does not count as `not_affected` or `fixed`, the rest as `affected`, or `under_investigation` where
//! the match is doubtful. Records that are no vulnerabilities have no place in it.

use serde_json::{Value, json};

use super::gaps::gaps;
use super::upgrade::remedy;
use super::uuid::uuid;
use crate::matching::{Class, Match, SuppressedBy, Suppression};
use crate::scan::Scan;

/// The statements that follow from a scan.
#[must_use]
pub fn openvex(scan: &Scan<'_>, author: &str) -> Value {
    let time = scan.time.to_string();
    let image = barge_sbom::image_purl(&scan.subject);
    let statements: Vec<Value> = scan
        .findings
        .matches
        .iter()
        .filter(|found| found.class.is_security() || found.class == Class::Unsound)
        .map(|found| statement(found, image.as_deref(), &time))
        .collect();
    let mut document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": format!("https://openvex.dev/docs/public/vex-{}", uuid(&[&scan.subject.name, &scan.data.digest.to_string(), &time])),
        "author": author,
        "timestamp": time,
        "version": 1,
        "statements": statements,
    });
    // The format has no other place for what nothing is said about.
    let gaps = gaps(scan);
    if !gaps.is_empty() {
        document["tooling"] = json!(format!("barge; not scanned: {}", gaps.join("; ")));
    }
    document
}

/// What is said of a package is said of it in this image: in another one its files may belong to somebody else.
fn product(package: &str, image: Option<&str>) -> Value {
    let named = |purl: &str| json!({ "@id": purl, "identifiers": { "purl": purl } });
    let Some(image) = image else {
        return named(package);
    };
    let mut product = named(image);
    product["subcomponents"] = json!([named(package)]);
    product
}

fn statement(found: &Match<'_>, image: Option<&str>, time: &str) -> Value {
    let mut statement = json!({
        "vulnerability": { "name": found.advisory.id, "aliases": found.advisory.aliases },
        "timestamp": time,
        "products": [product(&found.package.purl, image)],
    });
    match &found.suppressed {
        Some(Suppression {
            by: SuppressedBy::Rule,
            reason,
            ..
        }) => {
            statement["status"] = json!("affected");
            statement["action_statement"] = json!(format!("accepted: {reason}"));
        }
        Some(Suppression {
            reason,
            is_fixed: true,
            ..
        }) => {
            statement["status"] = json!("fixed");
            statement["status_notes"] = json!(reason);
        }
        Some(Suppression { reason, .. }) => {
            statement["status"] = json!("not_affected");
            statement["impact_statement"] = json!(reason);
        }
        None => match &found.doubt {
            Some(doubt) => {
                statement["status"] = json!("under_investigation");
                statement["status_notes"] = json!(doubt);
            }
            None => {
                statement["status"] = json!("affected");
                statement["action_statement"] = json!(action(found));
            }
        },
    }
    statement
}

/// What the format demands of a statement that a product is affected: what to do.
fn action(found: &Match<'_>) -> String {
    remedy(found).unwrap_or_else(|| {
        let name = &found.package.name;
        format!(
            "no fixed version of {name} is known: remove or replace it, or shield what reaches it"
        )
    })
}
