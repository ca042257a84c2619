//! 64-bit little-endian Mach-O: the sections of its segments.

use barge_image::layer::Content;

use super::{Numbers, Section, TABLE_LIMIT, c_string};
use crate::finding::Refusal;

const LC_SEGMENT_64: u32 = 0x19;
const SEGMENT: usize = 72;
const ROW: usize = 80;

pub(super) fn sections(content: &dyn Content) -> Result<Vec<Section>, Refusal> {
    commands(content).ok_or_else(|| Refusal::new("the Mach-O header is cut"))
}

fn commands(content: &dyn Content) -> Option<Vec<Section>> {
    let header = content.range(0, 32).ok()?;
    let (count, size) = (numbers(&header).u32(16)?, numbers(&header).u32(20)?);
    let commands = content.range(32, u64::from(size).min(TABLE_LIMIT)).ok()?;
    let mut sections = Vec::new();
    let mut rest = commands.as_slice();
    for _ in 0..count {
        let length = usize::try_from(numbers(rest).u32(4)?)
            .ok()
            .filter(|length| *length >= 8)?;
        let command = rest.get(..length)?;
        if numbers(command).u32(0)? == LC_SEGMENT_64 {
            let rows = command.get(SEGMENT..).unwrap_or_default().chunks_exact(ROW);
            sections.extend(rows.filter_map(|row| {
                Some(Section {
                    name: c_string(row.get(..16)?),
                    address: numbers(row).u64(32)?,
                    size: numbers(row).u64(40)?,
                    offset: u64::from(numbers(row).u32(48)?),
                })
            }));
        }
        rest = rest.get(length..)?;
    }
    Some(sections)
}

fn numbers(bytes: &[u8]) -> Numbers<'_> {
    Numbers {
        bytes,
        little_endian: true,
    }
}
