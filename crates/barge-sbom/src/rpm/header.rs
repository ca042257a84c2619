//! An rpm header as databases keep it (rpm.org, "RPM V4 Package format", without lead and magic): counts, an index of
//! 16-byte rows (tag, type, offset, count), data; numbers are big-endian.

use crate::finding::Found;
use crate::license;
use crate::package::{PackageKind, SourcePackage};

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const VENDOR: u32 = 1011;
const LICENSE: u32 = 1014;
const URL: u32 = 1020;
const ARCH: u32 = 1022;
const SOURCE_RPM: u32 = 1044;
const PROVIDES: u32 = 1047;
const REQUIRES: u32 = 1049;
const DIRECTORY_INDEXES: u32 = 1116;
const BASE_NAMES: u32 = 1117;
const DIRECTORY_NAMES: u32 = 1118;
const MODULARITY: u32 = 5096;

pub(super) enum Package {
    Software(Box<Found>),
    /// Keys for signatures are kept like packages.
    Key,
    Broken,
}

struct Header<'a> {
    index: &'a [u8],
    data: &'a [u8],
}

pub(super) fn package(blob: &[u8]) -> Package {
    let Some(header) = Header::parse(blob) else {
        return Package::Broken;
    };
    let text = |tag| header.strings(tag).next().unwrap_or_default();
    let (name, version, release) = (text(NAME), text(VERSION), text(RELEASE));
    if name == "gpg-pubkey" {
        return Package::Key;
    }
    if name.is_empty() || version.is_empty() {
        return Package::Broken;
    }
    let epoch = header.numbers(EPOCH).next();
    let full = [version.as_str(), release.as_str()].join("-");
    let full = full.trim_end_matches('-');
    let full = epoch.map_or_else(|| full.to_owned(), |epoch| format!("{epoch}:{full}"));
    let mut found = Found::new(PackageKind::Rpm, name, full);
    found.architecture = Some(text(ARCH)).filter(|arch| !arch.is_empty() && arch != "(none)");
    found.source = source(&text(SOURCE_RPM), epoch);
    let declared = license::normalize(&text(LICENSE));
    found.licenses = Some(declared)
        .filter(|text| !text.is_empty())
        .into_iter()
        .collect();
    found.provides = header.strings(PROVIDES).collect();
    let software = |name: &String| !name.starts_with("rpmlib(") && !name.starts_with("config(");
    found.requires = header
        .strings(REQUIRES)
        .filter(software)
        .map(|name| vec![name])
        .collect();
    found.files = header.files();
    found.fact("vendor", text(VENDOR));
    found.fact("homepage", text(URL));
    found.fact("modularity", text(MODULARITY));
    Package::Software(Box::new(found))
}

/// `NAME-VERSION-RELEASE.src.rpm`; the epoch is the binary's, which is what vendors do.
fn source(file: &str, epoch: Option<u32>) -> Option<SourcePackage> {
    let stem = file
        .strip_suffix(".src.rpm")
        .or_else(|| file.strip_suffix(".nosrc.rpm"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
    Some(SourcePackage {
        name: name.to_owned(),
        version: format!("{epoch}{version}-{release}"),
    })
}

impl<'a> Header<'a> {
    fn parse(blob: &'a [u8]) -> Option<Self> {
        // A header file has its magic before the counts; a database has not.
        let blob = blob
            .strip_prefix(b"\x8e\xad\xe8\x01\0\0\0\0")
            .unwrap_or(blob);
        let rows = usize::try_from(number(blob, 0)?).ok()?;
        let length = usize::try_from(number(blob, 4)?).ok()?;
        let data = 8usize.checked_add(rows.checked_mul(16)?)?;
        Some(Self {
            index: blob.get(8..data)?,
            data: blob.get(data..data.checked_add(length)?)?,
        })
    }

    /// Type, first byte and count of a tag's values.
    fn row(&self, tag: u32) -> Option<(u32, &'a [u8], usize)> {
        let row = self
            .index
            .chunks_exact(16)
            .find(|row| number(row, 0) == Some(tag))?;
        let offset = usize::try_from(number(row, 8)?).ok()?;
        let count = usize::try_from(number(row, 12)?).ok()?;
        Some((number(row, 4)?, self.data.get(offset..)?, count))
    }

    /// String, string array or translated string: each ends with a zero byte.
    fn strings(&self, tag: u32) -> impl Iterator<Item = String> + use<'a> {
        let row = self
            .row(tag)
            .filter(|(kind, _, _)| matches!(kind, 6 | 8 | 9));
        let (_, bytes, count) = row.unwrap_or_default();
        let texts = bytes.split(|byte| *byte == 0).take(count);
        texts.map(|text| String::from_utf8_lossy(text).into_owned())
    }

    fn numbers(&self, tag: u32) -> impl Iterator<Item = u32> + use<'a> {
        let row = self.row(tag).filter(|(kind, _, _)| *kind == 4);
        let (_, bytes, count) = row.unwrap_or_default();
        bytes
            .chunks_exact(4)
            .take(count)
            .filter_map(|bytes| number(bytes, 0))
    }

    fn files(&self) -> Vec<String> {
        let directories: Vec<String> = self.strings(DIRECTORY_NAMES).collect();
        self.strings(BASE_NAMES)
            .zip(self.numbers(DIRECTORY_INDEXES))
            .filter_map(|(name, index)| {
                let directory = directories.get(index as usize)?.trim_start_matches('/');
                Some(format!("{directory}{name}"))
            })
            .collect()
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A header with these string and number tags.
    pub(in crate::rpm) fn blob(strings: &[(u32, &str)], numbers: &[(u32, u32)]) -> Vec<u8> {
        let (mut index, mut data) = (Vec::new(), Vec::new());
        let mut row = |tag: u32, kind: u32, offset: usize| {
            for value in [tag, kind, u32::try_from(offset).unwrap(), 1] {
                index.extend(value.to_be_bytes());
            }
        };
        for (tag, value) in numbers {
            row(*tag, 4, data.len());
            data.extend(value.to_be_bytes());
        }
        for (tag, value) in strings {
            row(*tag, 6, data.len());
            data.extend(value.as_bytes());
            data.push(0);
        }
        let rows = u32::try_from(strings.len() + numbers.len()).unwrap();
        let length = u32::try_from(data.len()).unwrap();
        [
            &rows.to_be_bytes()[..],
            &length.to_be_bytes(),
            &index,
            &data,
        ]
        .concat()
    }

    fn bind() -> Vec<u8> {
        let strings = [
            (NAME, "bind"),
            (VERSION, "9.16"),
            (RELEASE, "1.el8"),
            (ARCH, "x86_64"),
        ];
        let more = [(SOURCE_RPM, "bind-9.16-1.el8.src.rpm")];
        blob(&[&strings[..], &more[..]].concat(), &[(EPOCH, 32)])
    }

    #[test]
    fn reads_identity_and_source() {
        let Package::Software(found) = package(&bind()) else {
            panic!("no package");
        };
        assert_eq!(
            (found.name.as_str(), found.version.as_str()),
            ("bind", "32:9.16-1.el8")
        );
        let source = found.source.unwrap();
        assert_eq!(
            (source.name.as_str(), source.version.as_str()),
            ("bind", "32:9.16-1.el8")
        );
    }

    #[test]
    fn a_key_is_no_software() {
        let key = blob(&[(NAME, "gpg-pubkey"), (VERSION, "1")], &[]);
        assert!(matches!(package(&key), Package::Key));
    }

    #[test]
    fn every_cut_is_broken_or_read() {
        let blob = bind();
        for end in 0..blob.len() {
            assert!(matches!(package(&blob[..end]), Package::Broken), "{end}");
        }
        let mut lying = blob;
        lying[0] = 0xff;
        assert!(matches!(package(&lying), Package::Broken));
    }
}
