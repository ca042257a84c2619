//! BerkeleyDB hash files, `Packages` (Oracle Berkeley DB, `src/dbinc/db_page.h`): every hash page is read, large values
//! are followed through their overflow pages. The byte order is that of the machine that wrote the file.

use barge_image::layer::Content;

use super::HEADER_LIMIT;
use crate::finding::{Refusal, read_exact};

const MAGIC: u32 = 0x0006_1561;
const PAGE_HEADER: usize = 26;
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH: u8 = 13;
const IN_PAGE: u8 = 1;
const OFF_PAGE: u8 = 3;

pub(super) fn is_hash(head: &[u8]) -> bool {
    let magic = head.get(12..16).and_then(<[u8]>::first_chunk);
    magic.is_some_and(|magic| {
        u32::from_le_bytes(*magic) == MAGIC || u32::from_be_bytes(*magic) == MAGIC
    })
}

struct Database<'a> {
    content: &'a dyn Content,
    page_size: u64,
    pages: u64,
    /// Overflow pages left to read: each belongs to one value, so a loop ends, and so do values that share a chain.
    budget: u64,
    big_endian: bool,
}

pub(super) fn headers(content: &dyn Content, take: &mut dyn FnMut(&[u8])) -> Result<(), Refusal> {
    let meta = read_exact(content, 0, 72)?;
    let big_endian = meta.get(12..16) == Some(&MAGIC.to_be_bytes()[..]);
    let mut database = Database {
        content,
        page_size: 0,
        pages: 0,
        budget: 0,
        big_endian,
    };
    database.page_size = u64::from(database.u32(&meta, 20).unwrap_or_default());
    if !(512..=65536).contains(&database.page_size) {
        return Err(Refusal::new(format!(
            "pages of {} bytes",
            database.page_size
        )));
    }
    let last = u64::from(database.u32(&meta, 32).unwrap_or_default());
    database.pages = (last + 1).min(content.size() / database.page_size);
    database.budget = database.pages;
    for number in 1..database.pages {
        let page = database.page(number)?;
        if matches!(page.get(25), Some(&HASH | &HASH_UNSORTED)) {
            database.values(&page, take)?;
        }
    }
    Ok(())
}

impl Database<'_> {
    fn page(&self, number: u64) -> Result<Vec<u8>, Refusal> {
        read_exact(self.content, number * self.page_size, self.page_size)
    }

    /// Keys and values alternate; the values are headers.
    fn values(&mut self, page: &[u8], take: &mut dyn FnMut(&[u8])) -> Result<(), Refusal> {
        let count = usize::from(self.u16(page, 20).unwrap_or_default());
        for item in (1..count).step_by(2) {
            let offset = |item: usize| self.u16(page, PAGE_HEADER + 2 * item).map(usize::from);
            let (Some(start), Some(end)) = (offset(item), offset(item - 1)) else {
                break;
            };
            let Some(value) = page.get(start..end) else {
                continue;
            };
            match value.first() {
                Some(&OFF_PAGE) => {
                    let (first, length) = (self.u32(value, 4), self.u32(value, 8));
                    if let (Some(first), Some(length)) = (first, length) {
                        take(&self.overflow(u64::from(first), u64::from(length))?);
                    }
                }
                // The first record counts packages, in four bytes.
                Some(&IN_PAGE) if value.len() > 16 => take(&value[1..]),
                _ => {}
            }
        }
        Ok(())
    }

    fn overflow(&mut self, first: u64, length: u64) -> Result<Vec<u8>, Refusal> {
        if length > HEADER_LIMIT.min(self.content.size()) {
            return Err(Refusal::new(format!("a value of {length} bytes")));
        }
        let mut value = Vec::new();
        let mut number = first;
        while number != 0 && (value.len() as u64) < length {
            let left = self.budget.checked_sub(1);
            self.budget = left.ok_or_else(|| Refusal::new("overflow pages form a loop"))?;
            let page = self.page(number)?;
            let used = usize::from(self.u16(&page, 22).unwrap_or_default());
            let data = page.get(PAGE_HEADER..PAGE_HEADER + used);
            match data.filter(|data| page.get(25) == Some(&OVERFLOW) && !data.is_empty()) {
                Some(data) => value.extend_from_slice(data),
                None => return Err(Refusal::new(format!("page {number} is no overflow page"))),
            }
            number = u64::from(self.u32(&page, 16).unwrap_or_default());
        }
        value.truncate(usize::try_from(length)?);
        Ok(value)
    }

    fn u16(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian {
            u16::from_be_bytes(*bytes)
        } else {
            u16::from_le_bytes(*bytes)
        })
    }

    fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian {
            u32::from_be_bytes(*bytes)
        } else {
            u32::from_le_bytes(*bytes)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_pages_that_loops_ends() {
        const PAGE: usize = 512;
        let mut file = vec![0; 4 * PAGE];
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(12, &MAGIC.to_le_bytes());
        put(20, &512u32.to_le_bytes());
        put(32, &3u32.to_le_bytes());
        // A key, and a value that lies in overflow pages.
        let (hash, value, overflow) = (PAGE, 2 * PAGE - 12, 2 * PAGE);
        put(hash + 20, &2u16.to_le_bytes());
        put(hash + 25, &[HASH]);
        put(hash + PAGE_HEADER, &[0, 2, 0xf4, 1]);
        put(value, &[OFF_PAGE, 0, 0, 0, 2, 0, 0, 0, 0x90, 1, 0, 0]);
        put(overflow + 16, &2u32.to_le_bytes());
        put(overflow + 22, &1u16.to_le_bytes());
        put(overflow + 25, &[OVERFLOW]);
        let refusal = headers(&file, &mut |_| {}).unwrap_err();
        assert_eq!(refusal.0, "overflow pages form a loop");
    }
}
