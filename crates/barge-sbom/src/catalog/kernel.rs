//! The Linux kernel: bootable images by their setup header (kernel.org, x86 "Boot protocol", field `kernel_version`) or by
//! the banner in them; modules that state a version in section `.modinfo`, packed or not (kernel.org, "kbuild",
//! `CONFIG_MODULE_COMPRESS`).

use std::io::Read;

use barge_image::layer::Content;
use lzma_rust2::XzReader;

use super::{Name, Recognizer};
use crate::binary::Program;
use crate::finding::{Examined, File, Found, Refusal, Says};
use crate::package::PackageKind;

const BANNER: &[u8] = b"Linux version ";
const SCAN_LIMIT: u64 = 128 << 20;
/// The largest module, unpacked, in bytes.
const MODULE_LIMIT: u64 = 64 << 20;
/// What unpacking may need, in KiB: the kernel packs by windows of 1 to 2 MiB.
const XZ_MEMORY: u32 = 64 << 10;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(
        &[
            Name::Begins("vmlinuz"),
            Name::Begins("vmlinux"),
            Name::Begins("bzImage"),
            Name::Begins("zImage"),
            Name::Begins("kernel"),
        ],
        image,
    )
    .accepts(|file| {
        let is_boot_sector = file.head.get(510..512) == Some(&[0x55, 0xaa]);
        is_boot_sector || file.head.starts_with(b"\x7fELF")
    }),
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

fn image(file: &File<'_>) -> Examined {
    let mut setup = vec![0; 64 << 10];
    let read = file.content.read_at(0, &mut setup)?;
    setup.truncate(read);
    let release = match setup_version(&setup) {
        Some(release) => Some(release),
        None if setup.starts_with(b"\x7fELF") => banner(&file.content.bytes(SCAN_LIMIT)?),
        None => None,
    };
    let found = release.map(|release| {
        let mut found = Found::new(PackageKind::Generic, "linux-kernel", &release);
        let upstream = release.split(['-', '+']).next().unwrap_or(&release);
        found.fact(
            "cpe",
            format!("cpe:2.3:o:linux:linux_kernel:{upstream}:*:*:*:*:*:*:*"),
        );
        found
    });
    Ok(Says::Packages(found.into_iter().collect()))
}

/// The text that the setup header points to begins with the release.
fn setup_version(setup: &[u8]) -> Option<String> {
    if setup.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let pointer = u16::from_le_bytes(*setup.get(0x20e..)?.first_chunk()?);
    let text = setup.get(usize::from(pointer) + 0x200..)?;
    first_word(text)
}

fn banner(bytes: &[u8]) -> Option<String> {
    let at = bytes
        .windows(BANNER.len())
        .position(|window| window == BANNER)?;
    first_word(bytes.get(at + BANNER.len()..)?)
}

fn first_word(text: &[u8]) -> Option<String> {
    let end = text.iter().position(|byte| *byte <= b' ')?;
    let word = std::str::from_utf8(text.get(..end)?).ok()?;
    word.starts_with(|c: char| c.is_ascii_digit())
        .then(|| word.to_owned())
}

fn packed_module(file: &File<'_>) -> Examined {
    let packed = file.content.bytes(MODULE_LIMIT)?;
    let reader: Box<dyn Read + '_> = match packed.first() {
        Some(0x1f) => Box::new(flate2::read::MultiGzDecoder::new(&*packed)),
        Some(0xfd) => Box::new(XzReader::new_mem_limit(&*packed, true, XZ_MEMORY)),
        _ => Box::new(zstd::Decoder::new(&*packed)?),
    };
    let mut unpacked = Vec::new();
    let read = reader.take(MODULE_LIMIT).read_to_end(&mut unpacked)?;
    if read as u64 == MODULE_LIMIT {
        return Err(Refusal::new("unpacks to more than 64 MiB"));
    }
    module(file, &unpacked)
}

/// A name without what follows its last dot.
fn stem(name: &[u8]) -> &[u8] {
    let dot = name.iter().rposition(|byte| *byte == b'.');
    dot.map_or(name, |dot| &name[..dot])
}

/// `key=value` texts, each ended by a zero byte.
fn module(file: &File<'_>, content: &dyn Content) -> Examined {
    let program = Program::open(content)?;
    let Some(section) = program.section(".modinfo") else {
        return Ok(Says::Packages(Vec::new()));
    };
    let information = program.bytes(section, 1 << 20)?;
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
        found.fact(
            "kernel",
            value("vermagic")
                .and_then(|text| text.split(' ').next())
                .unwrap_or_default(),
        );
        found.fact("classifier", "kernel-module");
        found
    });
    Ok(Says::Packages(found.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_setup_header() {
        let mut setup = vec![0; 0x400];
        setup[0x202..0x206].copy_from_slice(b"HdrS");
        setup[0x20e] = 0x10;
        setup[0x210..0x220].copy_from_slice(b"6.1.0-13-amd64 (");
        assert_eq!(setup_version(&setup).as_deref(), Some("6.1.0-13-amd64"));
        assert_eq!(setup_version(&setup[..0x203]), None);
        assert_eq!(
            banner(b"xxLinux version 6.12.9 (gcc)").as_deref(),
            Some("6.12.9")
        );
    }
}
