//! SQLite files (sqlite.org, "Database File Format"): walks the B-tree of a table and follows overflow pages. No SQL, no
//! indexes, no write-ahead log: rpm and Conan leave none when they close their databases.

use barge_image::layer::Content;

use crate::finding::{Refusal, read_exact};

const INTERIOR: u8 = 0x05;
const LEAF: u8 = 0x0d;
/// The largest row that is read, in bytes.
const ROW_LIMIT: u64 = 256 << 20;
/// A B-tree of 32-bit page numbers is never this deep.
const DEPTH_LIMIT: u32 = 40;
/// More columns than any table that is read has: a record may claim one for each of its bytes.
const COLUMN_LIMIT: usize = 64;
/// How little of a page may be left ("The Database Header").
const LEAST_USABLE: usize = 480;

struct Database<'a> {
    content: &'a dyn Content,
    page_size: u64,
    /// Bytes of a page that hold content.
    usable: usize,
    /// Pages left to read: each belongs to one tree, so a loop ends.
    budget: u64,
}

/// Hands over the columns of every row of a table, numbers as their big-endian bytes.
pub(crate) fn rows(
    content: &dyn Content,
    table: &str,
    take: &mut dyn FnMut(&[&[u8]]),
) -> Result<(), Refusal> {
    let head = read_exact(content, 0, 100)?;
    let page_size = match big_endian(&head, 16, 2) {
        Some(1) => 65536,
        Some(size) if size >= 512 && size.is_power_of_two() => size,
        other => return Err(Refusal::new(format!("pages of {other:?} bytes"))),
    };
    let reserved = head.get(20).copied().unwrap_or_default();
    let usable = usize::try_from(page_size)? - usize::from(reserved);
    if usable < LEAST_USABLE {
        return Err(Refusal::new(format!("{usable} usable bytes in a page")));
    }
    let mut database = Database {
        content,
        page_size,
        usable,
        budget: content.size() / page_size * 2 + 2,
    };
    let mut root = None;
    database.rows(1, 0, &mut |columns| {
        // Kind, name, table, root page, text.
        let is_table = columns.first().is_some_and(|kind| *kind == b"table");
        if is_table && columns.get(1).is_some_and(|name| *name == table.as_bytes()) {
            root = columns
                .get(3)
                .and_then(|page| big_endian(page, 0, page.len()));
        }
    })?;
    let root = root.ok_or_else(|| Refusal::new(format!("no table `{table}`")))?;
    database.rows(root, 0, take)
}

impl Database<'_> {
    /// Hands over the columns of every row of a table.
    fn rows(
        &mut self,
        number: u64,
        depth: u32,
        take: &mut dyn FnMut(&[&[u8]]),
    ) -> Result<(), Refusal> {
        let broken = || Refusal::new(format!("page {number} is broken"));
        let page = self.page(number)?;
        let header = if number == 1 { 100 } else { 0 };
        let count = big_endian(&page, header + 3, 2).ok_or_else(broken)?;
        let kind = page.get(header).copied();
        let pointers = header + if kind == Some(INTERIOR) { 12 } else { 8 };
        if !matches!(kind, Some(INTERIOR | LEAF)) || depth > DEPTH_LIMIT {
            return Err(broken());
        }
        for cell in 0..usize::try_from(count)? {
            let at = big_endian(&page, pointers + 2 * cell, 2).ok_or_else(broken)?;
            let cell = page.get(usize::try_from(at)?..).ok_or_else(broken)?;
            if kind == Some(INTERIOR) {
                let child = big_endian(cell, 0, 4).ok_or_else(broken)?;
                self.rows(child, depth + 1, take)?;
            } else {
                let payload = self.payload(cell)?;
                take(&columns(&payload).ok_or_else(broken)?);
            }
        }
        if kind == Some(INTERIOR) {
            let last = big_endian(&page, header + 8, 4).ok_or_else(broken)?;
            self.rows(last, depth + 1, take)?;
        }
        Ok(())
    }

    fn page(&mut self, number: u64) -> Result<Vec<u8>, Refusal> {
        self.budget = self
            .budget
            .checked_sub(1)
            .ok_or_else(|| Refusal::new("pages form a loop"))?;
        let offset = number
            .checked_sub(1)
            .and_then(|number| number.checked_mul(self.page_size));
        let offset = offset.ok_or_else(|| Refusal::new(format!("there is no page {number}")))?;
        read_exact(self.content, offset, self.page_size)
    }

    /// A leaf cell: length, row number, then the record, which may go on in overflow pages.
    fn payload(&mut self, cell: &[u8]) -> Result<Vec<u8>, Refusal> {
        let broken = || Refusal::new("a cell is broken");
        let (length, rest) = varint(cell).ok_or_else(broken)?;
        let (_, rest) = varint(rest).ok_or_else(broken)?;
        if length > ROW_LIMIT.min(self.content.size()) {
            return Err(Refusal::new(format!("a record of {length} bytes")));
        }
        let length = usize::try_from(length)?;
        let local = self.local_length(length);
        let mut payload = rest.get(..local).ok_or_else(broken)?.to_vec();
        let mut next = big_endian(rest, local, 4)
            .filter(|_| local < length)
            .unwrap_or(0);
        while payload.len() < length && next != 0 {
            let page = self.page(next)?;
            let want = (length - payload.len()).min(self.usable - 4);
            payload.extend_from_slice(page.get(4..4 + want).ok_or_else(broken)?);
            next = big_endian(&page, 0, 4).ok_or_else(broken)?;
        }
        if payload.len() < length {
            Err(broken())
        } else {
            Ok(payload)
        }
    }

    /// How much of a record lies in its leaf ("B-tree Cell Format").
    fn local_length(&self, length: usize) -> usize {
        let most = self.usable - 35;
        if length <= most {
            return length;
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let local = least + (length - least) % (self.usable - 4);
        if local <= most { local } else { least }
    }
}

/// The first columns of a record, numbers as their big-endian bytes.
fn columns(record: &[u8]) -> Option<Vec<&[u8]>> {
    let (header_length, mut types) = varint(record)?;
    let header_length = usize::try_from(header_length).ok()?;
    let consumed = record.len() - types.len();
    types = types.get(..header_length.checked_sub(consumed)?)?;
    let mut body = record.get(header_length..)?;
    let mut columns = Vec::new();
    while !types.is_empty() && columns.len() < COLUMN_LIMIT {
        let (kind, rest) = varint(types)?;
        types = rest;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            // 10 and 11 are for SQLite's own use.
            _ => usize::try_from(kind.checked_sub(12)? / 2).ok()?,
        };
        let (value, rest) = body.split_at_checked(length)?;
        columns.push(value);
        body = rest;
    }
    Some(columns)
}

/// Seven bits a byte, high bit says that more follow; the ninth byte counts in full.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        if at == 8 {
            return Some((value << 8 | u64::from(*byte), &bytes[9..]));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

fn big_endian(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes
        .get(at..)?
        .get(..length)
        .filter(|bytes| bytes.len() <= 8)?;
    Some(
        bytes
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_pages_that_hold_too_little_and_columns_of_no_kind() {
        let mut database = vec![0; 1024];
        database[16..18].copy_from_slice(&512u16.to_be_bytes());
        database[20] = 255;
        let refusal = rows(&database, "a", &mut |_| {}).unwrap_err();
        assert_eq!(refusal.0, "257 usable bytes in a page");
        assert_eq!(columns(&[2, 10]), None);
        assert_eq!(columns(&[2, 8]), Some(vec![&[][..]]));
        let wide = [&[0x81, 0x48][..], &[8; 198]].concat();
        assert_eq!(columns(&wide).unwrap().len(), COLUMN_LIMIT);
    }

    #[test]
    fn reads_variable_length_numbers() {
        assert_eq!(varint(&[0x05, 9]), Some((5, &[9][..])));
        assert_eq!(varint(&[0x81, 0x00]), Some((128, &[][..])));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, &[][..])));
        assert_eq!(varint(&[0x81]), None);
    }
}
