//! CycloneDX as JSON.

use serde_json::{Map, Value, json};

use super::component::{Component, License, Licenses};
use super::{Document, Provenance, TOOL};
use crate::package::Sbom;

/// Writes a bill as CycloneDX 1.6 JSON.
#[must_use]
pub fn write(sbom: &Sbom, provenance: &Provenance) -> Vec<u8> {
    render(&Document::new(sbom, provenance))
}

pub(super) fn render(document: &Document) -> Vec<u8> {
    let tool = json!({"type": "application", "name": TOOL, "version": document.tool_version});
    let mut metadata = Map::new();
    metadata.insert("timestamp".into(), json!(document.timestamp));
    metadata.insert("tools".into(), json!({"components": [tool]}));
    if let Some(author) = &document.author {
        metadata.insert("authors".into(), json!([{"name": author}]));
    }
    metadata.insert("component".into(), component(&document.subject));
    if !document.properties.is_empty() {
        metadata.insert("properties".into(), properties(&document.properties));
    }
    let dependencies = document.dependencies.iter().map(|(reference, needs)| {
        if needs.is_empty() {
            json!({"ref": reference})
        } else {
            json!({"ref": reference, "dependsOn": needs})
        }
    });
    let aggregate = if document.complete {
        "complete"
    } else {
        "incomplete"
    };
    let bom = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": document.serial_number,
        "version": 1,
        "metadata": metadata,
        "components": document.components.iter().map(component).collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
        "compositions": [{"aggregate": aggregate, "assemblies": [document.subject.reference]}],
    });
    let mut bytes = serde_json::to_vec_pretty(&bom).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn properties(properties: &[(String, String)]) -> Value {
    properties
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect()
}

fn component(component: &Component) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| {
        object.insert(key.to_owned(), value);
    };
    put("type", json!(component.kind));
    put("bom-ref", json!(component.reference));
    if let Some(supplier) = &component.supplier {
        put("supplier", json!({"name": supplier}));
    }
    if let Some(group) = &component.group {
        put("group", json!(group));
    }
    put("name", json!(component.name));
    if let Some(version) = &component.version {
        put("version", json!(version));
    }
    if let Some(description) = &component.description {
        put("description", json!(description));
    }
    if !component.hashes.is_empty() {
        let hash =
            |(algorithm, digits): &(String, String)| json!({"alg": algorithm, "content": digits});
        put("hashes", component.hashes.iter().map(hash).collect());
    }
    match &component.licenses {
        Licenses::None => {}
        Licenses::Expression(expression) => put("licenses", json!([{"expression": expression}])),
        Licenses::Single(licenses) => put("licenses", licenses.iter().map(license).collect()),
    }
    if let Some(cpe) = &component.cpe {
        put("cpe", json!(cpe));
    }
    if let Some(purl) = &component.purl {
        put("purl", json!(purl));
    }
    if !component.links.is_empty() {
        let link = |(kind, address): &(&str, String)| json!({"type": kind, "url": address});
        put(
            "externalReferences",
            component.links.iter().map(link).collect(),
        );
    }
    if !component.properties.is_empty() {
        put("properties", properties(&component.properties));
    }
    if !component.occurrences.is_empty() {
        let occurrence = |(location, context): &(String, Option<String>)| match context {
            Some(context) => json!({"location": location, "additionalContext": context}),
            None => json!({"location": location}),
        };
        let occurrences: Value = component.occurrences.iter().map(occurrence).collect();
        put("evidence", json!({"occurrences": occurrences}));
    }
    Value::Object(object)
}

fn license(license: &License) -> Value {
    match license {
        License::Id(id) => json!({"license": {"id": id}}),
        License::Name(name) => json!({"license": {"name": name}}),
    }
}
