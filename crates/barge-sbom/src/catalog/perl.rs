//! Perl: what cpanm and cpm note of each installed distribution, `.meta/NAME-VERSION/install.json` (App::cpanminus).
//! Its `pathname` names the author, whom a package URL of type `cpan` needs.

use serde::Deserialize;

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] =
    &[Recognizer::new(&[Name::Is("install.json")], install)
        .accepts(|file| file.directory.rsplit(|byte| *byte == b'/').nth(1) == Some(b".meta"))];

#[derive(Deserialize)]
struct Install {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: serde_json::Value,
    #[serde(default)]
    dist: Option<String>,
    #[serde(default)]
    pathname: Option<String>,
}

fn install(file: &File<'_>) -> Examined {
    let install: Install = file.json()?;
    let dist = install.dist.unwrap_or_default();
    let name = install.name.replace("::", "-");
    // `Name-Version`, which says more than the module's own version.
    let from_dist = dist
        .strip_prefix(&name)
        .and_then(|rest| rest.strip_prefix('-'));
    let version = match (&install.version, from_dist) {
        (_, Some(version)) => version.to_owned(),
        (serde_json::Value::String(version), None) => version.clone(),
        (serde_json::Value::Number(version), None) => version.to_string(),
        _ => String::new(),
    };
    if name.is_empty() || version.is_empty() {
        return Ok(Says::Packages(Vec::new()));
    }
    let mut found = Found::new(PackageKind::Cpan, name, version.trim_start_matches('v'));
    // `E/ET/ETHER/Name-1.0.tar.gz`.
    let author = install
        .pathname
        .as_deref()
        .and_then(|path| path.rsplit('/').nth(1));
    found.fact("namespace", author.unwrap_or_default());
    Ok(Says::Packages(vec![found]))
}
