//! Portable executables (Microsoft, "PE format"): the section table.

use barge_image::layer::Content;

use super::{Numbers, Section, c_string};
use crate::finding::Refusal;

const ROW: usize = 40;

pub(super) fn sections(content: &dyn Content) -> Result<Vec<Section>, Refusal> {
    table(content).ok_or_else(|| Refusal::new("not a portable executable"))
}

fn table(content: &dyn Content) -> Option<Vec<Section>> {
    let stub = content.range(0, 64).ok()?;
    let start = u64::from(numbers(&stub).u32(0x3c)?);
    let header = content.range(start, 24 + 112).ok()?;
    if !header.starts_with(b"PE\0\0") {
        return None;
    }
    let count = usize::from(numbers(&header).u16(6)?);
    let optional_size = u64::from(numbers(&header).u16(20)?);
    let wide = numbers(&header).u16(24)? == 0x20b;
    let base = if wide {
        numbers(&header).u64(24 + 24)?
    } else {
        u64::from(numbers(&header).u32(24 + 28)?)
    };
    let rows = content
        .range(start + 24 + optional_size, (count * ROW) as u64)
        .ok()?;
    let section = |row: &[u8]| {
        let row_numbers = numbers(row);
        Some(Section {
            name: c_string(row.get(..8)?),
            address: base.wrapping_add(u64::from(row_numbers.u32(12)?)),
            size: u64::from(row_numbers.u32(16)?),
            offset: u64::from(row_numbers.u32(20)?),
        })
    };
    Some(rows.chunks_exact(ROW).filter_map(section).collect())
}

fn numbers(bytes: &[u8]) -> Numbers<'_> {
    Numbers {
        bytes,
        little_endian: true,
    }
}
