//! The Linux kernel: bootable images by their setup header (kernel.org, x86 "Boot protocol", field `kernel_version`) or by
//! the banner in them.

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

const BANNER: &[u8] = b"Linux version ";
const SCAN_LIMIT: u64 = 128 << 20;

pub(super) const RECOGNIZERS: &[Recognizer] = &[Recognizer::new(
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
})];

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
