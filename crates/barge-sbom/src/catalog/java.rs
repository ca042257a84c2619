//! Java: archives (jar, war, ear, ...) nested to any depth up to a limit.
//!
//! Who an archive is: `pom.properties`, else `pom.xml`, else the manifest, else the file's name. One archive may hold
//! several poms: the one that the file's name or the manifest agrees with is the archive, the others were shaded into it.
//! A group is never invented: only a pom states one, or a manifest's `Implementation-Vendor-Id`.

use std::io;

use barge_image::digest::hex;
use barge_image::layer::Content;
use sha1::{Digest as _, Sha1};

use super::java_manifest::{Manifest, from_manifest};
use super::maven;
use super::{Name, Recognizer};
use crate::archive::zip::{Archive, Entry};
use crate::finding::{Examined, File, Found, Refusal, Says};
use crate::license;
use crate::package::PackageKind;

const EXTENSIONS: [&str; 13] = [
    "jar", "war", "ear", "par", "sar", "nar", "jpi", "hpi", "kar", "far", "lpkg", "rar", "zap",
];
/// How deep archives in archives are opened.
const DEPTH_LIMIT: usize = 8;
/// The largest nested archive that is unpacked, and how much all of them may unpack to, in bytes.
const NESTED_LIMIT: u64 = 256 << 20;
const UNPACK_LIMIT: u64 = 1 << 30;
const TEXT_LIMIT: u64 = 4 << 20;

pub(super) const RECOGNIZERS: &[Recognizer] = &[Recognizer::new(
    &[
        Name::Extension("jar"),
        Name::Extension("war"),
        Name::Extension("ear"),
        Name::Extension("par"),
        Name::Extension("sar"),
        Name::Extension("nar"),
        Name::Extension("jpi"),
        Name::Extension("hpi"),
        Name::Extension("kar"),
        Name::Extension("far"),
        Name::Extension("lpkg"),
        Name::Extension("rar"),
        Name::Extension("zap"),
    ],
    archive,
)
// A start script may come first.
.accepts(|file| file.head.starts_with(b"PK") || file.head.starts_with(b"#!"))];

fn archive(file: &File<'_>) -> Examined {
    let mut walk = Walk {
        found: Vec::new(),
        refused: None,
        left: UNPACK_LIMIT,
    };
    walk.open(file.content, file.name(), &[], None)?;
    Ok(match walk.refused {
        None => Says::Packages(walk.found),
        Some(reason) => Says::Part(walk.found, reason),
    })
}

/// One archive of the image, and those in it.
struct Walk {
    found: Vec<Found>,
    /// The first entry that could not be read, and why. It costs itself only: one entry must not hide the others.
    refused: Option<String>,
    /// Bytes that may still be unpacked.
    left: u64,
}

impl Walk {
    /// Reads an archive. `inside` are the names of the entries that lead to it.
    fn open(
        &mut self,
        content: &dyn Content,
        file_name: &str,
        inside: &[&str],
        part_of: Option<u32>,
    ) -> Result<(), Refusal> {
        let archive = Archive::open(content)?;
        let manifest = self.manifest(&archive, inside);
        let poms = self.poms(&archive, inside);
        let hash = sha1(content)?;
        let main = self.add(file_name, &manifest, &poms, inside, part_of, &hash);
        for entry in archive
            .entries
            .iter()
            .filter(|entry| is_archive(&entry.name))
        {
            if inside.len() + 1 >= DEPTH_LIMIT {
                let deeper = Refusal::new(format!("archives nested deeper than {DEPTH_LIMIT}"));
                self.refuse(inside, entry, &deeper);
                continue;
            }
            let bytes = match self.unpack(&archive, entry, NESTED_LIMIT) {
                Ok(bytes) => bytes,
                Err(refusal) => {
                    self.refuse(inside, entry, &refusal);
                    continue;
                }
            };
            let name = entry.name.rsplit('/').next().unwrap_or(&entry.name);
            let path = [inside, &[entry.name.as_str()]].concat();
            match self.open(&bytes, name, &path, main.or(part_of)) {
                Err(refusal) if bytes.starts_with(b"PK") => self.refuse(inside, entry, &refusal),
                // A file that is only called so is no archive.
                _ => {}
            }
        }
        Ok(())
    }

    /// Notes an entry that cannot be read.
    fn refuse(&mut self, inside: &[&str], entry: &Entry, refusal: &Refusal) {
        if self.refused.is_none() {
            let path = [inside, &[entry.name.as_str()]].concat().join("!/");
            self.refused = Some(format!("`{path}`: {}", refusal.0));
        }
    }

    fn unpack(
        &mut self,
        archive: &Archive<'_>,
        entry: &Entry,
        limit: u64,
    ) -> Result<Vec<u8>, Refusal> {
        let bytes = archive.read(entry, limit.min(self.left))?;
        self.left -= bytes.len() as u64;
        Ok(bytes)
    }

    /// A small file; nothing of one that cannot be read.
    fn text(&mut self, archive: &Archive<'_>, entry: &Entry, inside: &[&str]) -> String {
        match self.unpack(archive, entry, TEXT_LIMIT) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(refusal) => {
                self.refuse(inside, entry, &refusal);
                String::new()
            }
        }
    }

    fn manifest(&mut self, archive: &Archive<'_>, inside: &[&str]) -> Manifest {
        let entry = archive
            .entries
            .iter()
            .find(|entry| entry.name == "META-INF/MANIFEST.MF");
        let text = entry.map(|entry| self.text(archive, entry, inside));
        Manifest::parse(&text.unwrap_or_default())
    }

    /// The coordinates under `META-INF/maven`: from `pom.properties` where there is one, else from `pom.xml`.
    fn poms(&mut self, archive: &Archive<'_>, inside: &[&str]) -> Vec<maven::Coordinates> {
        let mut poms = Vec::new();
        let named = |entry: &&Entry, name: &str| {
            let path = entry.name.strip_prefix("META-INF/maven/");
            path.and_then(|path| path.strip_suffix(name))
                .is_some_and(|folder| folder.ends_with('/'))
        };
        let mut folders = Vec::new();
        for entry in archive
            .entries
            .iter()
            .filter(|entry| named(entry, "pom.properties"))
        {
            let text = self.text(archive, entry, inside);
            poms.extend(maven::from_properties(&text));
            folders.push(entry.name.trim_end_matches("pom.properties"));
        }
        for entry in archive
            .entries
            .iter()
            .filter(|entry| named(entry, "pom.xml"))
        {
            let text = self.text(archive, entry, inside);
            let coordinates = maven::from_pom(&text);
            if folders.contains(&entry.name.trim_end_matches("pom.xml")) {
                let known = coordinates.and_then(|read| {
                    let same = |pom: &&mut maven::Coordinates| pom.artifact == read.artifact;
                    Some((poms.iter_mut().find(same)?, read.licenses))
                });
                if let Some((pom, licenses)) = known {
                    pom.licenses = licenses;
                }
            } else {
                poms.extend(coordinates);
            }
        }
        poms.sort();
        poms.dedup();
        poms
    }

    /// Notes the packages of one archive and says which is the archive itself.
    fn add(
        &mut self,
        file_name: &str,
        manifest: &Manifest,
        poms: &[maven::Coordinates],
        inside: &[&str],
        part_of: Option<u32>,
        hash: &str,
    ) -> Option<u32> {
        let path = (!inside.is_empty()).then(|| inside.join("!/"));
        let (stem, stem_version) = split_name(file_name);
        let main = main_pom(poms, stem, manifest);
        let mut main_found = match main.and_then(|at| poms.get(at)) {
            Some(pom) => Some(from_pom(pom)),
            None if poms.is_empty() => from_manifest(manifest, stem, stem_version),
            None => None,
        };
        let mut number = None;
        if let Some(found) = &mut main_found {
            found.inside.clone_from(&path);
            found.part_of = part_of;
            found.hashes.insert("SHA-1".into(), hash.to_owned());
            if found.licenses.is_empty() {
                found
                    .licenses
                    .extend(manifest.get("Bundle-License").map(license::normalize));
            }
            number = u32::try_from(self.found.len()).ok();
            self.found.push(found.clone());
        }
        let others = poms.iter().enumerate().filter(|(at, _)| Some(*at) != main);
        for (_, pom) in others {
            let mut found = from_pom(pom);
            found.inside.clone_from(&path);
            found.part_of = number.or(part_of);
            self.found.push(found);
        }
        number
    }
}

fn is_archive(name: &str) -> bool {
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

fn sha1(content: &dyn Content) -> io::Result<String> {
    let mut hasher = Sha1::new();
    let mut buffer = vec![0; 64 << 10];
    let mut offset = 0;
    loop {
        let read = content.read_at(offset, &mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        offset += read as u64;
    }
    Ok(hex(&hasher.finalize()))
}

/// The pom that the archive is: the only one, or the one whose artifact the file's name begins with or the manifest names.
fn main_pom(poms: &[maven::Coordinates], stem: &str, manifest: &Manifest) -> Option<usize> {
    if poms.len() == 1 {
        return Some(0);
    }
    let names = [
        "Bundle-SymbolicName",
        "Implementation-Title",
        "Automatic-Module-Name",
    ];
    let exact = poms.iter().position(|pom| pom.artifact == stem);
    exact
        .or_else(|| {
            poms.iter().position(|pom| {
                let full = format!("{}.{}", pom.group, pom.artifact);
                names
                    .iter()
                    .filter_map(|name| manifest.get(name))
                    .any(|text| {
                        let text = text.split(';').next().unwrap_or_default().trim();
                        text == pom.artifact || text == full
                    })
            })
        })
        .or_else(|| {
            let longest = poms
                .iter()
                .enumerate()
                .filter(|(_, pom)| stem.starts_with(&pom.artifact));
            longest
                .max_by_key(|(_, pom)| pom.artifact.len())
                .map(|(at, _)| at)
        })
}

fn from_pom(pom: &maven::Coordinates) -> Found {
    let name = if pom.group.is_empty() {
        pom.artifact.clone()
    } else {
        format!("{}:{}", pom.group, pom.artifact)
    };
    let mut found = Found::new(PackageKind::Maven, name, &pom.version);
    found.licenses = pom
        .licenses
        .iter()
        .map(|text| license::normalize(text))
        .collect();
    found
}

/// `commons-io-2.11.0.jar` is `commons-io` and `2.11.0`: the version begins at the first hyphen before a digit.
fn split_name(file_name: &str) -> (&str, Option<&str>) {
    let stem = file_name
        .rsplit_once('.')
        .map_or(file_name, |(stem, _)| stem);
    let mut hyphens = stem.match_indices('-').map(|(at, _)| at);
    match hyphens.find(|at| stem[at + 1..].starts_with(|c: char| c.is_ascii_digit())) {
        Some(at) => (&stem[..at], Some(&stem[at + 1..])),
        None => (stem, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::zip::tests::archive as zip;

    fn read(name: &str, bytes: &Vec<u8>) -> Vec<Found> {
        let file = File {
            path: name,
            content: bytes,
        };
        match archive(&file) {
            Ok(Says::Packages(found)) => found,
            other => panic!("{:?}", other.map_err(|refusal| refusal.0)),
        }
    }

    fn names(name: &str, bytes: &Vec<u8>) -> Vec<String> {
        let found = read(name, bytes);
        found
            .iter()
            .map(|found| format!("{}@{}", found.name, found.version))
            .collect()
    }

    fn pom(group: &str, artifact: &str, version: &str) -> (String, String) {
        let path = format!("META-INF/maven/{group}/{artifact}/pom.properties");
        (
            path,
            format!("#x\ngroupId={group}\nartifactId={artifact}\nversion={version}\n"),
        )
    }

    #[test]
    fn poms_come_before_the_manifest_and_the_manifest_before_the_name() {
        let manifest = b"Manifest-Version: 1.0\r\nImplementation-Version: 4.3.30.REL\r\n EASE\r\n\r\nName: x\r\n";
        let plain = zip(&[("META-INF/MANIFEST.MF", manifest)]);
        assert_eq!(
            names("spring3-core-3.x.jar", &plain),
            ["spring3-core@4.3.30.RELEASE"]
        );
        let unbuilt = zip(&[(
            "META-INF/MANIFEST.MF",
            b"Bundle-Version: 3.35.0.qualifier\n",
        )]);
        assert_eq!(names("jdt-core.jar", &unbuilt), ["jdt-core@3.35.0"]);
        assert_eq!(
            names("mystery-lib-0.9.2.jar", &zip(&[("x", b"")])),
            ["mystery-lib@0.9.2"]
        );
        assert!(names("nothing.jar", &zip(&[("x", b"")])).is_empty());
        let (path, text) = pom("org.a", "b", "1.0");
        let with_pom = zip(&[("META-INF/MANIFEST.MF", manifest), (&path, text.as_bytes())]);
        assert_eq!(names("other-9.jar", &with_pom), ["org.a:b@1.0"]);
        let xml = b"<project><parent><groupId>org.p</groupId><version>7</version></parent><artifactId>c</artifactId></project>";
        assert_eq!(
            names("c.jar", &zip(&[("META-INF/maven/org.p/c/pom.xml", xml)])),
            ["org.p:c@7"]
        );
    }

    #[test]
    fn shaded_and_nested_archives_are_parts() {
        let poms = [pom("org.a", "a", "1"), pom("org.b", "b", "2")];
        let poms: Vec<_> = poms
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_bytes()))
            .collect();
        let shaded = zip(&poms);
        let war = zip(&[
            ("WEB-INF/lib/a-1.jar", &shaded),
            ("WEB-INF/lib/not.jar", b"no archive"),
        ]);
        let found = read("shop-3.0.war", &war);
        let parts: Vec<_> = found
            .iter()
            .map(|found| (found.name.as_str(), found.part_of, found.inside.as_deref()))
            .collect();
        let inside = Some("WEB-INF/lib/a-1.jar");
        assert_eq!(
            parts,
            [
                ("shop", None, None),
                ("org.a:a", Some(0), inside),
                ("org.b:b", Some(1), inside)
            ]
        );
    }

    #[test]
    fn archives_nested_too_deep_are_refused() {
        let mut bytes = zip(&[("x", b"1")]);
        for _ in 0..10 {
            bytes = zip(&[("in.jar", &bytes)]);
        }
        let file = File {
            path: "a.jar",
            content: &bytes,
        };
        let Ok(Says::Part(found, reason)) = archive(&file) else {
            panic!("it is read in part");
        };
        assert!(found.is_empty());
        assert!(reason.ends_with("nested deeper than 8"), "{reason}");
    }

    #[test]
    fn an_entry_that_cannot_be_read_hides_no_other() {
        let log4j = zip(&[pom("org.apache.logging.log4j", "log4j-core", "2.14.1")]
            .each_ref()
            .map(|(path, text)| (path.as_str(), text.as_bytes())));
        let bytes = zip(&[
            ("WEB-INF/lib/aa.jar", b"PK\x03\x04 broken".as_slice()),
            ("WEB-INF/lib/log4j-core-2.14.1.jar", &log4j),
            ("WEB-INF/lib/zz.jar", b"PK\x03\x04 broken"),
        ]);
        let file = File {
            path: "app.war",
            content: &bytes,
        };
        let Ok(Says::Part(found, reason)) = archive(&file) else {
            panic!("it is read in part");
        };
        let found: Vec<_> = found.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(found, ["org.apache.logging.log4j:log4j-core"]);
        assert!(reason.starts_with("`WEB-INF/lib/aa.jar`: "), "{reason}");
    }
}
