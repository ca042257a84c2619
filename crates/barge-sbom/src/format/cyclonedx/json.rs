//! CycloneDX as JSON.

use std::io::Write;

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
    let mut bytes = Vec::new();
    render(&Document::new(sbom, provenance), &mut bytes);
    bytes.push(b'\n');
    bytes
}

/// Writes to memory or a hash, which cannot fail.
pub(super) fn render(document: &Document, out: impl Write) {
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
    drop(serde_json::to_writer_pretty(out, &bom));
}
