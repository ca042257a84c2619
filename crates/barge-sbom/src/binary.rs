//! Programs: where their sections lie, for ELF, PE and 64-bit Mach-O. Only tables are read, contents on demand.

mod elf;
mod macho;
mod pe;

use barge_image::layer::Content;

use crate::finding::Refusal;

/// The largest table of sections or names that is read, in bytes.
const TABLE_LIMIT: u64 = 4 << 20;
/// How far from the beginning UPX puts its mark at most, in bytes.
const MARK_LIMIT: u64 = 4096;

/// A run of bytes of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) name: String,
    /// Where it is in memory, and how long there.
    pub(crate) address: u64,
    /// Where it is in the file, and how long there.
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

/// A program's sections over its content.
pub(crate) struct Program<'a> {
    pub(crate) content: &'a dyn Content,
    pub(crate) sections: Vec<Section>,
    pub(crate) little_endian: bool,
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Elf,
    Pe,
    MachO,
}

impl Format {
    /// Tells a program from its first bytes.
    pub(crate) fn sniff(head: &[u8]) -> Option<Self> {
        match head {
            [0x7f, b'E', b'L', b'F', ..] => Some(Self::Elf),
            [b'M', b'Z', ..] => Some(Self::Pe),
            [0xcf, 0xfa, 0xed, 0xfe, ..] => Some(Self::MachO),
            _ => None,
        }
    }
}

impl<'a> Program<'a> {
    pub(crate) fn open(content: &'a dyn Content) -> Result<Self, Refusal> {
        let mut head = [0; 64];
        let read = content.read_at(0, &mut head)?;
        let format = Format::sniff(&head[..read]).ok_or_else(|| Refusal::new("not a program"))?;
        let (sections, little_endian) = match format {
            Format::Elf => elf::sections(content, &head[..read])?,
            Format::Pe => (pe::sections(content)?, true),
            Format::MachO => (macho::sections(content)?, true),
        };
        Ok(Self {
            content,
            sections,
            little_endian,
            format,
        })
    }

    /// Whether UPX packed it: its mark stands near the beginning, and the sections are gone or UPX's own.
    pub(crate) fn is_packed(&self) -> bool {
        let of_upx = |section: &Section| section.name.is_empty() || section.name.starts_with("UPX");
        let has_mark = |head: Vec<u8>| head.windows(4).any(|window| window == b"UPX!");
        self.sections.iter().take(2).all(of_upx)
            && self.content.range(0, MARK_LIMIT).is_ok_and(has_mark)
    }

    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The bytes of a section, or of as much as `limit` of it.
    pub(crate) fn bytes(&self, section: &Section, limit: u64) -> Result<Vec<u8>, Refusal> {
        Ok(self
            .content
            .range(section.offset, section.size.min(limit))?)
    }

    /// Bytes by their address in memory.
    pub(crate) fn at_address(&self, address: u64, length: u64) -> Option<Vec<u8>> {
        let section = self.sections.iter().find(|section| {
            address
                .checked_sub(section.address)
                .is_some_and(|inside| inside < section.size && length <= section.size - inside)
        })?;
        let offset = section.offset.saturating_add(address - section.address);
        self.content.range(offset, length).ok()
    }
}

/// Numbers at positions of a table.
#[derive(Clone, Copy)]
struct Numbers<'a> {
    bytes: &'a [u8],
    little_endian: bool,
}

impl Numbers<'_> {
    fn u16(self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little_endian {
            u16::from_le_bytes(*bytes)
        } else {
            u16::from_be_bytes(*bytes)
        })
    }

    fn u32(self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little_endian {
            u32::from_le_bytes(*bytes)
        } else {
            u32::from_be_bytes(*bytes)
        })
    }

    fn u64(self, at: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little_endian {
            u64::from_le_bytes(*bytes)
        } else {
            u64::from_be_bytes(*bytes)
        })
    }
}

fn c_string(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
