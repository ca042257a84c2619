//! CycloneDX as XML: the same document, elements in the order of the schema's sequences.

use super::component::{Component, Hash, License, Property, Single};
use super::{Document, Provenance, TOOL};
use crate::format::xml::Element;
use crate::package::Sbom;

/// Writes a bill as CycloneDX 1.6 XML.
#[must_use]
pub fn write(sbom: &Sbom, provenance: &Provenance) -> Vec<u8> {
    let document = Document::new(sbom, provenance);
    let mut bom = Element::root("bom")
        .attribute("xmlns", "http://cyclonedx.org/schema/bom/1.6")
        .attribute("serialNumber", &document.serial_number)
        .attribute("version", "1");
    bom.push(metadata(&document));
    bom.push(Element::new("components").with(document.components.iter().map(component)));
    let dependencies = document.dependencies.iter().map(|(reference, needs)| {
        let needs = needs
            .iter()
            .map(|need| Element::new("dependency").attribute("ref", need));
        Element::new("dependency")
            .attribute("ref", reference)
            .with(needs)
    });
    bom.push(Element::new("dependencies").with(dependencies));
    let assembly = Element::new("assembly").attribute("ref", &document.subject.reference);
    let composition = Element::new("composition").with([
        Element::text("aggregate", document.aggregate()),
        Element::new("assemblies").with([assembly]),
    ]);
    bom.push(Element::new("compositions").with([composition]));
    bom.render()
}

fn metadata(document: &Document) -> Element {
    let tool = Element::new("component")
        .attribute("type", "application")
        .with([
            Element::text("name", TOOL),
            Element::text("version", &document.tool_version),
        ]);
    let tools = Element::new("tools").with([Element::new("components").with([tool])]);
    let mut metadata = Element::new("metadata");
    metadata.push(Element::text("timestamp", &document.timestamp));
    metadata.push(tools);
    if let Some(author) = &document.author {
        let author = Element::new("author").with([Element::text("name", author)]);
        metadata.push(Element::new("authors").with([author]));
    }
    metadata.push(component(&document.subject));
    if !document.properties.is_empty() {
        metadata.push(properties(&document.properties));
    }
    metadata
}

fn component(component: &Component) -> Element {
    let mut element = Element::new("component")
        .attribute("type", component.kind)
        .attribute("bom-ref", &component.reference);
    if let Some(supplier) = &component.supplier {
        element.push(Element::new("supplier").with([Element::text("name", &supplier.name)]));
    }
    for (name, value) in [
        ("group", component.group.as_ref()),
        ("name", Some(&component.name)),
        ("version", component.version.as_ref()),
        ("description", component.description.as_ref()),
    ] {
        element.extend(value.map(|value| Element::text(name, value)));
    }
    if !component.hashes.is_empty() {
        let hash =
            |hash: &Hash| Element::text("hash", &hash.content).attribute("alg", &hash.algorithm);
        element.push(Element::new("hashes").with(component.hashes.iter().map(hash)));
    }
    element.extend(licenses(&component.licenses));
    element.extend(component.cpe.as_ref().map(|cpe| Element::text("cpe", cpe)));
    element.extend(
        component
            .purl
            .as_ref()
            .map(|purl| Element::text("purl", purl)),
    );
    if !component.external_references.is_empty() {
        let references = component.external_references.iter().map(|reference| {
            Element::new("reference")
                .attribute("type", reference.kind)
                .with([Element::text("url", &reference.url)])
        });
        element.push(Element::new("externalReferences").with(references));
    }
    if !component.properties.is_empty() {
        element.push(properties(&component.properties));
    }
    if let Some(evidence) = &component.evidence {
        let occurrences = evidence.occurrences.iter().map(|occurrence| {
            let context = occurrence.additional_context.as_ref();
            let mut element =
                Element::new("occurrence").with([Element::text("location", &occurrence.location)]);
            element.extend(context.map(|text| Element::text("additionalContext", text)));
            element
        });
        let occurrences = Element::new("occurrences").with(occurrences);
        element.push(Element::new("evidence").with([occurrences]));
    }
    element
}

fn licenses(licenses: &[License]) -> Option<Element> {
    let element = |license: &License| match license {
        License::Expression(text) => Element::text("expression", text),
        License::License(single) => Element::new("license").with([match single {
            Single::Id(id) => Element::text("id", id),
            Single::Name(name) => Element::text("name", name),
        }]),
    };
    (!licenses.is_empty()).then(|| Element::new("licenses").with(licenses.iter().map(element)))
}

fn properties(properties: &[Property]) -> Element {
    let property = |property: &Property| {
        Element::text("property", &property.value).attribute("name", &property.name)
    };
    Element::new("properties").with(properties.iter().map(property))
}
