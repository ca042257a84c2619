//! Debian and relatives: dpkg's database `lib/dpkg/status`, and `lib/dpkg/status.d/*` of distroless images
//! (dpkg-query(1), deb-control(5)); file lists `info/*.list` or `status.d/*.md5sums` for ownership; licences from
//! `usr/share/doc/*/copyright` (DEP-5 and plain).
//!
//! A stanza whose third `Status` word is `not-installed` or `config-files` is no package; one of `status.d` has no status.

use barge_image::layer::FileHead;

use super::deb822::{Stanza, relations};
use super::{Name, Place, Recognizer, directory_ends_with};
use crate::finding::{Examined, File, Found, Says};
use crate::license;
use crate::package::{PackageKind, SourcePackage};

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    // Not by directory: the database may have been moved and linked.
    Recognizer::new(&[Name::Is("status")], |file| {
        file.text().map(|text| Says::Packages(packages(&text)))
    })
    .accepts(|file| file.head.starts_with(b"Package: ") && !is_of_another(file))
    .place(Place::Files(&["lib/dpkg/status"])),
    Recognizer::new(&[Name::Extension("list")], list)
        .accepts(|file| directory_ends_with(file, "info"))
        .place(Place::In(&["lib/dpkg/info"])),
    Recognizer::new(&[Name::Extension("md5sums")], checksums)
        .accepts(|file| directory_ends_with(file, "status.d"))
        .place(Place::In(&["lib/dpkg/status.d"])),
    Recognizer::new(&[Name::In("status.d")], |file| {
        file.text().map(|text| Says::Packages(packages(&text)))
    })
    .accepts(|file| file.head.starts_with(b"Package: "))
    .place(Place::In(&["lib/dpkg/status.d"])),
    Recognizer::new(&[Name::Is("copyright")], copyright).accepts(|file| {
        let before = file.directory.rsplitn(2, |byte| *byte == b'/').nth(1);
        before.is_some_and(|before| super::path_ends_with(before, b"usr/share/doc"))
    }),
];

/// Other package managers took dpkg's format over.
fn is_of_another(file: &FileHead<'_>) -> bool {
    directory_ends_with(file, "opkg") || directory_ends_with(file, "vcpkg")
}

/// Packages of a database in this format.
fn packages(text: &str) -> Vec<Found> {
    Stanza::all(text).iter().filter_map(package).collect()
}

fn package(stanza: &Stanza<'_>) -> Option<Found> {
    let state = stanza
        .get("Status")
        .and_then(|status| status.split_whitespace().nth(2));
    if matches!(state, Some("not-installed" | "config-files")) {
        return None;
    }
    let (name, version) = (stanza.get("Package")?, stanza.get("Version")?);
    let mut found = Found::new(PackageKind::Deb, name, version);
    found.architecture = stanza.get("Architecture").map(str::to_owned);
    found.source = Some(source(stanza.get("Source"), name, version));
    for field in ["Pre-Depends", "Depends"] {
        found
            .requires
            .extend(relations(stanza.get(field).unwrap_or_default()));
    }
    found.provides = relations(stanza.get("Provides").unwrap_or_default()).concat();
    for (fact, field) in [
        ("maintainer", "Maintainer"),
        ("homepage", "Homepage"),
        ("section", "Section"),
    ] {
        found.fact(fact, stanza.get(field).unwrap_or_default());
    }
    Some(found)
}

/// `x (1.2)`, `x`, or nothing when the source has the binary's name and version.
fn source(field: Option<&str>, name: &str, version: &str) -> SourcePackage {
    let field = field.unwrap_or(name);
    let (source, rest) = field.split_once(' ').unwrap_or((field, ""));
    let stated = rest
        .trim()
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    SourcePackage {
        name: source.to_owned(),
        version: stated.unwrap_or(version).to_owned(),
    }
}

fn list(file: &File<'_>) -> Examined {
    let text = file.text()?;
    Ok(Says::Files(
        text.lines()
            .map(|line| line.trim_start_matches('/').to_owned())
            .collect(),
    ))
}

/// `MD5  usr/bin/x` lines.
fn checksums(file: &File<'_>) -> Examined {
    let text = file.text()?;
    let paths = text.lines().filter_map(|line| line.split_once("  "));
    Ok(Says::Files(
        paths
            .map(|(_, path)| path.trim_start_matches('/').to_owned())
            .collect(),
    ))
}

/// `License:` fields of a machine-readable file, else the texts in `common-licenses` that it points to.
fn copyright(file: &File<'_>) -> Examined {
    let text = file.text()?;
    let machine_readable = text
        .lines()
        .take(20)
        .any(|line| line.starts_with("Format:"));
    let fields = text
        .lines()
        .filter_map(|line| line.strip_prefix("License:"))
        .map(str::trim)
        .filter(|_| machine_readable);
    let mut licenses: Vec<String> = fields.map(license::from_debian).collect();
    if licenses.is_empty() {
        licenses = text
            .split("/usr/share/common-licenses/")
            .skip(1)
            .map(|rest| {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-.".contains(c));
                rest[..end.unwrap_or(rest.len())].trim_end_matches('.')
            })
            .map(license::from_debian)
            .collect();
    }
    licenses.retain(|license| !license.is_empty());
    licenses.sort();
    licenses.dedup();
    Ok(Says::Licenses(licenses))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "\
Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\nVersion: 2.41-12\n\
Pre-Depends: libgcc-s1\nDepends: x | y (>= 2)\nProvides: libc6-2.41\n\n\
Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\
Package: never\nStatus: purge ok not-installed\nVersion: 1\n\n\
Package: half\nStatus: install ok half-configured\nVersion: 1:2-3+b1\nSource: whole (1:2-3)\n\n\
Package: static\nVersion: 5\n\n\
Package: broken\nStatus: install ok installed\n";

    #[test]
    fn counts_what_is_unpacked_or_has_no_status() {
        let found = packages(STATUS);
        let names: Vec<_> = found.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, ["libc6", "half", "static"]);
    }

    #[test]
    fn knows_source_packages() {
        let sources: Vec<_> = packages(STATUS)
            .into_iter()
            .filter_map(|found| found.source)
            .map(|source| (source.name, source.version))
            .collect();
        let expected = [("glibc", "2.41-12"), ("whole", "1:2-3"), ("static", "5")];
        let expected = expected.map(|(name, version)| (name.to_owned(), version.to_owned()));
        assert_eq!(sources, expected);
    }

    #[test]
    fn reads_relations() {
        let found = &packages(STATUS)[0];
        assert_eq!(found.requires, [vec!["libgcc-s1"], vec!["x", "y"]]);
        assert_eq!(found.provides, ["libc6-2.41"]);
    }
}
