//! Zip archives by their central directory (PKWARE APPNOTE 6.3, sections 4.3.7 to 4.3.16, zip64 included). Programs in
//! front of an archive are allowed, as in self-running jars. Everything a header may ask for is bounded.

use std::io::Read as _;

use barge_image::layer::Content;

use crate::finding::Refusal;

const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";
/// The end record and the longest comment.
const TAIL: u64 = 22 + 65535;
const DIRECTORY_LIMIT: u64 = 128 << 20;

/// An entry of the central directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) size: u64,
    packed_size: u64,
    method: u16,
    /// Where its local header is, from the start of the content.
    offset: u64,
}

/// An open archive.
pub(crate) struct Archive<'a> {
    content: &'a dyn Content,
    pub(crate) entries: Vec<Entry>,
}

impl<'a> Archive<'a> {
    pub(crate) fn open(content: &'a dyn Content) -> Result<Self, Refusal> {
        let tail_start = content.size().saturating_sub(TAIL);
        let tail = content.range(tail_start, TAIL)?;
        let at = tail
            .windows(END.len())
            .rposition(|window| window == END)
            .ok_or_else(|| Refusal::new("no end of a zip archive"))?;
        let end_at = tail_start + at as u64;
        let end = tail.get(at..).unwrap_or_default();
        let directory = match zip64(content, end_at) {
            Some(directory) => Some(directory),
            None => Directory::from_end(end, end_at),
        };
        let cut = || Refusal::new("the zip archive's end is broken");
        let directory = directory.ok_or_else(cut)?;
        if directory.size > DIRECTORY_LIMIT {
            return Err(Refusal::new(format!(
                "a zip directory of {} bytes",
                directory.size
            )));
        }
        let start = directory.end.checked_sub(directory.size).ok_or_else(cut)?;
        // What lies in front of the archive shifts every offset in it.
        let shift = start.checked_sub(directory.offset).ok_or_else(cut)?;
        let bytes = content.range(start, directory.size)?;
        Ok(Self {
            content,
            entries: entries(&bytes, shift),
        })
    }

    /// The unpacked bytes of an entry, if they are at most `limit`, whatever its header says.
    pub(crate) fn read(&self, entry: &Entry, limit: u64) -> Result<Vec<u8>, Refusal> {
        if entry.size > limit {
            return Err(Refusal::new(format!(
                "`{}` unpacks to {} bytes",
                entry.name, entry.size
            )));
        }
        let header = self.content.range(entry.offset, 30)?;
        let lengths = (u16_at(&header, 26), u16_at(&header, 28));
        let (true, (Some(name), Some(extra))) = (header.starts_with(LOCAL), lengths) else {
            return Err(Refusal::new(format!(
                "`{}` is not where the directory says",
                entry.name
            )));
        };
        let data = entry.offset + 30 + u64::from(name) + u64::from(extra);
        let packed = self.content.range(data, entry.packed_size)?;
        let mut bytes = Vec::new();
        match entry.method {
            0 => bytes = packed,
            8 => {
                flate2::read::DeflateDecoder::new(packed.as_slice())
                    .take(limit + 1)
                    .read_to_end(&mut bytes)?;
            }
            other => {
                return Err(Refusal::new(format!(
                    "`{}` is packed by method {other}",
                    entry.name
                )));
            }
        }
        if bytes.len() as u64 > limit {
            return Err(Refusal::new(format!(
                "`{}` unpacks to more than {limit} bytes",
                entry.name
            )));
        }
        Ok(bytes)
    }
}

struct Directory {
    offset: u64,
    size: u64,
    /// Where it ends in the content.
    end: u64,
}

impl Directory {
    fn from_end(end: &[u8], at: u64) -> Option<Self> {
        // The length of the comment is the record's last field.
        u16_at(end, 20)?;
        Some(Self {
            size: u64::from(u32_at(end, 12)?),
            offset: u64::from(u32_at(end, 16)?),
            end: at,
        })
    }
}

fn zip64(content: &dyn Content, end_at: u64) -> Option<Directory> {
    let locator_at = end_at.checked_sub(20)?;
    let locator = content.range(locator_at, 20).ok()?;
    if !locator.starts_with(LOCATOR_64) {
        return None;
    }
    // The record lies in front of its locator; what is in front of the archive is not known yet.
    let at = locator_at.checked_sub(56)?;
    let end = content.range(at, 56).ok()?;
    end.starts_with(END_64).then_some(Directory {
        size: u64_at(&end, 40)?,
        offset: u64_at(&end, 48)?,
        end: at,
    })
}

fn entries(mut bytes: &[u8], shift: u64) -> Vec<Entry> {
    let mut entries = Vec::new();
    while let Some((entry, rest)) = entry(bytes, shift) {
        entries.push(entry);
        bytes = rest;
    }
    entries
}

fn entry(bytes: &[u8], shift: u64) -> Option<(Entry, &[u8])> {
    if !bytes.starts_with(ENTRY) {
        return None;
    }
    let lengths = [u16_at(bytes, 28)?, u16_at(bytes, 30)?, u16_at(bytes, 32)?].map(usize::from);
    let name_end = 46 + lengths[0];
    let extra_end = name_end + lengths[1];
    let rest = bytes.get(extra_end + lengths[2]..)?;
    let mut packed_size = u64::from(u32_at(bytes, 20)?);
    let mut size = u64::from(u32_at(bytes, 24)?);
    let mut offset = u64::from(u32_at(bytes, 42)?);
    let mut wide = extra_64(bytes.get(name_end..extra_end)?);
    for field in [&mut size, &mut packed_size, &mut offset] {
        if *field == u64::from(u32::MAX) {
            *field = u64_at(wide, 0)?;
            wide = wide.get(8..)?;
        }
    }
    let entry = Entry {
        name: String::from_utf8_lossy(bytes.get(46..name_end)?).into_owned(),
        size,
        packed_size,
        method: u16_at(bytes, 10)?,
        offset: offset.checked_add(shift)?,
    };
    Some((entry, rest))
}

/// The extra field that holds what does not fit into 32 bits.
fn extra_64(mut extra: &[u8]) -> &[u8] {
    while let (Some(id), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let end = 4 + usize::from(length);
        let field = extra.get(4..end).unwrap_or_default();
        if id == 1 {
            return field;
        }
        extra = extra.get(end..).unwrap_or_default();
    }
    &[]
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|bytes| u16::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|bytes| u32::from_le_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write as _;

    use super::*;

    /// An archive of these files, every second one stored.
    pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (number, (name, content)) in files.iter().enumerate() {
            let method = u16::from(number % 2 == 0) * 8;
            let packed = if method == 8 {
                let level = flate2::Compression::fast();
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            } else {
                content.to_vec()
            };
            let offset = u32::try_from(out.len()).unwrap();
            let sizes = [packed.len(), content.len()].map(|size| u32::try_from(size).unwrap());
            let name_length = u16::try_from(name.len()).unwrap();
            let mut common = Vec::new();
            for field in [20, 0, method, 0, 0] {
                common.extend(u16::to_le_bytes(field));
            }
            for field in [0, sizes[0], sizes[1]] {
                common.extend(field.to_le_bytes());
            }
            common.extend(name_length.to_le_bytes());
            common.extend([0, 0]);
            out.extend([LOCAL, &common, name.as_bytes(), &packed].concat());
            directory.extend(
                [
                    ENTRY,
                    &[20, 0],
                    &common,
                    &[0; 10],
                    &offset.to_le_bytes(),
                    name.as_bytes(),
                ]
                .concat(),
            );
        }
        let offset = u32::try_from(out.len()).unwrap();
        let size = u32::try_from(directory.len()).unwrap();
        out.extend(directory);
        let count = u16::try_from(files.len()).unwrap().to_le_bytes();
        out.extend(
            [
                END,
                &[0; 4],
                &count,
                &count,
                &size.to_le_bytes(),
                &offset.to_le_bytes(),
                &[0; 2],
            ]
            .concat(),
        );
        out
    }

    #[test]
    fn reads_entries_with_a_program_in_front() {
        let plain = archive(&[("a.txt", b"hello hello hello"), ("b/c", b"x")]);
        for bytes in [plain.clone(), [&b"#!/bin/sh\nexit\n"[..], &plain].concat()] {
            let archive = Archive::open(&bytes).unwrap();
            let read = |at: usize| archive.read(&archive.entries[at], 100).unwrap();
            assert_eq!(archive.entries[1].name, "b/c");
            assert_eq!(
                (read(0), read(1)),
                (b"hello hello hello".to_vec(), b"x".to_vec())
            );
            assert!(archive.read(&archive.entries[0], 5).is_err());
        }
    }

    #[test]
    fn a_size_that_lies_is_found_out() {
        let mut bytes = archive(&[("bomb", &[0; 100_000])]);
        let at = bytes
            .windows(4)
            .rposition(|window| window == ENTRY)
            .unwrap();
        bytes[at + 24..at + 28].copy_from_slice(&10u32.to_le_bytes());
        let archive = Archive::open(&bytes).unwrap();
        assert!(archive.read(&archive.entries[0], 1000).is_err());
    }

    #[test]
    fn every_cut_is_an_error_or_readable() {
        let bytes = archive(&[("a", b"1"), ("b", b"2")]);
        for end in 0..bytes.len() {
            assert!(Archive::open(&bytes[..end].to_vec()).is_err(), "{end}");
        }
    }
}
