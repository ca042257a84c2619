//! The sections of the index and its description of itself.

use barge_image::Digest;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::VERSION;
use super::bytes::{Reader, checksum, damaged, item, position, put_number, u32_at, u64_at};
use crate::error::Error;

pub(super) const MAGIC: &[u8; 8] = b"bargevdb";
pub(super) const HEADER: usize = 16;
pub(super) const TABLE_ITEM: usize = 48;

/// The sections, in the order in which they stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// The description of the index, JSON.
    Meta,
    /// Keys sorted by hash: hash, offset, length and checksum of the payload.
    Keys,
    /// Payloads of keys: the advisories of each package.
    Packages,
    /// Offsets of records.
    RecordTable,
    /// Records.
    Records,
    /// Offsets of alias groups.
    GroupTable,
    /// Alias groups.
    Groups,
    /// Ids sorted by hash: hash, group.
    Ids,
    /// Offsets of CVE facts, sorted by id.
    CveTable,
    /// CVE facts: KEV, EPSS, CVSS.
    Cves,
    /// Blocks of texts: offset, length, length unpacked.
    TextTable,
    /// Texts, in blocks of zstd.
    Texts,
}

pub(super) const SECTIONS: usize = 12;

impl Section {
    pub(super) fn position(self) -> usize {
        self as usize
    }
}

/// What an index says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Where the records came from.
    pub sources: Vec<Source>,
    /// How many records it holds, withdrawn ones included.
    pub records: u64,
    /// How many of them are withdrawn.
    pub withdrawn: u64,
    /// When the newest record was changed (RFC 3339): the date of the data.
    pub newest: String,
    /// The ecosystems with what it holds of each, sorted.
    pub ecosystems: Vec<Ecosystem>,
    /// CVE ids with facts from side data.
    pub cves: u64,
    /// What could not be read, in number.
    pub problems: u64,
    /// The first of these, by name.
    pub problem_examples: Vec<String>,
}

impl Meta {
    /// The date of the data, seen from a point in time: the newest date of a source that is not after it. Some records
    /// carry dates of the future, which must not make old data look new.
    #[must_use]
    pub fn newest_before(&self, now: Timestamp) -> Option<Timestamp> {
        let dates = self
            .sources
            .iter()
            .filter_map(|source| source.newest.parse::<Timestamp>().ok());
        dates.filter(|date| *date <= now).max()
    }

    /// How many whole days old its newest record is.
    #[must_use]
    pub fn age_days(&self, now: Timestamp) -> Option<i64> {
        let newest = self.newest_before(now)?;
        Some((now.as_second() - newest.as_second()) / (24 * 60 * 60))
    }

    /// How many days ago an ecosystem's archive was last found to be the newest that there is; only known of what was
    /// fetched by `barge db update`.
    #[must_use]
    pub fn checked_days(&self, ecosystem: &str, now: Timestamp) -> Option<i64> {
        let is_own = |source: &&Source| source.name.split('/').next() == Some(ecosystem);
        let own = self.sources.iter().filter(is_own);
        let checked = own.filter_map(|source| source.checked).max()?;
        let today = now.to_zoned(TimeZone::UTC).date();
        let days = today.since((Unit::Day, checked)).ok()?.get_days();
        Some(i64::from(days).max(0))
    }
}

/// One archive or folder of records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its path below the folder that was compiled.
    pub name: String,
    /// The sha256 of its bytes.
    pub sha256: String,
    /// How many records it gave.
    pub records: u64,
    /// When its newest record was changed (RFC 3339).
    pub newest: String,
    /// The day on which `barge db update` last found it to be what the server has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<Date>,
}

/// What the index holds of one ecosystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ecosystem {
    /// The ecosystem with its suffix.
    pub name: String,
    /// How many packages.
    pub packages: u64,
    /// How many entries: a record counts once for each package and range set it names.
    pub entries: u64,
}

/// Adds an entry to a section, with its checksum and length before it, and its offset to the section's table.
pub(super) fn put_entry(
    sections: &mut [Vec<u8>; SECTIONS],
    [table, section]: [Section; 2],
    entry: &[u8],
) -> Result<(), Error> {
    let start = position(sections[section.position()].len())?;
    let table = &mut sections[table.position()];
    let number = position(table.len() / size_of::<u32>())?;
    table.extend_from_slice(&start.to_le_bytes());
    let out = &mut sections[section.position()];
    out.extend_from_slice(&entry_checksum(number, entry).to_le_bytes());
    put_number(out, entry.len() as u64);
    out.extend_from_slice(entry);
    Ok(())
}

/// Reads the `number`th entry of a section whose offsets stand in a table.
pub(super) fn entry<'a>(table: &[u8], section: &'a [u8], number: u32) -> Result<Reader<'a>, Error> {
    let nowhere = || damaged("a reference leads nowhere");
    let row = item::<4>(table, number as usize).ok_or_else(nowhere)?;
    let entry = section.get(u32::from_le_bytes(*row) as usize..);
    let (sum, rest) = entry
        .and_then(|entry| entry.split_first_chunk::<4>())
        .ok_or_else(nowhere)?;
    let mut reader = Reader::new(rest);
    let entry = reader.bytes()?;
    if entry_checksum(number, entry).to_le_bytes() != *sum {
        return Err(damaged("an entry does not have its checksum"));
    }
    Ok(Reader::new(entry))
}

/// Of the entry and its number: another entry, however whole, is not the one that was asked for.
fn entry_checksum(number: u32, entry: &[u8]) -> u32 {
    checksum(entry) ^ number
}

/// Lays sections out in one file.
pub(super) fn assemble(sections: [Vec<u8>; SECTIONS]) -> Vec<u8> {
    let mut offset = (HEADER + SECTIONS * TABLE_ITEM) as u64;
    let mut file = Vec::with_capacity(sections.iter().map(Vec::len).sum::<usize>() + 1024);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&VERSION.to_le_bytes());
    file.extend_from_slice(&u32::try_from(SECTIONS).unwrap_or(0).to_le_bytes());
    for section in &sections {
        file.extend_from_slice(&offset.to_le_bytes());
        file.extend_from_slice(&(section.len() as u64).to_le_bytes());
        file.extend_from_slice(&Sha256::digest(section));
        offset += section.len() as u64;
    }
    for section in sections {
        file.extend_from_slice(&section);
    }
    file
}

/// One row of the section table.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) sha256: [u8; 32],
}

/// Reads header and table; every section lies inside the file.
pub(super) fn places(file: &[u8]) -> Result<Vec<Place>, Error> {
    let header = file
        .get(..HEADER)
        .ok_or(Error::NotAnIndex("it is too short"))?;
    if &header[..8] != MAGIC {
        return Err(Error::NotAnIndex("it does not start like one"));
    }
    let found = u32_at(header, 8);
    if found != VERSION {
        return Err(Error::OtherFormat { found });
    }
    if u32_at(header, 12) as usize != SECTIONS {
        return Err(Error::Damaged("the number of sections is wrong"));
    }
    let table = file
        .get(HEADER..HEADER + SECTIONS * TABLE_ITEM)
        .ok_or(Error::Damaged("its table is cut short"))?;
    let mut expected = HEADER + SECTIONS * TABLE_ITEM;
    let mut places = Vec::with_capacity(SECTIONS);
    for row in table.chunks_exact(TABLE_ITEM) {
        let start = usize::try_from(u64_at(row, 0))
            .map_err(|_| Error::Damaged("a section lies outside the file"))?;
        let length = usize::try_from(u64_at(row, 8))
            .map_err(|_| Error::Damaged("a section lies outside the file"))?;
        let end = start.checked_add(length).filter(|end| *end <= file.len());
        let end = end.ok_or(Error::Damaged("it is cut short"))?;
        if start != expected {
            return Err(Error::Damaged("its sections do not follow each other"));
        }
        expected = end;
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(&row[16..48]);
        places.push(Place { start, end, sha256 });
    }
    if expected != file.len() {
        return Err(Error::Damaged("bytes follow its last section"));
    }
    Ok(places)
}

/// The name of an index: the sha256 of its header and section table.
pub(super) fn digest(file: &[u8]) -> Digest {
    Digest::of(file.get(..HEADER + SECTIONS * TABLE_ITEM).unwrap_or(file))
}
