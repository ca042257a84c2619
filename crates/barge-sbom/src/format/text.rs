//! Plain text: a table for people, package URLs for scripts; and barge's own JSON, which loses nothing.

use serde_json::{Value, json};

use crate::dialect::JSON_SCHEMA;
use crate::package::{Package, Sbom};

/// Writes a table of the packages: name, version, kind, where.
#[must_use]
pub fn write_table(sbom: &Sbom) -> Vec<u8> {
    let mut rows = vec![["NAME", "VERSION", "KIND", "FOUND IN"].map(str::to_owned)];
    rows.extend(sbom.packages.iter().map(row));
    rows.get_mut(1..).unwrap_or_default().sort();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<_> = (0..3)
        .map(|column| width(column).unwrap_or_default().min(60))
        .collect();
    let mut table = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        line.push_str(&row[3]);
        table.push_str(line.trim_end());
        table.push('\n');
    }
    for unknown in &sbom.unknowns {
        table.push_str(&format!("not read: {}: {}\n", unknown.path, unknown.reason));
    }
    table.into_bytes()
}

fn row(package: &Package) -> [String; 4] {
    let kind = serde_json::to_value(package.kind).ok();
    let kind = kind
        .as_ref()
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let first = package
        .evidence
        .first()
        .map_or("", |evidence| &evidence.path);
    let place = match package.evidence.len() {
        0 | 1 => first.to_owned(),
        more => format!("{first} and {} more", more - 1),
    };
    [&package.name, &package.version, &kind, &place].map(|cell| printable(cell))
}

/// Names come from the image: control characters would write to the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Writes the package URLs, sorted, each once.
#[must_use]
pub fn write_purls(sbom: &Sbom) -> Vec<u8> {
    let mut purls: Vec<_> = sbom
        .packages
        .iter()
        .map(|package| package.purl.as_str())
        .collect();
    purls.sort_unstable();
    purls.dedup();
    let mut text = purls.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text.into_bytes()
}

/// Writes the bill as barge holds it, under a versioned schema name.
#[must_use]
pub fn write_json(sbom: &Sbom) -> Vec<u8> {
    let mut document = json!({"schema": JSON_SCHEMA});
    if let (Value::Object(document), Ok(Value::Object(fields))) =
        (&mut document, serde_json::to_value(sbom))
    {
        document.extend(fields);
    }
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
