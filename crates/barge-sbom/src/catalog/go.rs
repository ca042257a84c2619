//! Go: the build information that the linker puts into every program (Go source, `debug/buildinfo` and
//! `runtime/debug.ParseBuildInfo`; `go version -m` prints the same).
//!
//! A replaced module is the module that replaces it; replaced by a local folder, it stays what it was asked for, since a
//! folder has no version. A main module without a version gets the one that the linker was told (`-X main.version=...`),
//! whose flags are not recorded with `-trimpath` but whose text is in the program; else a pseudo-version of its commit; else
//! it is left out. Programs that were built without modules, as Debian builds them, name only the path of their main package:
//! see [`go_version`].

use super::go_version::{linked_text, linked_version, module_of, packaged_version, pseudo_version};
use crate::binary::{Format, Program};
use crate::finding::{Found, Refusal};
use crate::package::PackageKind;

const MAGIC: &[u8] = b"\xff Go buildinf:";
const SECTION_LIMIT: u64 = 16 << 20;
/// Strings inside start here since Go 1.18.
const INLINE: usize = 32;

pub(super) fn packages(program: &Program<'_>) -> Result<Vec<Found>, Refusal> {
    let Some((version, modules)) = build_information(program)? else {
        return Ok(Vec::new());
    };
    let linked = || linked_text(program, &version);
    let mut found = read_modules(&version, &modules, &linked);
    found.extend(packaged_program(program, &version, &modules));
    Ok(found)
}

/// The program itself, if it was built without modules.
fn packaged_program(program: &Program<'_>, go_version: &str, text: &str) -> Option<Found> {
    let of_kind = |kind: &str| text.lines().find_map(|line| line.strip_prefix(kind));
    if of_kind("mod\t").or_else(|| of_kind("dep\t")).is_some() {
        return None;
    }
    let module = module_of(of_kind("path\t")?)?;
    let version = packaged_version(program, module, go_version)?;
    Some(Found::new(PackageKind::Golang, module, version))
}

/// The Go version and the text about modules.
fn build_information(program: &Program<'_>) -> Result<Option<(String, String)>, Refusal> {
    let names: &[&str] = match program.format {
        Format::Elf => &[".go.buildinfo"],
        Format::MachO => &["__go_buildinfo"],
        Format::Pe => &[".data"],
    };
    let named = names.iter().find_map(|name| program.section(name));
    let nameless = program
        .sections
        .iter()
        .filter(|section| section.name.is_empty());
    for section in named.into_iter().chain(nameless) {
        let bytes = program.bytes(section, SECTION_LIMIT)?;
        let found = bytes
            .chunks(16)
            .position(|chunk| chunk.starts_with(MAGIC))
            .and_then(|at| bytes.get(at * 16..));
        if let Some(blob) = found {
            return Ok(strings(program, blob));
        }
    }
    Ok(None)
}

fn strings(program: &Program<'_>, blob: &[u8]) -> Option<(String, String)> {
    let flags = *blob.get(15)?;
    if flags & 2 != 0 {
        let (version, rest) = inline_string(blob.get(INLINE..)?)?;
        let (modules, _) = inline_string(rest).unwrap_or_default();
        return Some((text(version), text(unwrap_sentinels(modules))));
    }
    let size = usize::from(*blob.get(14)?);
    let big_endian = flags & 1 != 0;
    let pointer = |bytes: &[u8]| -> Option<u64> {
        let bytes = bytes.get(..size).filter(|_| matches!(size, 4 | 8))?;
        let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if big_endian {
            bytes.iter().fold(0, add)
        } else {
            bytes.iter().rev().fold(0, add)
        })
    };
    let string = |address: u64| -> Option<Vec<u8>> {
        let header = program.at_address(address, 2 * size as u64)?;
        let length = pointer(header.get(size..)?)?;
        program.at_address(pointer(&header)?, length.min(SECTION_LIMIT))
    };
    let version = string(pointer(blob.get(16..)?)?)?;
    let modules = string(pointer(blob.get(16 + size..)?)?).unwrap_or_default();
    Some((text(&version), text(unwrap_sentinels(&modules))))
}

/// A length as a base-128 number, then as many bytes.
fn inline_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0usize;
    for (position, byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            return bytes.get(position + 1..)?.split_at_checked(length);
        }
    }
    None
}

/// The linker wraps the text in two marks of 16 bytes.
fn unwrap_sentinels(text: &[u8]) -> &[u8] {
    let inner = text
        .len()
        .checked_sub(33)
        .and_then(|_| text.get(16..text.len() - 16));
    inner
        .filter(|inner| inner.ends_with(b"\n"))
        .unwrap_or_default()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

type Linked<'a> = &'a dyn Fn() -> Option<String>;

fn read_modules(go_version: &str, text: &str, linked: Linked<'_>) -> Vec<Found> {
    let mut main = None;
    let mut found: Vec<Found> = Vec::new();
    let mut settings = Vec::new();
    for line in text.lines() {
        let mut fields = line.split('\t');
        let (kind, path) = (fields.next().unwrap_or(""), fields.next().unwrap_or(""));
        let (version, sum) = (fields.next().unwrap_or(""), fields.next().unwrap_or(""));
        match kind {
            "mod" => main = Some(module(path, version, sum)),
            "dep" => found.push(module(path, version, sum)),
            "=>" => replace(found.last_mut().or(main.as_mut()), path, version, sum),
            "build" => settings.extend(path.split_once('=')),
            _ => {}
        }
    }
    found.retain(|module| is_version(&module.version));
    found.extend(standard_library(go_version));
    if let Some(main) = main.and_then(|main| main_module(main, &settings, &found, linked)) {
        found.insert(0, main);
    }
    found
}

fn module(path: &str, version: &str, sum: &str) -> Found {
    let mut module = Found::new(PackageKind::Golang, path, version);
    module.fact("h1", sum);
    module
}

fn replace(module: Option<&mut Found>, path: &str, version: &str, sum: &str) {
    let Some(module) = module else {
        return;
    };
    if is_version(version) {
        let original = std::mem::replace(&mut module.name, path.to_owned());
        version.clone_into(&mut module.version);
        module.fact("replaces", original);
        module.fact("h1", sum);
    } else {
        module.fact("replaced_by", path);
    }
}

fn is_version(version: &str) -> bool {
    version.starts_with('v') && version.len() > 1
}

fn main_module(
    mut main: Found,
    settings: &[(&str, &str)],
    found: &[Found],
    linked: Linked<'_>,
) -> Option<Found> {
    let setting = |key| {
        settings
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| *value)
    };
    if !is_version(&main.version) {
        let pseudo = || pseudo_version(setting("vcs.revision")?, setting("vcs.time")?);
        main.version = setting("-ldflags")
            .and_then(linked_version)
            .or_else(linked)
            .or_else(pseudo)?;
    }
    for (fact, key) in [
        ("vcs.revision", "vcs.revision"),
        ("goos", "GOOS"),
        ("goarch", "GOARCH"),
    ] {
        main.fact(fact, setting(key).unwrap_or_default());
    }
    main.requires = found
        .iter()
        .map(|module| vec![module.name.clone()])
        .collect();
    Some(main)
}

/// `go1.24.4`, perhaps with a distribution's words behind it.
fn standard_library(go_version: &str) -> Option<Found> {
    let version = go_version
        .split_whitespace()
        .find_map(|word| word.strip_prefix("go"))?;
    let end = version.find(|c: char| !c.is_ascii_alphanumeric() && c != '.');
    let version = &version[..end.unwrap_or(version.len())];
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| Found::new(PackageKind::Golang, "stdlib", version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(go: &str, text: &str) -> Vec<String> {
        let found = read_modules(go, text, &|| None);
        found
            .iter()
            .map(|found| format!("{}@{}", found.name, found.version))
            .collect()
    }

    #[test]
    fn reads_modules_and_replacements() {
        let text = "path\texample.com/app\nmod\texample.com/app\tv1.2.3\t\n\
dep\tgithub.com/a/b/v2\tv2.0.1\th1:x=\n\
dep\texample.com/old\tv1.0.0\n=>\texample.com/new\tv1.1.0\th1:y=\n\
dep\texample.com/lib\tv0.0.0-1\n=>\t../lib\t(devel)\t\n\
dep\texample.com/nothing\t(devel)\t\n\
build\t-compiler=gc\n";
        assert_eq!(
            names("go1.24.4 X:nocoverageredesign", text),
            [
                "example.com/app@v1.2.3",
                "github.com/a/b/v2@v2.0.1",
                "example.com/new@v1.1.0",
                "example.com/lib@v0.0.0-1",
                "stdlib@1.24.4"
            ]
        );
    }

    #[test]
    fn a_main_module_needs_a_version_or_a_commit() {
        let devel = "mod\texample.com/app\t(devel)\t\n";
        assert_eq!(names("go1.22", devel), ["stdlib@1.22"]);
        let stamped = format!(
            "{devel}build\tvcs.revision=0123456789abcdef\nbuild\tvcs.time=2026-01-02T03:04:05Z\n"
        );
        assert_eq!(
            names("go1.22", &stamped),
            [
                "example.com/app@v0.0.0-20260102030405-0123456789ab",
                "stdlib@1.22"
            ]
        );
        let linked = format!("{devel}build\t-ldflags=\"-s -X 'main.Version=1.4.0' -w\"\n");
        assert_eq!(names("go1.22", &linked)[0], "example.com/app@v1.4.0");
        assert_eq!(names("devel go1.23-abcdef Tue", ""), ["stdlib@1.23"]);
        assert!(names("unknown", "").is_empty());
    }

    #[test]
    fn cut_strings_are_nothing() {
        assert_eq!(inline_string(&[3, b'a', b'b']), None);
        assert_eq!(inline_string(&[0xff; 9]), None);
        assert_eq!(
            inline_string(&[1, b'a', b'b']),
            Some((&b"a"[..], &b"b"[..]))
        );
        assert_eq!(unwrap_sentinels(b"short"), b"");
    }
}
