//! What Julia projects ask for: `Manifest.toml` of all versions (pkgdocs.julialang.org, "Project.toml and
//! Manifest.toml"). Packages of the standard library have no version of their own there.

use toml::{Table, Value};

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[Recognizer::new(
    &[Name::Is("Manifest.toml"), Name::Is("JuliaManifest.toml")],
    manifest,
)
.declared()];

fn manifest(file: &File<'_>) -> Examined {
    let table: Table = file.text()?.parse()?;
    // Since version 2 the packages lie in a table of their own.
    let packages = match table.get("deps") {
        Some(Value::Table(packages)) => packages,
        _ => &table,
    };
    let entries = packages
        .iter()
        .filter_map(|(name, entries)| Some((name, entries.as_array()?)));
    let found =
        entries.flat_map(|(name, entries)| entries.iter().filter_map(|entry| package(name, entry)));
    Ok(Says::Packages(found.collect()))
}

fn package(name: &str, entry: &Value) -> Option<Found> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let mut found = Found::new(PackageKind::Julia, name, text("version")?);
    found.fact("uuid", text("uuid").unwrap_or_default());
    let needs = entry.get("deps").and_then(Value::as_array);
    let names = needs.into_iter().flatten().filter_map(Value::as_str);
    found.requires = names.map(|name| vec![name.to_owned()]).collect();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_versions_of_the_format() {
        let entry = "]]\nuuid = \"682c06a0\"\nversion = \"0.21.4\"\ndeps = [\"Dates\"]\n";
        let first = format!("[[JSON{entry}\n[[Dates]]\nuuid = \"ade2ca70\"\n");
        let second =
            format!("julia_version = \"1.10.0\"\nmanifest_format = \"2.0\"\n[[deps.JSON{entry}");
        for text in [first, second] {
            let file = File {
                path: "Manifest.toml",
                content: &text.as_bytes().to_vec(),
            };
            let Ok(Says::Packages(found)) = manifest(&file) else {
                panic!("not read");
            };
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!((&*found[0].name, &*found[0].version), ("JSON", "0.21.4"));
        }
    }
}
