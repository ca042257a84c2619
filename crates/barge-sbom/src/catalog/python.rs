//! Python: installed distributions by their core metadata (packaging.python.org, "Core metadata", "Recording installed
//! projects"): `*.dist-info/METADATA`, `*.egg-info/PKG-INFO`, `*.egg-info` files, `EGG-INFO/PKG-INFO` of eggs.
//!
//! Wheels that lie about as files are not installed and not read.

use barge_image::layer::FileHead;

use super::{Name, Recognizer};
use crate::finding::{Found, Says};
use crate::license;
use crate::package::PackageKind;
use crate::purl::pypi_name;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Is("METADATA"), Name::Is("PKG-INFO")], |file| {
        file.text().map(|text| Says::Packages(metadata(&text)))
    })
    .accepts(is_installed),
    Recognizer::new(&[Name::Extension("egg-info")], |file| {
        file.text().map(|text| Says::Packages(metadata(&text)))
    }),
];

fn is_installed(file: &FileHead<'_>) -> bool {
    let directory = file.directory.to_ascii_lowercase();
    let ends = |suffix: &[u8]| directory.ends_with(suffix);
    match file.name {
        b"METADATA" => ends(b".dist-info"),
        _ => ends(b".egg-info") || ends(b".egg/egg-info") || ends(b".dist-info"),
    }
}

/// Reads the header of a metadata file; what follows the first empty line is prose.
fn metadata(text: &str) -> Vec<Found> {
    let mut headers: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push('\n');
                value.push_str(line.trim());
            }
        } else if let Some((key, value)) = line.split_once(':') {
            headers.push((key.trim(), value.trim().to_owned()));
        }
    }
    let all = |key: &'static str| {
        let same = move |header: &&(&str, String)| header.0.eq_ignore_ascii_case(key);
        headers.iter().filter(same).map(|(_, value)| value.as_str())
    };
    let one = |key| all(key).find(|value| !value.is_empty() && *value != "UNKNOWN");
    let (Some(name), Some(version)) = (one("Name"), one("Version")) else {
        return Vec::new();
    };
    let mut found = Found::new(PackageKind::Pypi, name, version);
    found.licenses = match (one("License-Expression"), one("License")) {
        (Some(expression), _) => vec![license::normalize(expression)],
        (None, Some(text)) => vec![license::normalize(text)],
        (None, None) => all("Classifier").filter_map(classified_license).collect(),
    };
    found.requires = all("Requires-Dist")
        .filter_map(requirement)
        .map(|name| vec![name])
        .collect();
    found.fact("homepage", one("Home-page").unwrap_or_default());
    found.fact(
        "author",
        one("Author")
            .or_else(|| one("Author-email"))
            .unwrap_or_default(),
    );
    vec![found]
}

/// The name that a requirement asks for, unless only an extra does.
fn requirement(text: &str) -> Option<String> {
    let (need, marker) = text.split_once(';').unwrap_or((text, ""));
    if marker.contains("extra ") || marker.contains("extra=") {
        return None;
    }
    let end = need.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c));
    let name = need[..end.unwrap_or(need.len())].trim();
    Some(pypi_name(name)).filter(|name| !name.is_empty())
}

fn classified_license(classifier: &str) -> Option<String> {
    let name = classifier
        .strip_prefix("License ::")?
        .rsplit("::")
        .next()?
        .trim();
    if name == "OSI Approved" {
        return None;
    }
    Some(license::normalize(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_headers_only() {
        let text = "Metadata-Version: 2.1\nName: Zope.Interface\nVersion: 5.0\nLicense: MIT License\n more\n\
Classifier: License :: OSI Approved :: MIT License\nRequires-Dist: a_b[x]>=1; python_version>'3'\n\
Requires-Dist: c; extra == 'test'\n\nName: other\nVersion: 9\n";
        let found = &metadata(text)[0];
        assert_eq!(
            (found.name.as_str(), found.version.as_str()),
            ("Zope.Interface", "5.0")
        );
        assert_eq!(found.licenses, ["MIT License"]);
        assert_eq!(found.requires, [["a-b"]]);
        assert!(metadata("Name: x\n\nVersion: 1").is_empty());
        assert!(metadata("Name: x\nVersion: UNKNOWN").is_empty());
    }
}
