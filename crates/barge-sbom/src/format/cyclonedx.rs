//! CycloneDX 1.6 (ECMA-424, cyclonedx.org), as JSON and XML.
//!
//! Consumers shape it: the operating system is a component of its own that distribution packages hang from (trivy), source
//! packages are properties under trivy's names and `upstream` in package URLs (grype), every reference exists once
//! (Dependency-Track), the image's version is its digest (cosign).

mod component;
mod json;
mod references;
mod xml;

use crate::dialect::{UNKNOWN, unknown_line};
use crate::format::{Provenance, TOOL, content_uuid};
use crate::package::Sbom;
use component::{Component, Property, property};
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
    properties: Vec<Property>,
    components: Vec<Component>,
    /// Reference, and the references it depends on; sorted.
    dependencies: Vec<(String, Vec<String>)>,
    complete: bool,
}

impl Document {
    fn new(sbom: &Sbom, provenance: &Provenance) -> Self {
        let mut document = Self::unnamed(sbom, provenance);
        document.name(&json::render(&document), provenance);
        document
    }

    /// The document without the time and the serial number.
    fn unnamed(sbom: &Sbom, provenance: &Provenance) -> Self {
        let references = References::new(sbom);
        let (components, dependencies) = rayon::join(
            || components(sbom, &references),
            || references.dependencies(sbom),
        );
        Self {
            serial_number: String::new(),
            timestamp: String::new(),
            tool_version: provenance.tool_version.clone(),
            author: provenance.author.clone(),
            subject: component::subject(sbom),
            properties: unknowns(sbom),
            components,
            dependencies,
            complete: sbom.unknowns.is_empty(),
        }
    }

    /// Notes the time, and a serial number from everything else as JSON.
    fn name(&mut self, content: &[u8], provenance: &Provenance) {
        self.serial_number = format!("urn:uuid:{}", content_uuid(content));
        self.timestamp = provenance
            .created
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string();
    }

    fn aggregate(&self) -> &'static str {
        if self.complete {
            "complete"
        } else {
            "incomplete"
        }
    }
}

fn components(sbom: &Sbom, references: &References<'_>) -> Vec<Component> {
    let packages = sbom.packages.iter().zip(references.all());
    let packages =
        packages.map(|(package, reference)| component::package(package, reference, &sbom.layers));
    component::operating_system(sbom)
        .into_iter()
        .chain(packages)
        .collect()
}

fn unknowns(sbom: &Sbom) -> Vec<Property> {
    let line = |unknown| property(UNKNOWN, unknown_line(unknown));
    sbom.unknowns.iter().map(line).collect()
}
