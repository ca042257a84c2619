//! Reads OpenVEX (openvex.dev specification 0.2.0, and 0.0.x where names are plain texts).

use serde_json::Value;

use super::read::{list, text, time, unknown_status};
use super::statement::{Product, Statement, Status};

const STATUSES: &str = "not_affected, affected, fixed or under_investigation";

/// The statements of a document.
pub(super) fn statements(document: &Value) -> Result<Vec<Statement>, String> {
    let document_time = text(document, "timestamp");
    list(document, "statements")
        .iter()
        .filter_map(|item| statement(item, document_time).transpose())
        .collect()
}

fn statement(item: &Value, document_time: &str) -> Result<Option<Statement>, String> {
    let status = match text(item, "status") {
        "not_affected" => Status::NotAffected,
        "affected" => Status::Affected,
        "fixed" => Status::Fixed,
        "under_investigation" => Status::UnderInvestigation,
        word => return Err(unknown_status(word, STATUSES)),
    };
    let ids = item.get("vulnerability").map(ids).unwrap_or_default();
    let products: Vec<Product> = list(item, "products").iter().filter_map(product).collect();
    // A product is required: a statement about nothing is not one about everything.
    if ids.is_empty() || products.is_empty() {
        return Ok(None);
    }
    let reasons = [
        text(item, "justification"),
        text(item, "impact_statement"),
        text(item, "status_notes"),
    ];
    let reasons: Vec<&str> = reasons
        .into_iter()
        .filter(|reason| !reason.is_empty())
        .collect();
    Ok(Some(Statement {
        ids,
        products,
        status,
        reason: reasons.join("; "),
        timestamp: time([text(item, "timestamp"), document_time]),
    }))
}

fn ids(vulnerability: &Value) -> Vec<String> {
    if let Some(name) = vulnerability.as_str() {
        return vec![name.to_owned()];
    }
    let aliases = list(vulnerability, "aliases")
        .iter()
        .filter_map(Value::as_str);
    // `@id` may be a link whose last part is the id.
    let link = text(vulnerability, "@id")
        .rsplit('/')
        .next()
        .unwrap_or_default();
    [text(vulnerability, "name"), link]
        .into_iter()
        .chain(aliases)
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
        .collect()
}

fn product(item: &Value) -> Option<Product> {
    let id = identifier(item)?;
    Some(Product {
        id,
        parts: list(item, "subcomponents")
            .iter()
            .filter_map(identifier)
            .collect(),
    })
}

fn identifier(item: &Value) -> Option<String> {
    let purl = item
        .get("identifiers")
        .map_or("", |identifiers| text(identifiers, "purl"));
    let id = item.as_str().unwrap_or_else(|| text(item, "@id"));
    let id = if purl.is_empty() { id } else { purl };
    (!id.is_empty()).then(|| id.to_owned())
}
