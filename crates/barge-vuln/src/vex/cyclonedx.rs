//! Reads the statements of a CycloneDX document (specification 1.6, `vulnerabilities[].analysis`).

use std::collections::BTreeMap;

use serde_json::Value;

use super::read::{list, text, time, unknown_status};
use super::statement::{Product, Statement, Status};

const STATES: &str =
    "not_affected, false_positive, resolved, resolved_with_pedigree, exploitable or in_triage";

/// How deep components may nest.
const DEPTH: usize = 32;

/// The statements of a document: one for each vulnerability with an analysis.
pub(super) fn statements(document: &Value) -> Result<Vec<Statement>, String> {
    let mut purls: BTreeMap<&str, &str> = BTreeMap::new();
    collect(list(document, "components"), DEPTH, &mut purls);
    let root = document
        .get("metadata")
        .and_then(|metadata| metadata.get("component"));
    if let Some(root) = root {
        collect(std::slice::from_ref(root), DEPTH, &mut purls);
    }
    let document_time = document
        .get("metadata")
        .map_or("", |metadata| text(metadata, "timestamp"));
    let about = |vulnerability: &Value| statement(vulnerability, &purls, document_time).transpose();
    list(document, "vulnerabilities")
        .iter()
        .filter_map(about)
        .collect()
}

fn collect<'a>(components: &'a [Value], depth: usize, purls: &mut BTreeMap<&'a str, &'a str>) {
    for component in components {
        let (reference, purl) = (text(component, "bom-ref"), text(component, "purl"));
        if !reference.is_empty() && !purl.is_empty() {
            purls.insert(reference, purl);
        }
        if depth > 0 {
            collect(list(component, "components"), depth - 1, purls);
        }
    }
}

fn statement(
    vulnerability: &Value,
    purls: &BTreeMap<&str, &str>,
    document_time: &str,
) -> Result<Option<Statement>, String> {
    let Some(analysis) = vulnerability.get("analysis") else {
        return Ok(None);
    };
    let status = match text(analysis, "state") {
        "not_affected" | "false_positive" => Status::NotAffected,
        "resolved" | "resolved_with_pedigree" => Status::Fixed,
        "exploitable" => Status::Affected,
        "in_triage" => Status::UnderInvestigation,
        "" => return Ok(None),
        word => return Err(unknown_status(word, STATES)),
    };
    let references = list(vulnerability, "references")
        .iter()
        .map(|reference| text(reference, "id"));
    let ids = std::iter::once(text(vulnerability, "id")).chain(references);
    let ids: Vec<String> = ids.filter(|id| !id.is_empty()).map(str::to_owned).collect();
    let affects = list(vulnerability, "affects")
        .iter()
        .map(|affected| text(affected, "ref"));
    let products: Vec<Product> = affects
        .filter(|reference| !reference.is_empty())
        .map(|reference| product(reference, purls))
        .collect();
    if ids.is_empty() || products.is_empty() {
        return Ok(None);
    }
    let reasons = [text(analysis, "justification"), text(analysis, "detail")];
    let reasons: Vec<&str> = reasons
        .into_iter()
        .filter(|reason| !reason.is_empty())
        .collect();
    let times = [
        text(analysis, "lastUpdated"),
        text(vulnerability, "updated"),
        document_time,
    ];
    Ok(Some(Statement {
        ids,
        products,
        status,
        reason: reasons.join("; "),
        timestamp: time(times),
    }))
}

/// What a reference means: a component of this document, or (`urn:cdx:serial/version#ref`) of another one.
fn product(reference: &str, purls: &BTreeMap<&str, &str>) -> Product {
    let local = match reference
        .strip_prefix("urn:cdx:")
        .and_then(|link| link.split_once('#'))
    {
        Some((_, local)) => local,
        None => reference,
    };
    let id = purls.get(local).copied().unwrap_or(local);
    Product {
        id: id.to_owned(),
        parts: Vec::new(),
    }
}
