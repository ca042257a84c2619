//! Arch Linux: `lib/pacman/local/*/desc`, with `files` for ownership (pacman, `lib/libalpm/be_local.c`).

use std::collections::BTreeMap;

use super::{Name, Recognizer};
use crate::finding::{Found, Says};
use crate::license;
use crate::package::{PackageKind, SourcePackage};

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Is("desc")], |file| {
        let text = file.text()?;
        Ok(Says::Packages(package(&text).into_iter().collect()))
    })
    .accepts(|file| is_local(file.directory)),
    Recognizer::new(&[Name::Is("files")], |file| {
        let text = file.text()?;
        let files = sections(&text).remove("FILES").unwrap_or_default();
        Ok(Says::Files(files.into_iter().map(str::to_owned).collect()))
    })
    .accepts(|file| is_local(file.directory)),
];

fn is_local(directory: &[u8]) -> bool {
    let mut parents = directory.rsplit(|byte| *byte == b'/').skip(1);
    parents.next() == Some(b"local") && parents.next() == Some(b"pacman")
}

/// `%NAME%` lines, each followed by its values until an empty line.
fn sections(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = None;
    for line in text.lines() {
        let heading = line
            .strip_prefix('%')
            .and_then(|rest| rest.strip_suffix('%'));
        match (heading, current) {
            (Some(name), _) => current = Some(name),
            (None, _) if line.is_empty() => current = None,
            (None, Some(name)) => sections.entry(name).or_default().push(line),
            (None, None) => {}
        }
    }
    sections
}

fn package(text: &str) -> Option<Found> {
    let sections = sections(text);
    let all = |key: &str| sections.get(key).cloned().unwrap_or_default();
    let one = |key: &str| sections.get(key).and_then(|values| values.first().copied());
    let (name, version) = (one("NAME")?, one("VERSION")?);
    let mut found = Found::new(PackageKind::Alpm, name, version);
    found.architecture = one("ARCH").map(str::to_owned);
    found.source = Some(SourcePackage {
        name: one("BASE").unwrap_or(name).to_owned(),
        version: version.to_owned(),
    });
    found.licenses = all("LICENSE").into_iter().map(license::normalize).collect();
    let bare = |need: &str| {
        let end = need.find(['=', '<', '>', ':']).unwrap_or(need.len());
        need[..end].to_owned()
    };
    found.requires = all("DEPENDS")
        .into_iter()
        .map(|need| vec![bare(need)])
        .collect();
    found.provides = all("PROVIDES").into_iter().map(bare).collect();
    found.fact("maintainer", one("PACKAGER").unwrap_or_default());
    found.fact("homepage", one("URL").unwrap_or_default());
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sections() {
        let found = package("%NAME%\nglibc\n\n%VERSION%\n1:2.39-1\n\n%BASE%\nglibc\n\n%DEPENDS%\nlinux-api-headers>=4.10\ntzdata\n\n%ARCH%\nx86_64\n").unwrap();
        assert_eq!(found.version, "1:2.39-1");
        assert_eq!(found.requires, [["linux-api-headers"], ["tzdata"]]);
        assert!(package("%NAME%\nx\n").is_none());
    }
}
