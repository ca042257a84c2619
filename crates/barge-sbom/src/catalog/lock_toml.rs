//! Lock files in TOML, which share one shape: an array `package` of tables with `name` and `version`. `Cargo.lock`,
//! `poetry.lock`, `uv.lock`, `pdm.lock` and `pylock.toml` (PEP 751, where the array is `packages`).

use toml::{Table, Value};

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Is("Cargo.lock")], |file| {
        read(file, PackageKind::Cargo)
    })
    .declared(),
    Recognizer::new(
        &[
            Name::Is("poetry.lock"),
            Name::Is("uv.lock"),
            Name::Is("pdm.lock"),
            Name::Begins("pylock."),
        ],
        |file| read(file, PackageKind::Pypi),
    )
    .declared(),
];

fn read(file: &File<'_>, kind: PackageKind) -> Examined {
    let table: Table = file.text()?.parse()?;
    let list = |name: &str| {
        table
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let packages = list("package").chain(list("packages"));
    Ok(Says::Packages(
        packages.filter_map(|entry| package(entry, kind)).collect(),
    ))
}

fn package(entry: &Value, kind: PackageKind) -> Option<Found> {
    let text = |key: &str| {
        entry
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    // The project itself is in its own lock file, without a version that anyone could get.
    let source = entry.get("source").and_then(Value::as_table);
    if source
        .is_some_and(|source| source.contains_key("virtual") || source.contains_key("editable"))
    {
        return None;
    }
    let mut found = Found::new(kind, text("name")?, text("version")?);
    found.requires = match entry.get("dependencies") {
        // Cargo: "name", "name version" or "name version (source)".
        Some(Value::Array(needs)) => needs
            .iter()
            .filter_map(|need| match need {
                Value::String(need) => need.split(' ').next(),
                need => need.get("name").and_then(Value::as_str),
            })
            .map(|name| vec![name.to_owned()])
            .collect(),
        Some(Value::Table(needs)) => needs.keys().map(|name| vec![name.clone()]).collect(),
        _ => Vec::new(),
    };
    found.fact("checksum", text("checksum").unwrap_or_default());
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_dialects() {
        let cargo = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\"b\", \"c 2.0.0\"]\n[[package]]\nname = \"b\"\nversion = \"0.1.0\"\n";
        let uv = "[[package]]\nname = \"app\"\nversion = \"0\"\nsource = { virtual = \".\" }\n[[package]]\nname = \"httptools\"\nversion = \"0.6.1\"\ndependencies = [{ name = \"x\" }]\n";
        for (text, kind, count, needs) in [
            (cargo, PackageKind::Cargo, 2, vec![vec!["b"], vec!["c"]]),
            (uv, PackageKind::Pypi, 1, vec![vec!["x"]]),
        ] {
            let file = File {
                path: "lock",
                content: &text.as_bytes().to_vec(),
            };
            let Ok(Says::Packages(found)) = read(&file, kind) else {
                panic!("not read");
            };
            assert_eq!(found.len(), count);
            assert_eq!(found[0].requires, needs);
        }
    }
}
