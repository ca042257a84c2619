//! ELF (System V ABI, chapters 4 and 5). A file without section headers shows its segments as nameless sections.

use barge_image::layer::Content;

use super::{Numbers, Section, TABLE_LIMIT, c_string};
use crate::finding::Refusal;

const SHT_NOBITS: u32 = 8;
const PT_LOAD: u32 = 1;
/// Longer than the name of any section that is asked for, in bytes. Each of 65,535 rows may name a text as long as the table.
const NAME_LIMIT: usize = 64;

/// Where the fields of a header lie, by word size.
struct Header<'a> {
    numbers: Numbers<'a>,
    wide: bool,
}

impl Header<'_> {
    /// A field that is an address, offset or size.
    fn word(&self, wide_at: usize, narrow_at: usize) -> Option<u64> {
        if self.wide {
            self.numbers.u64(wide_at)
        } else {
            self.numbers.u32(narrow_at).map(u64::from)
        }
    }

    fn half(&self, wide_at: usize, narrow_at: usize) -> Option<u64> {
        let at = if self.wide { wide_at } else { narrow_at };
        self.numbers.u16(at).map(u64::from)
    }
}

/// The sections, and whether numbers are little-endian.
pub(super) fn sections(
    content: &dyn Content,
    head: &[u8],
) -> Result<(Vec<Section>, bool), Refusal> {
    let little_endian = head.get(5) == Some(&1);
    let header = Header {
        numbers: Numbers {
            bytes: head,
            little_endian,
        },
        wide: head.get(4) == Some(&2),
    };
    let found = named(content, &header).ok_or_else(|| Refusal::new("the ELF header is cut"))?;
    let sections = match found? {
        none if none.is_empty() => segments(content, &header).unwrap_or_default(),
        sections => sections,
    };
    Ok((sections, little_endian))
}

fn named(content: &dyn Content, header: &Header<'_>) -> Option<Result<Vec<Section>, Refusal>> {
    let table = header.word(0x28, 0x20)?;
    let entry_size = header.half(0x3a, 0x2e)?;
    let count = header.half(0x3c, 0x30)?;
    let names_index = usize::try_from(header.half(0x3e, 0x32)?).ok()?;
    let least = if header.wide { 64 } else { 40 };
    if table == 0 || count == 0 || entry_size < least {
        return Some(Ok(Vec::new()));
    }
    let table = content.range(table, (count * entry_size).min(TABLE_LIMIT));
    Some(table.map_err(Refusal::from).and_then(|bytes| {
        let rows: Vec<_> = bytes
            .chunks_exact(usize::try_from(entry_size)?)
            .filter_map(|row| section(row, header))
            .collect();
        let names = rows.get(names_index).map(|(_, _, section)| section.clone());
        let names = match names {
            Some(names) => content.range(names.offset, names.size.min(TABLE_LIMIT))?,
            None => Vec::new(),
        };
        let name_of = |at: u32| {
            let name = names.get(at as usize..).unwrap_or_default();
            c_string(&name[..name.len().min(NAME_LIMIT)])
        };
        Ok(rows
            .into_iter()
            .filter(|(_, kind, _)| *kind != SHT_NOBITS)
            .map(|(name, _, section)| Section {
                name: name_of(name),
                ..section
            })
            .collect())
    }))
}

/// Position of its name, its type, and the section itself.
fn section(row: &[u8], header: &Header<'_>) -> Option<(u32, u32, Section)> {
    let row = Header {
        numbers: Numbers {
            bytes: row,
            ..header.numbers
        },
        wide: header.wide,
    };
    let section = Section {
        name: String::new(),
        address: row.word(0x10, 0x0c)?,
        offset: row.word(0x18, 0x10)?,
        size: row.word(0x20, 0x14)?,
    };
    Some((row.numbers.u32(0)?, row.numbers.u32(4)?, section))
}

/// Loaded segments, for programs whose section headers were removed.
fn segments(content: &dyn Content, header: &Header<'_>) -> Option<Vec<Section>> {
    let table = header.word(0x20, 0x1c)?;
    let entry_size = header.half(0x36, 0x2a)?;
    let count = header.half(0x38, 0x2c)?;
    let bytes = content
        .range(table, (count * entry_size).min(TABLE_LIMIT))
        .ok()?;
    let rows = bytes.chunks_exact(
        usize::try_from(entry_size)
            .ok()
            .filter(|size| *size >= 32)?,
    );
    let segment = |row: &[u8]| {
        let row = Header {
            numbers: Numbers {
                bytes: row,
                ..header.numbers
            },
            wide: header.wide,
        };
        let loaded = row.numbers.u32(0)? == PT_LOAD;
        loaded.then_some(Section {
            name: String::new(),
            address: row.word(0x10, 0x08)?,
            offset: row.word(0x08, 0x04)?,
            size: row.word(0x20, 0x10)?,
        })
    };
    Some(rows.filter_map(segment).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 65,535 rows that all name one text of the table's length would be copies of gigabytes.
    #[test]
    fn names_of_sections_are_short() {
        const ROWS: u16 = 500;
        const TABLE: usize = 1 << 20;
        let mut file = vec![0; 64];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[0x28] = 64;
        file[0x3a] = 64;
        file[0x3c..0x3e].copy_from_slice(&ROWS.to_le_bytes());
        let mut row = [0; 64];
        row[0x18..0x20].copy_from_slice(&(64 + u64::from(ROWS) * 64).to_le_bytes());
        row[0x20..0x28].copy_from_slice(&(TABLE as u64).to_le_bytes());
        for _ in 0..ROWS {
            file.extend_from_slice(&row);
        }
        file.resize(file.len() + TABLE, b'x');
        let (sections, _) = sections(&file, &file).unwrap_or_else(|_| panic!("it is one"));
        assert_eq!(sections.len(), usize::from(ROWS));
        assert!(
            sections
                .iter()
                .all(|section| section.name.len() == NAME_LIMIT)
        );
    }
}
