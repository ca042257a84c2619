//! Files that ask for at most one package a line.

use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

/// A name and the exact version that is asked for.
pub(super) type Named = Option<(String, String)>;

pub(super) fn packages(file: &File<'_>, kind: PackageKind, read: fn(&str) -> Named) -> Examined {
    let text = file.text()?;
    let mut named: Vec<_> = text.lines().filter_map(|line| read(line.trim())).collect();
    named.sort();
    named.dedup();
    let found = |(name, version)| Found::new(kind, name, version);
    Ok(Says::Packages(named.into_iter().map(found).collect()))
}

pub(super) fn exactly(name: &str, version: &str) -> (String, String) {
    (name.trim().to_owned(), version.trim().to_owned())
}

/// Asserts what a reader makes of lines.
#[cfg(test)]
pub(super) fn assert_read(read: fn(&str) -> Named, cases: &[(&str, Option<(&str, &str)>)]) {
    for (line, expected) in cases {
        let found = read(line);
        let found = found
            .as_ref()
            .map(|(name, version)| (name.as_str(), version.as_str()));
        assert_eq!(found, *expected, "{line}");
    }
}
