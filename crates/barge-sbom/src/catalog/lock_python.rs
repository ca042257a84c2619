//! What Python projects ask for by `requirements*.txt` (pip, "Requirements file format") and `Pipfile.lock` (Pipenv);
//! their TOML lock files are in [`super::lock_toml`]. Only exact versions count: a range is no version.

use serde_json::Value;

use super::lines::{self, Named, exactly};
use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Begins("requirements")], |file| {
        lines::packages(file, PackageKind::Pypi, requirement)
    })
    .accepts(|file| file.name.ends_with(b".txt"))
    .declared(),
    Recognizer::new(&[Name::Is("Pipfile.lock")], pipfile).declared(),
];

/// `name[extra]==1.0 ; marker --hash=...`.
fn requirement(line: &str) -> Named {
    if line.starts_with(['#', '-']) {
        return None;
    }
    let need = line.split([';', '#']).next()?.split(" --").next()?;
    let (name, version) = need.split_once("===").or_else(|| need.split_once("=="))?;
    let name = name.split('[').next()?;
    let version = version
        .split([',', ' ', '\\'])
        .find(|part| !part.is_empty())?;
    (!version.contains('*')).then(|| exactly(name, version))
}

fn pipfile(file: &File<'_>) -> Examined {
    let json: Value = file.json()?;
    let sections = ["default", "develop"]
        .into_iter()
        .filter_map(|name| json.get(name)?.as_object());
    let package = |(name, entry): (&String, &Value)| {
        let version = entry.get("version")?.as_str()?.strip_prefix("==")?;
        Some(Found::new(PackageKind::Pypi, name, version))
    };
    Ok(Says::Packages(
        sections.flatten().filter_map(package).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_versions_count() {
        let cases = [
            (
                "certifi==2023.7.22 --hash=sha256:x",
                Some(("certifi", "2023.7.22")),
            ),
            (
                "requests[socks]==2.31.0 ; python_version > '3'",
                Some(("requests", "2.31.0")),
            ),
            ("docutils>=0.20", None),
            ("-e ./local", None),
        ];
        lines::assert_read(requirement, &cases);
    }
}
