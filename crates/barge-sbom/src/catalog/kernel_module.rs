//! Modules of the Linux kernel that state a version in section `.modinfo`, packed or not (kernel.org, "kbuild",
//! `CONFIG_MODULE_COMPRESS`; Linux source, `include/linux/moduleparam.h`).

use std::io::Read;

use barge_image::layer::Content;
use lzma_rust2::XzReader;

use super::{Name, Recognizer};
use crate::binary::Program;
use crate::finding::{Examined, File, Found, Refusal, Says};
use crate::package::PackageKind;

/// The largest module, unpacked, in bytes.
const LIMIT: u64 = 64 << 20;
/// How much is unpacked before it is searched, in bytes.
const PIECE: usize = 64 << 10;
/// What unpacking may need, in KiB: the kernel packs by windows of 1 to 2 MiB.
const XZ_MEMORY: u32 = 64 << 10;
const INFORMATION_LIMIT: u64 = 1 << 20;
/// Every module states the kernel that it is for.
const MARK: &[u8] = b"\0vermagic=";
/// What the information begins with; anything else may be the end of what lies before it.
const FIRST_KEYS: [&[u8]; 14] = [
    b"alias",
    b"author",
    b"depends",
    b"description",
    b"file",
    b"firmware",
    b"import_ns",
    b"license",
    b"parm",
    b"parmtype",
    b"softdep",
    b"srcversion",
    b"vermagic",
    b"version",
];

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Extension("ko")], |file| module(file, file.content))
        .accepts(|file| file.head.starts_with(b"\x7fELF")),
    Recognizer::new(
        &[
            Name::Extension("gz"),
            Name::Extension("xz"),
            Name::Extension("zst"),
        ],
        packed_module,
    )
    .accepts(|file| stem(file.name).ends_with(b".ko")),
];

/// A name without what follows its last dot.
fn stem(name: &[u8]) -> &[u8] {
    let dot = name.iter().rposition(|byte| *byte == b'.');
    dot.map_or(name, |dot| &name[..dot])
}

/// Unpacks only until the information came by, mostly in the first part, or else all: the section table is at the end.
fn packed_module(file: &File<'_>) -> Examined {
    let packed = file.content.bytes(LIMIT)?;
    let mut reader: Box<dyn Read + '_> = match packed.first() {
        Some(0x1f) => Box::new(flate2::read::MultiGzDecoder::new(&*packed)),
        Some(0xfd) => Box::new(XzReader::new_mem_limit(&*packed, true, XZ_MEMORY)),
        _ => Box::new(zstd::Decoder::new(&*packed)?),
    };
    let mut unpacked = Vec::new();
    let mut mark = None;
    while (&mut reader)
        .take(PIECE as u64)
        .read_to_end(&mut unpacked)?
        > 0
    {
        if unpacked.len() as u64 > LIMIT {
            return Err(Refusal::new("unpacks to more than 64 MiB"));
        }
        mark = mark.or_else(|| find_mark(&unpacked));
        if let Some(information) = mark.and_then(|mark| information_around(&unpacked, mark)) {
            return Ok(read(file, information));
        }
    }
    module(file, &unpacked)
}

/// Where the mark stands in the last two pieces.
fn find_mark(unpacked: &[u8]) -> Option<usize> {
    let recent = unpacked.len().saturating_sub(2 * PIECE);
    let mut windows = unpacked.get(recent..)?.windows(MARK.len());
    windows
        .position(|window| window == MARK)
        .map(|at| recent + at + 1)
}

/// The run of `key=value` texts, each ended by a zero byte, in which a text stands. `None` where either end of the run cannot
/// be told: what lies before it may end without a zero byte, or more of it may follow.
fn information_around(bytes: &[u8], text: usize) -> Option<&[u8]> {
    let mut start = text;
    while let Some(before) = bytes.get(..start)?.strip_suffix(b"\0") {
        let zero = before.iter().rposition(|byte| *byte == 0);
        let previous = zero.map_or(0, |zero| zero + 1);
        match key(&before[previous..]) {
            Some(_) => start = previous,
            None if before[previous..].contains(&b'=') => return None,
            None => break,
        }
    }
    if !FIRST_KEYS.contains(&key(&bytes[start..])?) {
        return None;
    }
    let mut end = text;
    loop {
        let length = bytes.get(end..)?.iter().position(|byte| *byte == 0)?;
        if key(&bytes[end..end + length]).is_none() {
            return bytes.get(start..end);
        }
        end += length + 1;
    }
}

fn key(statement: &[u8]) -> Option<&[u8]> {
    let equals = statement.iter().position(|byte| *byte == b'=')?;
    let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let key = &statement[..equals];
    (!key.is_empty() && key.iter().all(is_key)).then_some(key)
}

fn module(file: &File<'_>, content: &dyn Content) -> Examined {
    let program = Program::open(content)?;
    let Some(section) = program.section(".modinfo") else {
        return Ok(Says::Packages(Vec::new()));
    };
    Ok(read(file, &program.bytes(section, INFORMATION_LIMIT)?))
}

fn read(file: &File<'_>, information: &[u8]) -> Says {
    let value = |key: &str| {
        let lines = information.split(|byte| *byte == 0);
        let mut values = lines.filter_map(|line| {
            std::str::from_utf8(line)
                .ok()?
                .strip_prefix(key)?
                .strip_prefix('=')
        });
        values.find(|value| !value.is_empty())
    };
    let stem = file.name().split(".ko").next().unwrap_or_default();
    let found = value("version").map(|version| {
        let mut found = Found::new(PackageKind::Generic, value("name").unwrap_or(stem), version);
        found.licenses = value("license").map(str::to_owned).into_iter().collect();
        let kernel = value("vermagic").and_then(|text| text.split(' ').next());
        found.fact("kernel", kernel.unwrap_or_default());
        found.fact("classifier", "kernel-module");
        found
    });
    Says::Packages(found.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn information_ends_where_it_is_no_longer_stated() {
        let around = |bytes: &[u8]| {
            let mark = find_mark(bytes)?;
            information_around(bytes, mark).map(<[u8]>::to_vec)
        };
        let run = b"version=1.2\0license=GPL\0name=a\0vermagic=6.12 SMP\0retpoline=Y\0";
        let cases: [(&[u8], &[u8], bool); 8] = [
            (b"\x7fELF\0", b"\0\x01\x02", true),
            (b"\x7fELF\0", b"\x48\x8b=\0", true),
            // The text before the run would be taken for its beginning.
            (b"\x7fELF", b"\0", false),
            (b"\x7fELF\0\x01\x02", b"\0", false),
            (b"\x7fELF\0H", b"\0", false),
            // More of it may follow.
            (b"\x7fELF\0", b"", false),
            (b"\x7fELF\0", b"alias", false),
            (b"", b"\0", true),
        ];
        for (before, after, expected) in cases {
            let bytes = [before, run, after].concat();
            let expected = expected.then(|| run.to_vec());
            assert_eq!(around(&bytes), expected, "{before:?} {after:?}");
        }
        assert_eq!(find_mark(b"version=1"), None);
    }
}
