//! CycloneDX 1.6 (ECMA-424, cyclonedx.org), as JSON and XML.
//!
//! Consumers shape it: the operating system is a component of its own that distribution packages hang from (trivy), source
//! packages are properties under trivy's names and `upstream` in package URLs (grype), every reference exists once
//! (Dependency-Track), the image's version is its digest (cosign).

mod component;
mod json;
mod references;
mod xml;

use crate::format::{Provenance, TOOL, content_uuid};
use crate::package::Sbom;
use component::Component;
use references::References;

pub use json::write as write_json;
pub use xml::write as write_xml;

/// A document, in the order of the schema.
struct Document {
    serial_number: String,
    timestamp: String,
    tool_version: String,
    author: Option<String>,
    subject: Component,
    /// What the whole document has to say, as name and value.
    properties: Vec<(String, String)>,
    components: Vec<Component>,
    /// Reference, and the references it depends on; sorted.
    dependencies: Vec<(String, Vec<String>)>,
    complete: bool,
}

impl Document {
    fn new(sbom: &Sbom, provenance: &Provenance) -> Self {
        let references = References::new(sbom);
        let mut components: Vec<_> = component::operating_system(sbom).into_iter().collect();
        let packages = sbom.packages.iter().zip(references.all());
        components.extend(
            packages
                .map(|(package, reference)| component::package(package, reference, &sbom.layers)),
        );
        let mut document = Self {
            serial_number: String::new(),
            timestamp: provenance
                .created
                .strftime("%Y-%m-%dT%H:%M:%SZ")
                .to_string(),
            tool_version: provenance.tool_version.clone(),
            author: provenance.author.clone(),
            subject: component::subject(sbom),
            properties: unknowns(sbom),
            components,
            dependencies: references.dependencies(sbom),
            complete: sbom.unknowns.is_empty(),
        };
        document.serial_number = document.content_serial_number();
        document
    }

    /// From everything but the time.
    fn content_serial_number(&self) -> String {
        let content = json::render(&Self {
            serial_number: String::new(),
            timestamp: String::new(),
            tool_version: self.tool_version.clone(),
            author: self.author.clone(),
            subject: self.subject.clone(),
            properties: self.properties.clone(),
            components: self.components.clone(),
            dependencies: self.dependencies.clone(),
            complete: self.complete,
        });
        format!("urn:uuid:{}", content_uuid(&content))
    }
}

fn unknowns(sbom: &Sbom) -> Vec<(String, String)> {
    let line = |unknown: &crate::package::Unknown| {
        let value = format!("{}: {}", unknown.path, unknown.reason);
        ("barge:unknown".to_owned(), value)
    };
    sbom.unknowns.iter().map(line).collect()
}
