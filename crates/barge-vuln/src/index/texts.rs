//! Details and links of records, packed in blocks that are unpacked for findings only.

use super::bytes::{position, put_text, put_texts};
use crate::error::Error;
use crate::osv::Record;

/// Texts are packed in blocks of about this size: big enough to pack well, small enough to unpack for one finding.
const TEXT_BLOCK: usize = 64 * 1024;
const TEXT_LEVEL: i32 = 9;

/// Blocks of texts in the making.
#[derive(Default)]
pub(super) struct TextBlocks {
    /// Kept between blocks: its tables are big, and holes of their size would be filled with small texts for good.
    compressor: Option<zstd::bulk::Compressor<'static>>,
    open: Vec<u8>,
    pub(super) packed: Vec<u8>,
    pub(super) table: Vec<u8>,
    blocks: u64,
}

impl TextBlocks {
    /// Adds the texts of a record; returns the block, the place in it and the length.
    pub(super) fn add(&mut self, record: &Record) -> Result<(u64, u64, u64), Error> {
        let start = self.open.len();
        put_text(&mut self.open, &record.details);
        put_texts(&mut self.open, record.references.iter().map(String::as_str));
        let place = (self.blocks, start as u64, (self.open.len() - start) as u64);
        if self.open.len() >= TEXT_BLOCK {
            self.flush()?;
        }
        Ok(place)
    }

    pub(super) fn flush(&mut self) -> Result<(), Error> {
        if self.open.is_empty() {
            return Ok(());
        }
        let failed = |_| Error::TooBig("a text cannot be packed");
        let compressor = match &mut self.compressor {
            Some(compressor) => compressor,
            none => none.insert(compressor().map_err(failed)?),
        };
        let packed = compressor.compress(&self.open).map_err(failed)?;
        for number in [
            position(self.packed.len())?,
            position(packed.len())?,
            position(self.open.len())?,
        ] {
            self.table.extend_from_slice(&number.to_le_bytes());
        }
        self.packed.extend_from_slice(&packed);
        self.open.clear();
        self.blocks += 1;
        Ok(())
    }
}

/// Packs with a checksum, which is looked at when a block is unpacked.
fn compressor() -> std::io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(TEXT_LEVEL)?;
    compressor.include_checksum(true)?;
    Ok(compressor)
}
