//! OpenWrt and relatives: opkg's `lib/opkg/status` and `lib/opkg/info/*.control`, in dpkg's format.

use super::deb822::{Stanza, relations};
use super::{Name, Place, Recognizer, directory_ends_with};
use crate::finding::{Found, Says};
use crate::license;
use crate::package::{PackageKind, SourcePackage};

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Is("status")], |file| {
        file.text().map(|text| Says::Packages(packages(&text)))
    })
    .accepts(|file| directory_ends_with(file, "opkg"))
    .place(Place::Files(&["lib/opkg/status"])),
    Recognizer::new(&[Name::Extension("control")], |file| {
        file.text().map(|text| Says::Packages(packages(&text)))
    })
    .accepts(|file| directory_ends_with(file, "opkg/info"))
    .place(Place::In(&["lib/opkg/info"])),
    Recognizer::new(&[Name::Extension("list")], |file| {
        let text = file.text()?;
        let path = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
        Ok(Says::Files(text.lines().map(path).collect()))
    })
    .accepts(|file| directory_ends_with(file, "opkg/info"))
    .place(Place::In(&["lib/opkg/info"])),
];

fn packages(text: &str) -> Vec<Found> {
    Stanza::all(text).iter().filter_map(package).collect()
}

fn package(stanza: &Stanza<'_>) -> Option<Found> {
    let status = stanza.get("Status").unwrap_or_default();
    if matches!(
        status.split_whitespace().nth(2),
        Some("not-installed" | "config-files")
    ) {
        return None;
    }
    let (name, version) = (stanza.get("Package")?, stanza.get("Version")?);
    let mut found = Found::new(PackageKind::Opkg, name, version);
    found.architecture = stanza.get("Architecture").map(str::to_owned);
    found.licenses = stanza
        .get("License")
        .map(license::normalize)
        .into_iter()
        .collect();
    found.requires = relations(stanza.get("Depends").unwrap_or_default());
    found.provides = relations(stanza.get("Provides").unwrap_or_default()).concat();
    // OpenWrt names the source's folder: `package/libs/zlib`.
    let source = stanza
        .get("SourceName")
        .or_else(|| stanza.get("Source")?.rsplit('/').next());
    found.source = source.map(|name| SourcePackage {
        name: name.to_owned(),
        version: version.to_owned(),
    });
    found.fact("maintainer", stanza.get("Maintainer").unwrap_or_default());
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removed_packages_do_not_count() {
        let text = "Package: a\nVersion: 1\nStatus: install user installed\n\n\
Package: b\nVersion: 1\nStatus: deinstall hold not-installed\n";
        assert_eq!(packages(text).len(), 1);
    }
}
