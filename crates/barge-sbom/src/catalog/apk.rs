//! Alpine and relatives: `lib/apk/db/installed` (wiki.alpinelinux.org, "Apk spec"), also under `usr/` since Alpine 3.23.

use super::{Name, Place, Recognizer};
use crate::finding::{Found, Says};
use crate::license;
use crate::package::{PackageKind, SourcePackage};

pub(super) const RECOGNIZERS: &[Recognizer] =
    &[Recognizer::new(&[Name::Is("installed")], |file| {
        file.text().map(|text| Says::Packages(packages(&text)))
    })
    .accepts(|file| file.head.starts_with(b"C:") || file.head.starts_with(b"P:"))
    .place(Place::Files(&["lib/apk/db/installed"]))];

fn packages(text: &str) -> Vec<Found> {
    text.split("\n\n").filter_map(package).collect()
}

/// `K:value` lines; `F:` opens a directory, `R:` is a file in it.
fn package(stanza: &str) -> Option<Found> {
    let fields = || stanza.lines().filter_map(|line| line.split_once(':'));
    let one = |key: &str| {
        let value = fields().find(|(name, _)| *name == key)?.1.trim();
        Some(value).filter(|value| !value.is_empty())
    };
    let (name, version) = (one("P")?, one("V")?);
    let mut found = Found::new(PackageKind::Apk, name, version);
    found.architecture = one("A").map(str::to_owned);
    found.source = Some(SourcePackage {
        name: one("o").unwrap_or(name).to_owned(),
        version: version.to_owned(),
    });
    found.licenses = one("L").map(license::normalize).into_iter().collect();
    let names = |key: &str| -> Vec<String> {
        let words = one(key).unwrap_or_default().split_whitespace();
        words
            .filter(|word| !word.starts_with('!'))
            .map(bare)
            .collect()
    };
    found.requires = names("D").into_iter().map(|name| vec![name]).collect();
    found.provides = names("p");
    found.fact("maintainer", one("m").unwrap_or_default());
    found.fact("homepage", one("U").unwrap_or_default());
    found.fact("description", one("T").unwrap_or_default());
    let mut directory = "";
    for (key, value) in fields() {
        match key {
            "F" => directory = value,
            "R" if directory.is_empty() => found.files.push(value.to_owned()),
            "R" => found.files.push(format!("{directory}/{value}")),
            _ => {}
        }
    }
    Some(found)
}

/// `so:libc.musl-x86_64.so.1=1` and `musl>=1.2` without what comes after the name.
fn bare(word: &str) -> String {
    let end = word.find(['=', '<', '>', '~']).unwrap_or(word.len());
    word[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_packages_files_and_relations() {
        let text = "C:Q1x=\nP:libcrypto3\nV:3.1.4-r5\nA:x86_64\nL:Apache-2.0\no:openssl\n\
D:so:libc.musl-x86_64.so.1 !bad a>=1\np:so:libcrypto.so.3=3\nF:lib\nR:libcrypto.so.3\nF:\nR:x\n\nP:a\nV:1-r0\n\nP:none\n";
        let found = packages(text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].source.as_ref().unwrap().name, "openssl");
        assert_eq!(found[0].files, ["lib/libcrypto.so.3", "x"]);
        assert_eq!(found[0].requires, [["so:libc.musl-x86_64.so.1"], ["a"]]);
        assert_eq!(found[0].provides, ["so:libcrypto.so.3"]);
    }
}
