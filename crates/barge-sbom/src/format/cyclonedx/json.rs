//! CycloneDX as JSON.

use serde::Serialize;

use super::component::{Component, Named, Property};
use super::{Document, Provenance, TOOL};
use crate::package::Sbom;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: &'a str,
    version: u32,
    metadata: Metadata<'a>,
    components: &'a [Component],
    dependencies: Vec<Dependency<'a>>,
    compositions: [Composition<'a>; 1],
}

#[derive(Serialize)]
struct Metadata<'a> {
    timestamp: &'a str,
    tools: Tools<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authors: Option<[Named; 1]>,
    component: &'a Component,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    properties: &'a [Property],
}

#[derive(Serialize)]
struct Tools<'a> {
    components: [Tool<'a>; 1],
}

#[derive(Serialize)]
struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'a> {
    #[serde(rename = "ref")]
    reference: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    depends_on: &'a [String],
}

#[derive(Serialize)]
struct Composition<'a> {
    aggregate: &'static str,
    assemblies: [&'a str; 1],
}

/// Writes a bill as CycloneDX 1.6 JSON.
#[must_use]
pub fn write(sbom: &Sbom, provenance: &Provenance) -> Vec<u8> {
    let mut document = Document::unnamed(sbom, provenance);
    // Large bills are rendered once: what names them is put into the blanks, which come before anything of the image.
    let mut bytes = render(&document);
    document.name(&bytes, provenance);
    fill(&mut bytes, "serialNumber", &document.serial_number);
    fill(&mut bytes, "timestamp", &document.timestamp);
    bytes.push(b'\n');
    bytes
}

/// Gives the first field of this name its value in place of an empty one.
fn fill(bytes: &mut Vec<u8>, field: &str, value: &str) {
    let blank = format!("\"{field}\": \"");
    let blank = blank.as_bytes();
    let at = bytes
        .windows(blank.len())
        .position(|window| window == blank);
    if let Some(at) = at.map(|at| at + blank.len()) {
        bytes.splice(at..at, value.bytes());
    }
}

pub(super) fn render(document: &Document) -> Vec<u8> {
    let tool = Tool {
        kind: "application",
        name: TOOL,
        version: &document.tool_version,
    };
    let author = document.author.clone();
    let dependencies = document.dependencies.iter();
    let bom = Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: &document.serial_number,
        version: 1,
        metadata: Metadata {
            timestamp: &document.timestamp,
            tools: Tools { components: [tool] },
            authors: author.map(|name| [Named { name }]),
            component: &document.subject,
            properties: &document.properties,
        },
        components: &document.components,
        dependencies: dependencies
            .map(|(reference, depends_on)| Dependency {
                reference,
                depends_on,
            })
            .collect(),
        compositions: [Composition {
            aggregate: document.aggregate(),
            assemblies: [&document.subject.reference],
        }],
    };
    // Names and numbers cannot fail to be JSON.
    serde_json::to_vec_pretty(&bom).unwrap_or_default()
}
