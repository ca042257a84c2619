//! Numbers and texts as the index holds them: LEB128 varints and texts with their length before them.

use crate::error::Error;

/// Writes a varint.
pub(super) fn put_number(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Writes a list of numbers with its length.
pub(super) fn put_numbers(out: &mut Vec<u8>, numbers: &[u32]) {
    put_number(out, numbers.len() as u64);
    for number in numbers {
        put_number(out, u64::from(*number));
    }
}

/// A place in a section, or a number of one of its items, as the index holds it.
pub(super) fn position(position: usize) -> Result<u32, Error> {
    u32::try_from(position).map_err(|_| Error::TooBig("a section is over 4 GiB"))
}

/// Writes bytes with their length.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Writes a text with its length.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

/// Writes a list of texts with its length.
pub(super) fn put_texts<'a>(out: &mut Vec<u8>, texts: impl ExactSizeIterator<Item = &'a str>) {
    put_number(out, texts.len() as u64);
    for text in texts {
        put_text(out, text);
    }
}

/// Writes texts as one: their number, the length of each, then all of them.
pub(super) fn put_joined(out: &mut Vec<u8>, texts: &[&str]) {
    put_number(out, texts.len() as u64);
    for text in texts {
        put_number(out, text.len() as u64);
    }
    put_text(out, &texts.concat());
}

/// The error of bytes that are not what was written.
#[cold]
pub(super) fn damaged(reason: &'static str) -> Error {
    Error::Damaged(reason)
}

/// Reads what was written; every step is checked, so damaged bytes give an error.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn number(&mut self) -> Result<u64, Error> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self
                .rest
                .split_first()
                .ok_or_else(|| damaged("a number is cut short"))?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Error::Damaged("a number is too long"))
    }

    /// Reads a number that is used as a position or a small code.
    pub(super) fn small(&mut self) -> Result<u32, Error> {
        u32::try_from(self.number()?).map_err(|_| Error::Damaged("a number is out of range"))
    }

    /// Reads the length of a list; each item takes at least one byte, so a longer list is a lie.
    pub(super) fn count(&mut self) -> Result<usize, Error> {
        let count =
            usize::try_from(self.number()?).map_err(|_| Error::Damaged("a list is too long"))?;
        if count > self.rest.len() {
            return Err(Error::Damaged("a list is longer than what holds it"));
        }
        Ok(count)
    }

    /// Reads a list with its length before it.
    pub(super) fn list<Item, List: Default + Extend<Item>>(
        &mut self,
        read: impl Fn(&mut Self) -> Result<Item, Error>,
    ) -> Result<List, Error> {
        let mut list = List::default();
        for _ in 0..self.count()? {
            list.extend([read(self)?]);
        }
        Ok(list)
    }

    /// Reads texts that were written as one.
    pub(super) fn joined(&mut self) -> Result<Vec<&'a str>, Error> {
        let lengths = self.count()?;
        let mut ends = *self;
        for _ in 0..lengths {
            self.number()?;
        }
        let mut rest = self.text()?;
        let mut texts = Vec::with_capacity(lengths);
        for _ in 0..lengths {
            let text = usize::try_from(ends.number()?)
                .ok()
                .and_then(|length| rest.split_at_checked(length));
            let (text, after) = text.ok_or_else(|| damaged("a text is cut short"))?;
            texts.push(text);
            rest = after;
        }
        Ok(texts)
    }

    /// Whether all was read.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads bytes with their length before them.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let length = self.count()?;
        let (bytes, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| damaged("a text is cut short"))?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Error> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Error::Damaged("a text is not UTF-8"))
    }
}

/// Reads the `index`th item of a table of fixed-size items.
pub(super) fn item<const SIZE: usize>(table: &[u8], index: usize) -> Option<&[u8; SIZE]> {
    let start = index.checked_mul(SIZE)?;
    table.get(start..start.checked_add(SIZE)?)?.try_into().ok()
}

/// Reads a little-endian `u32` at a place inside a fixed-size item.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|four| four.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

/// Reads a little-endian `u64` at a place inside a fixed-size item.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 8)
        .and_then(|eight| eight.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

/// FNV-1a, 64 bits: finds keys.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// CRC-32: notices damage. Who means harm can forge it, and any other that stands beside what it covers.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}
