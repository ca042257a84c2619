//! A layer's index as bytes, so that a layer seen before need not be read again.
//!
//! The bytes carry their own digest, and reading them trusts no number: a damaged or foreign file is none, never a panic.
//! Findings are JSON, because their shape changes with the program; what changes it must be part of the cache's key.
//!
//! A second commit spends its time here, so the names come first and stay where they were unpacked.

use std::collections::BTreeMap;
use std::io::Read as _;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::index::{Backing, Entry, EntryKind, LayerIndex, Span, Unreadable};
use crate::digest::Digest;
use crate::tar::SparseMap;

const MAGIC: &[u8] = b"barge layer index 4\n";
/// The largest index that is unpacked, in bytes.
const LIMIT: u64 = 4 << 30;
const LEVEL: i32 = 1;
/// Memory is set aside for up to so many times the packed length.
const EXPECTED_RATIO: u64 = 32;

impl<F: Serialize + DeserializeOwned> LayerIndex<F> {
    /// The index as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.names.len() + self.entries.len() * ENTRY);
        body.extend_from_slice(&self.names);
        put_number(&mut body, self.directories.len());
        for span in &self.directories {
            put_span(&mut body, *span);
        }
        put_number(&mut body, self.links.len());
        for span in &self.links {
            put_span(&mut body, *span);
        }
        put_number(&mut body, self.entries.len());
        for entry in &self.entries {
            put_entry(&mut body, entry);
        }
        let facts = (
            &self.diff_id,
            &self.findings,
            &self.unreadable,
            &self.broken,
            sparse_to_fields(&self.sparse),
        );
        put_bytes(&mut body, &serde_json::to_vec(&facts).unwrap_or_default());
        put_number(&mut body, self.names.len());
        // Packing in memory cannot fail; if it did, the digest would be that of nothing.
        let packed = zstd::bulk::compress(&body, LEVEL).unwrap_or_default();
        [MAGIC, Digest::of(&packed).hex().as_bytes(), &packed].concat()
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` for anything else. Contents cannot be had from it.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (hex, packed) = rest.split_at_checked(64)?;
        if Digest::of(packed).hex().as_bytes() != hex {
            return None;
        }
        let mut names = unpack(packed)?;
        let (fields, length) = names.split_last_chunk()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let mut reader = Fields(fields.get(length..)?);
        let directories = reader.list(span)?;
        let links = reader.list(span)?;
        let entries = reader.list(entry)?;
        let (diff_id, findings, unreadable, broken, sparse): (_, _, Vec<Unreadable>, _, _) =
            serde_json::from_slice(reader.bytes()?).ok()?;
        // The fields lie behind the names, and take three times their memory where files have short ones.
        names.truncate(length);
        names.shrink_to_fit();
        Some(Self {
            diff_id,
            findings,
            unreadable,
            broken,
            names,
            directories,
            entries,
            links,
            sparse: sparse_from_fields(sparse)?,
            backing: Backing::Nowhere,
        })
    }
}

/// The map of a sparse file: where its content begins, its length, and the pairs of offset and length.
type SparseFields = (u64, u64, Vec<u64>);

fn sparse_to_fields(maps: &BTreeMap<u64, SparseMap>) -> Vec<SparseFields> {
    let fields = maps
        .iter()
        .map(|(offset, map)| (*offset, map.size(), map.numbers()));
    fields.collect()
}

fn sparse_from_fields(maps: Vec<SparseFields>) -> Option<BTreeMap<u64, SparseMap>> {
    let read = |(offset, size, numbers): SparseFields| {
        let lengths = numbers.iter().skip(1).step_by(2);
        let stored = lengths.copied().try_fold(0, u64::checked_add)?;
        Some((offset, SparseMap::new(size, &numbers, stored)?))
    };
    maps.into_iter().map(read).collect()
}

/// Unpacks a frame into memory that is as large as it says, within reason.
fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let size = zstd::zstd_safe::get_frame_content_size(packed).ok()??;
    let expected = size.min((packed.len() as u64).saturating_mul(EXPECTED_RATIO));
    let mut body = Vec::with_capacity(usize::try_from(expected).ok()?);
    let decoder = zstd::Decoder::with_buffer(packed).ok()?;
    decoder.take(LIMIT).read_to_end(&mut body).ok()?;
    Some(body)
}

/// The length of an entry, in bytes.
const ENTRY: usize = 36;
/// The length of a span, in bytes.
const SPAN: usize = 8;

fn put_number(out: &mut Vec<u8>, number: usize) {
    out.extend((number as u64).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_span(out: &mut Vec<u8>, span: Span) {
    out.extend(span.start.to_le_bytes());
    out.extend(span.length.to_le_bytes());
}

fn put_entry(out: &mut Vec<u8>, entry: &Entry) {
    let kind: u8 = match entry.kind {
        EntryKind::File => 0,
        EntryKind::HardLink => 1,
        EntryKind::Symlink => 2,
        EntryKind::Directory => 3,
        EntryKind::Special => 4,
    };
    out.extend(entry.directory.to_le_bytes());
    out.extend(entry.name_start.to_le_bytes());
    out.extend(entry.link.to_le_bytes());
    out.extend(entry.name_length.to_le_bytes());
    out.extend(entry.mode.to_le_bytes());
    out.extend([kind, u8::from(entry.sparse), 0, 0]);
    out.extend(entry.size.to_le_bytes());
    out.extend(entry.offset.to_le_bytes());
}

fn span(bytes: &[u8; SPAN]) -> Option<Span> {
    Some(Span {
        start: u32::from_le_bytes(*bytes.first_chunk()?),
        length: u32::from_le_bytes(*bytes.last_chunk()?),
    })
}

fn entry(bytes: &[u8; ENTRY]) -> Option<Entry> {
    let u32_at = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let u16_at = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let u64_at = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    Some(Entry {
        directory: u32_at(0)?,
        name_start: u32_at(4)?,
        link: u32_at(8)?,
        name_length: u16_at(12)?,
        mode: u16_at(14)?,
        kind: match bytes.get(16)? {
            0 => EntryKind::File,
            1 => EntryKind::HardLink,
            2 => EntryKind::Symlink,
            3 => EntryKind::Directory,
            4 => EntryKind::Special,
            _ => return None,
        },
        sparse: *bytes.get(17)? != 0,
        size: u64_at(20)?,
        offset: u64_at(28)?,
    })
}

/// Reads field after field.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Option<usize> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        usize::try_from(u64::from_le_bytes(*number)).ok()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn list<const N: usize, T>(&mut self, read: fn(&[u8; N]) -> Option<T>) -> Option<Vec<T>> {
        let length = self.number()?.checked_mul(N)?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        let (items, _) = bytes.as_chunks::<N>();
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            list.push(read(item)?);
        }
        Some(list)
    }
}
