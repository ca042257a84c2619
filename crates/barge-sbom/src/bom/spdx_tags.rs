//! SPDX 2.2 and 2.3 as tag-value, turned into the JSON form of the same document, so that one reader knows the fields.

use serde_json::{Map, Value, json};

/// The tags of a package that are read, and what JSON calls them.
const PACKAGE: [(&str, &str); 6] = [
    ("SPDXID", "SPDXID"),
    ("PackageVersion", "versionInfo"),
    ("PackageLicenseDeclared", "licenseDeclared"),
    ("PackageLicenseConcluded", "licenseConcluded"),
    ("PackageSourceInfo", "sourceInfo"),
    ("PrimaryPackagePurpose", "primaryPackagePurpose"),
];

/// Whether bytes begin as such a document does.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"SPDXVersion:")
}

/// The document as JSON.
pub(super) fn to_json(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    let mut document = Map::new();
    let mut packages: Vec<Map<String, Value>> = Vec::new();
    let mut relationships = Vec::new();
    // Files and snippets have fields of the same names as packages.
    let mut is_package = false;
    for (tag, value) in fields(&text) {
        match tag {
            "PackageName" => {
                is_package = true;
                packages.push(Map::from_iter([("name".to_owned(), json!(value))]));
            }
            "FileName" | "SnippetSPDXID" | "LicenseID" => is_package = false,
            "SPDXVersion" => drop(document.insert("spdxVersion".to_owned(), json!(value))),
            "DocumentName" => drop(document.insert("name".to_owned(), json!(value))),
            "CreatorComment" => {
                document.insert("creationInfo".to_owned(), json!({"comment": value}));
            }
            "Relationship" => relationships.extend(relationship(value)),
            _ if is_package => {
                if let Some(package) = packages.last_mut() {
                    add(package, tag, value);
                }
            }
            _ => {}
        }
    }
    document.insert("packages".to_owned(), json!(packages));
    document.insert("relationships".to_owned(), json!(relationships));
    Value::Object(document)
}

/// Tags with their values; `<text>` holds values of several lines.
fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            if line.is_empty() && after.is_empty() {
                return None;
            }
            let Some((tag, value)) = line.split_once(':').filter(|_| !line.starts_with('#')) else {
                rest = after;
                continue;
            };
            let opened = value.trim_start().strip_prefix("<text>");
            let Some(opened) = opened else {
                rest = after;
                return Some((tag.trim(), value.trim()));
            };
            let start = text.len() - rest.len() + (line.len() - opened.len());
            let start = start.min(text.len());
            let (value, after) = text[start..]
                .split_once("</text>")
                .unwrap_or((&text[start..], ""));
            rest = after;
            return Some((tag.trim(), value));
        }
    })
}

fn add(package: &mut Map<String, Value>, tag: &str, value: &str) {
    if tag == "ExternalRef" {
        let mut words = value.split_whitespace();
        if let (Some(_), Some(kind), Some(locator)) = (words.next(), words.next(), words.next()) {
            let references = package.entry("externalRefs").or_insert_with(|| json!([]));
            if let Value::Array(references) = references {
                references.push(json!({"referenceType": kind, "referenceLocator": locator}));
            }
        }
    } else if let Some((_, key)) = PACKAGE.into_iter().find(|(known, _)| *known == tag) {
        package.insert(key.to_owned(), json!(value));
    }
}

fn relationship(value: &str) -> Option<Value> {
    let mut words = value.split_whitespace();
    let (from, kind, to) = (words.next()?, words.next()?, words.next()?);
    Some(json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to}))
}
