//! SPDX 2.3 JSON (spdx.github.io, clauses 6 to 11).
//!
//! Texts that are no SPDX expression become `LicenseRef-` entries with the text; addresses that are none become
//! `NOASSERTION`; files are not listed, so `filesAnalyzed` is false everywhere.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Provenance, TOOL, content_uuid, hash, is_cpe, is_web_address};
use crate::dialect::{INCOMPLETE, unknown_line};
use crate::license;
use crate::package::{Package, Sbom};

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const SUBJECT: &str = "SPDXRef-Subject";
const OPERATING_SYSTEM: &str = "SPDXRef-OperatingSystem";

/// Writes a bill as SPDX 2.3 JSON.
#[must_use]
pub fn write_json(sbom: &Sbom, provenance: &Provenance) -> Vec<u8> {
    let mut licenses = Licenses::default();
    let mut packages = vec![subject(sbom)];
    packages.extend(operating_system(sbom));
    for (number, package) in sbom.packages.iter().enumerate() {
        packages.push(entry(package, &id(number, package), &mut licenses));
    }
    let relationships = relationships(sbom);
    let content = json!([packages, relationships, licenses.extracted()]).to_string();
    let uuid = content_uuid(content.as_bytes());
    let mut document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": sbom.subject.name,
        "documentNamespace": format!("https://spdx.org/spdxdocs/{}-{uuid}", slug(&sbom.subject.name)),
        "creationInfo": creation(sbom, provenance),
        "packages": packages,
    });
    if let Value::Object(document) = &mut document {
        let extracted = licenses.extracted();
        if !extracted.is_empty() {
            document.insert("hasExtractedLicensingInfos".into(), Value::Array(extracted));
        }
        document.insert("relationships".into(), Value::Array(relationships));
    }
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Who made the document and when, and what it lacks.
fn creation(sbom: &Sbom, provenance: &Provenance) -> Value {
    let mut creators = vec![format!("Tool: {TOOL}-{}", provenance.tool_version)];
    let author = provenance.author.as_ref();
    creators.extend(author.map(|name| format!("Organization: {name}")));
    let created = provenance.created.strftime("%Y-%m-%dT%H:%M:%SZ");
    let mut information = json!({"created": created.to_string(), "creators": creators});
    if let (false, Value::Object(information)) = (sbom.unknowns.is_empty(), &mut information) {
        information.insert("comment".into(), json!(unknowns(sbom)));
    }
    information
}

/// A name as a part of an address.
fn slug(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let slug: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .collect();
    slug.trim_matches('-').to_owned()
}

fn unknowns(sbom: &Sbom) -> String {
    let lines: Vec<_> = sbom.unknowns.iter().map(unknown_line).collect();
    format!("{INCOMPLETE}\n{}", lines.join("\n"))
}

/// Letters, digits, `.` and `-`; the number makes it unique.
fn id(number: usize, package: &Package) -> String {
    let clean = |text: &str| -> String {
        text.chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '.' {
                    c
                } else {
                    '-'
                }
            })
            .take(80)
            .collect()
    };
    format!("SPDXRef-Package-{number}-{}", clean(&package.name))
}

fn subject(sbom: &Sbom) -> Value {
    let subject = &sbom.subject;
    let is_image = subject.image.is_some();
    let mut package = Map::new();
    package.insert("SPDXID".into(), json!(SUBJECT));
    package.insert("name".into(), json!(subject.name));
    let digest = subject.manifest.or(subject.image);
    if let Some(digest) = digest {
        package.insert("versionInfo".into(), json!(digest.to_string()));
    }
    package.insert("downloadLocation".into(), json!("NOASSERTION"));
    package.insert("filesAnalyzed".into(), json!(false));
    package.insert("licenseConcluded".into(), json!("NOASSERTION"));
    package.insert("licenseDeclared".into(), json!("NOASSERTION"));
    package.insert("copyrightText".into(), json!("NOASSERTION"));
    package.insert("supplier".into(), json!("NOASSERTION"));
    let purpose = if is_image { "CONTAINER" } else { "FILE" };
    package.insert("primaryPackagePurpose".into(), json!(purpose));
    if let Some(digest) = digest {
        let checksum = json!({"algorithm": "SHA256", "checksumValue": digest.hex()});
        package.insert("checksums".into(), json!([checksum]));
    }
    if let Some(purl) = crate::purl::image(subject) {
        package.insert("externalRefs".into(), json!([purl_reference(&purl)]));
    }
    Value::Object(package)
}

fn operating_system(sbom: &Sbom) -> Option<Value> {
    let distro = sbom.distro.as_ref()?;
    let version = distro.version_id.as_ref().or(distro.build_id.as_ref());
    let mut package = Map::new();
    package.insert("SPDXID".into(), json!(OPERATING_SYSTEM));
    package.insert("name".into(), json!(distro.id));
    package.extend(version.map(|version| ("versionInfo".to_owned(), json!(version))));
    for (key, value) in [
        ("downloadLocation", json!("NOASSERTION")),
        ("filesAnalyzed", json!(false)),
        ("licenseConcluded", json!("NOASSERTION")),
        ("licenseDeclared", json!("NOASSERTION")),
        ("copyrightText", json!("NOASSERTION")),
        ("supplier", json!("NOASSERTION")),
        ("primaryPackagePurpose", json!("OPERATING-SYSTEM")),
    ] {
        package.insert(key.into(), value);
    }
    Some(Value::Object(package))
}

fn entry(package: &Package, id: &str, licenses: &mut Licenses) -> Value {
    let fact = |name: &str| package.facts.get(name).map(String::as_str);
    let is_program = fact("classifier").is_some();
    let mut entry = Map::new();
    let mut put = |key: &str, value: Value| {
        entry.insert(key.to_owned(), value);
    };
    put("SPDXID", json!(id));
    put("name", json!(package.name));
    put("versionInfo", json!(package.version));
    put("supplier", json!(supplier(package)));
    put("downloadLocation", json!("NOASSERTION"));
    put("filesAnalyzed", json!(false));
    if let Some(address) = fact("homepage").filter(|address| is_web_address(address)) {
        put("homepage", json!(address));
    }
    let checksum = |(algorithm, digits): (&String, &String)| {
        let algorithm = hash::spdx_name(algorithm, digits)?;
        Some(json!({"algorithm": algorithm, "checksumValue": digits}))
    };
    let checksums: Vec<_> = package.hashes.iter().filter_map(checksum).collect();
    if !checksums.is_empty() {
        put("checksums", Value::Array(checksums));
    }
    put("sourceInfo", json!(source_information(package)));
    put("licenseConcluded", json!("NOASSERTION"));
    put(
        "licenseDeclared",
        json!(licenses.expression(&package.licenses)),
    );
    put("copyrightText", json!("NOASSERTION"));
    let mut references = vec![purl_reference(&package.purl)];
    references.extend(fact("cpe").filter(|cpe| is_cpe(cpe)).map(|cpe| {
        json!({"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": cpe})
    }));
    put("externalRefs", Value::Array(references));
    put(
        "primaryPackagePurpose",
        json!(if is_program { "APPLICATION" } else { "LIBRARY" }),
    );
    Value::Object(entry)
}

fn purl_reference(purl: &str) -> Value {
    json!({"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl})
}

/// Where it was found, by what it is owned, from what it was built.
fn source_information(package: &Package) -> String {
    let mut lines = Vec::new();
    if let Some(source) = &package.source {
        lines.push(format!(
            "built package from: {} {}",
            source.name, source.version
        ));
    }
    for evidence in &package.evidence {
        let layer = evidence
            .layer
            .map(|layer| format!(" (layer {layer})"))
            .unwrap_or_default();
        lines.push(format!("found in: {}{layer}", evidence.path));
    }
    lines.extend(
        package
            .owned_by
            .as_ref()
            .map(|owner| format!("owned by: {owner}")),
    );
    lines.join("\n")
}

/// `Person: NAME (MAIL)`, `Organization: NAME`, or `NOASSERTION`.
fn supplier(package: &Package) -> String {
    let fact = |name: &str| package.facts.get(name).map(String::as_str);
    let clean = |text: &str| {
        let text: String = text
            .chars()
            .map(|c| if "()<>".contains(c) { ' ' } else { c })
            .collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    if let Some(vendor) = fact("vendor").map(clean).filter(|name| !name.is_empty()) {
        return format!("Organization: {vendor}");
    }
    let Some(person) = fact("maintainer").or_else(|| fact("author")) else {
        return "NOASSERTION".to_owned();
    };
    let first = person.split(',').next().unwrap_or_default();
    let (name, mail) = first.split_once('<').unwrap_or((first, ""));
    let (name, mail) = (
        clean(name),
        mail.split('>').next().unwrap_or_default().trim(),
    );
    match (
        name.is_empty(),
        mail.contains('@') && !mail.contains(char::is_whitespace),
    ) {
        (true, _) => "NOASSERTION".to_owned(),
        (false, true) => format!("Person: {name} ({mail})"),
        (false, false) => format!("Person: {name}"),
    }
}

fn relationships(sbom: &Sbom) -> Vec<Value> {
    let relationship = |from: &str, kind: &str, to: &str| json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to});
    let ids: Vec<_> = sbom
        .packages
        .iter()
        .enumerate()
        .map(|(at, package)| id(at, package))
        .collect();
    let mut by_purl: BTreeMap<&str, &str> = BTreeMap::new();
    for (package, id) in sbom.packages.iter().zip(&ids) {
        by_purl.entry(&package.purl).or_insert(id);
    }
    let mut all = vec![relationship(DOCUMENT, "DESCRIBES", SUBJECT)];
    if sbom.distro.is_some() {
        all.push(relationship(SUBJECT, "CONTAINS", OPERATING_SYSTEM));
    }
    for (package, id) in sbom.packages.iter().zip(&ids) {
        let container = package
            .part_of
            .as_ref()
            .and_then(|purl| by_purl.get(purl.as_str()));
        all.push(relationship(
            container.map_or(SUBJECT, |id| *id),
            "CONTAINS",
            id,
        ));
        let needs = package
            .depends_on
            .iter()
            .filter_map(|purl| by_purl.get(purl.as_str()));
        all.extend(
            needs
                .filter(|need| *need != id)
                .map(|need| relationship(id, "DEPENDS_ON", need)),
        );
        let owner = package
            .owned_by
            .as_ref()
            .and_then(|purl| by_purl.get(purl.as_str()));
        all.extend(owner.map(|owner| {
            let mut owned = relationship(owner, "OTHER", id);
            if let Value::Object(owned) = &mut owned {
                owned.insert("comment".into(), json!("owns the files of"));
            }
            owned
        }));
    }
    all
}

/// Licence texts that are no expressions, each with its reference.
#[derive(Default)]
struct Licenses {
    references: BTreeMap<String, String>,
}

impl Licenses {
    fn expression(&mut self, declared: &[String]) -> String {
        let stated: Vec<_> = declared
            .iter()
            .filter(|text| !text.trim().is_empty())
            .collect();
        let one = |text: &&String| match license::expression(text) {
            // Deprecated names that hold an exception, which validators take for the exception alone.
            Some(expression) if expression.contains("-with-") => self.reference(text),
            Some(expression) if expression.contains("DocumentRef-") => self.reference(text),
            Some(expression) => {
                self.own_references(&expression);
                if stated.len() > 1 && expression.contains(' ') {
                    format!("({expression})")
                } else {
                    expression
                }
            }
            None => self.reference(text),
        };
        let all: Vec<String> = stated.iter().map(one).collect();
        if all.is_empty() {
            "NOASSERTION".to_owned()
        } else {
            all.join(" AND ")
        }
    }

    /// Names that a package gives its own licences must be explained; the text is not here.
    fn own_references(&mut self, expression: &str) {
        let names = expression.split([' ', '(', ')']);
        for name in names.filter(|name| name.starts_with("LicenseRef-")) {
            self.references.insert(name.to_owned(), name.to_owned());
        }
    }

    fn reference(&mut self, text: &str) -> String {
        let id = format!("LicenseRef-{}", &content_uuid(text.as_bytes())[..13]);
        self.references.insert(id.clone(), text.to_owned());
        id
    }

    fn extracted(&self) -> Vec<Value> {
        let entry = |(id, text): (&String, &String)| json!({"licenseId": id, "name": text, "extractedText": text});
        self.references.iter().map(entry).collect()
    }
}
