//! rpm's own database format, `Packages.db` (rpm source, `lib/backend/ndb/rpmpkg.c`): pages of slots, blobs in blocks of
//! 16 bytes; numbers are little-endian.

use barge_image::layer::Content;

use crate::finding::{Refusal, read_exact};

const PAGE: u64 = 4096;
const BLOCK: u64 = 16;
const SLOT_MAGIC: &[u8] = b"Slot";
const BLOB_MAGIC: &[u8] = b"BlbS";
/// 2^20 slots are a million packages.
const PAGES_LIMIT: u32 = 4096;

pub(super) fn headers(content: &dyn Content, take: &mut dyn FnMut(&[u8])) -> Result<(), Refusal> {
    let head = read_exact(content, 0, 32)?;
    let pages = number(&head, 12).unwrap_or_default();
    if pages == 0 || pages > PAGES_LIMIT {
        return Err(Refusal::new(format!("{pages} pages of slots")));
    }
    let slots = read_exact(content, 0, (u64::from(pages) * PAGE).min(content.size()))?;
    // Blobs that overlap would be read again for each slot.
    let mut left = content.size();
    // The first two slots' place is the header.
    for slot in slots.chunks_exact(16).skip(2) {
        let (package, block) = (number(slot, 4), number(slot, 8));
        if !slot.starts_with(SLOT_MAGIC) || package.is_none_or(|package| package == 0) {
            continue;
        }
        let at = u64::from(block.unwrap_or_default()) * BLOCK;
        let blob = read_exact(content, at, 16)?;
        if !blob.starts_with(BLOB_MAGIC) || number(&blob, 4) != package {
            return Err(Refusal::new(
                "a slot points to something that is no blob of its package",
            ));
        }
        let length = u64::from(number(&blob, 12).unwrap_or_default());
        left = left
            .checked_sub(length)
            .ok_or_else(|| Refusal::new("its blobs are longer than the file"))?;
        take(&read_exact(content, at + 16, length)?);
    }
    Ok(())
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_that_share_a_blob_do_not_read_it_over_and_over() {
        let mut file = vec![0; 4096];
        file[12..16].copy_from_slice(&1u32.to_le_bytes());
        let blob = [
            BLOB_MAGIC,
            &[1, 0, 0, 0, 0, 0, 0, 0],
            &2000u32.to_le_bytes(),
        ]
        .concat();
        let slot = [SLOT_MAGIC, &[1, 0, 0, 0], &100u32.to_le_bytes(), &[0; 4]].concat();
        for at in [32, 48, 64] {
            file[at..at + 16].copy_from_slice(&slot);
        }
        file[1600..1616].copy_from_slice(&blob);
        let mut count = 0;
        let refusal = headers(&file, &mut |_| count += 1).unwrap_err();
        assert_eq!(refusal.0, "its blobs are longer than the file");
        assert_eq!(count, 2);
    }
}
