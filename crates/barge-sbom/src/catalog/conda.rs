//! Conda: `conda-meta/*.json`, one file a package of an environment (conda documentation, "Package specification").

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Name, Recognizer, directory_ends_with};
use crate::finding::{Examined, File, Found, Says};
use crate::license;
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] =
    &[Recognizer::new(&[Name::Extension("json")], record)
        .accepts(|file| directory_ends_with(file, "conda-meta"))];

#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    build: Option<String>,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    subdir: Option<String>,
    #[serde(default)]
    license: Option<String>,
    #[serde(default)]
    depends: Vec<String>,
    #[serde(default)]
    sha256: Option<String>,
    #[serde(flatten)]
    _rest: BTreeMap<String, serde::de::IgnoredAny>,
}

fn record(file: &File<'_>) -> Examined {
    let record: Record = file.json()?;
    if record.name.is_empty() || record.version.is_empty() {
        return Ok(Says::Packages(Vec::new()));
    }
    let mut found = Found::new(PackageKind::Conda, record.name, record.version);
    found.licenses = record
        .license
        .iter()
        .map(|text| license::normalize(text))
        .collect();
    let first_word = |need: &String| {
        need.split_whitespace()
            .next()
            .map(|name| vec![name.to_owned()])
    };
    found.requires = record.depends.iter().filter_map(first_word).collect();
    for (fact, value) in [
        ("build", record.build),
        ("channel", record.channel),
        ("subdir", record.subdir),
    ] {
        found.fact(fact, value.unwrap_or_default());
    }
    found
        .hashes
        .extend(record.sha256.map(|digits| ("SHA-256".to_owned(), digits)));
    Ok(Says::Packages(vec![found]))
}
