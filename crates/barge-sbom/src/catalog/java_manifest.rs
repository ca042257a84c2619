//! The manifest of a Java archive, and what it says where no pom does.

use crate::finding::Found;
use crate::package::PackageKind;

/// The main section of a manifest (JAR File Specification, "JAR Manifest").
pub(super) struct Manifest(Vec<(String, String)>);

impl Manifest {
    /// Reads the main section.
    pub(super) fn parse(text: &str) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            if let Some(more) = line.strip_prefix(' ') {
                if let Some((_, value)) = fields.last_mut() {
                    value.push_str(more);
                }
            } else if line.trim().is_empty() {
                if !fields.is_empty() {
                    break;
                }
            } else if let Some((key, value)) = line.split_once(':') {
                fields.push((key.to_owned(), value.trim().to_owned()));
            }
        }
        Self(fields)
    }

    /// A field that is not empty, whatever the case of its name.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self
            .0
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(key))?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Without a pom: the artifact is the file's name, the version the manifest's, else the file name's.
pub(super) fn from_manifest(
    manifest: &Manifest,
    stem: &str,
    stem_version: Option<&str>,
) -> Option<Found> {
    let keys = [
        "Implementation-Version",
        "Bundle-Version",
        "Specification-Version",
    ];
    let is_version = |text: &&str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric()) && !text.contains(['$', '{', ' '])
    };
    let stated = keys
        .iter()
        .filter_map(|key| manifest.get(key))
        .find(is_version);
    // What stands there until a build puts its time in its place (Eclipse, PDE).
    let version = stated.or(stem_version)?;
    let version = version.strip_suffix(".qualifier").unwrap_or(version);
    let group = manifest.get("Implementation-Vendor-Id").filter(|group| {
        group.contains('.')
            && group
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
    });
    let name = group.map_or_else(|| stem.to_owned(), |group| format!("{group}:{stem}"));
    let mut found = Found::new(PackageKind::Maven, name, version);
    let vendor = ["Implementation-Vendor", "Bundle-Vendor"]
        .into_iter()
        .find_map(|key| manifest.get(key));
    found.fact("vendor", vendor.unwrap_or_default());
    Some(found)
}
