//! Reads an index where it lies; every offset and length is checked when it is used.

use std::collections::{BTreeMap, btree_map};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::Bytes;
use super::build::package_key;
use super::bytes::{Reader, checksum, damaged, hash, item, u32_at, u64_at};
use super::sections::{Meta, Place, Section, digest, places};
use crate::error::Error;
use crate::osv::EventKind;
use crate::severity::{Rating, RatingKind};
use crate::side::{CveFacts, Epss, Exploited};

/// No block of texts unpacks to more: blocks are cut at 64 KiB, one record may be longer.
const LARGEST_BLOCK: usize = 128 * 1024 * 1024;
const KEY_ITEM: usize = 20;
const ID_ITEM: usize = 12;
const TEXT_ITEM: usize = 12;

/// An open index.
#[derive(Debug)]
pub struct Database {
    file: Bytes,
    places: Vec<Place>,
    meta: Meta,
    digest: String,
}

/// The advisories of one package. Its entries name texts by their place in one table, so that a version that many of them
/// name is compared once.
#[derive(Debug)]
pub struct Package<'a> {
    /// The texts that the entries name; every number in an entry lies inside.
    pub texts: Vec<&'a str>,
    /// All entries, in the order of their records.
    pub entries: Vec<Entry<'a>>,
}

/// What one record says of one package.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The number of the record.
    pub record: u32,
    /// Ratings of this package, which replace the record's.
    pub ratings: Vec<Rating<'a>>,
    /// RustSec's word for records that are no vulnerabilities, or empty.
    pub informational: &'a str,
    /// The ranges.
    pub ranges: Vec<EntryRange>,
    /// Versions that are hit by name.
    pub versions: Vec<u32>,
}

/// One range of versions.
#[derive(Debug)]
pub struct EntryRange {
    /// Whether its type is `SEMVER`.
    pub semver: bool,
    /// Its events, as written.
    pub events: Vec<(EventKind, u32)>,
}

/// What a record says of itself.
#[derive(Debug)]
pub struct RecordFacts<'a> {
    /// Its id.
    pub id: &'a str,
    /// When it was last changed, in seconds since 1970.
    pub modified: i64,
    /// When it was published, in seconds since 1970.
    pub published: i64,
    /// Whether it was withdrawn.
    pub withdrawn: bool,
    /// Ids of the same flaw.
    pub aliases: Vec<&'a str>,
    /// Ids of the flaws it is about.
    pub upstream: Vec<&'a str>,
    /// Ids of other records.
    pub related: Vec<&'a str>,
    /// Its ratings.
    pub ratings: Vec<Rating<'a>>,
    /// Where to read more, or empty if that follows from an id.
    pub url: &'a str,
    /// One line on what is wrong.
    pub summary: &'a str,
    /// The number of its group.
    pub group: u32,
    text: (u64, u64, u64),
}

/// The texts of a record.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RecordText {
    /// The long text.
    pub details: String,
    /// Where to read more.
    pub references: Vec<String>,
}

impl Database {
    /// Opens an index file. Nothing but its header, table and description of itself is read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::read(Bytes::open(path)?)
    }

    /// Takes an index that lies in memory.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        Self::read(Bytes::Owned(bytes))
    }

    fn read(file: Bytes) -> Result<Self, Error> {
        let places = places(&file)?;
        let digest = digest(&file);
        let mut database = Self {
            file,
            places,
            meta: Meta::default(),
            digest,
        };
        let meta = database.section(Section::Meta);
        database.meta = serde_json::from_slice(meta)
            .map_err(|_| Error::Damaged("its description cannot be read"))?;
        Ok(database)
    }

    /// What the index says about itself.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The name of the index: a sha256 that covers all of it.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The size of the index in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.file.len()
    }

    /// Checks that this is the pinned index, every byte of it.
    pub fn verify_pin(&self, wanted: &str) -> Result<(), Error> {
        if self.digest != wanted {
            return Err(Error::OtherDigest {
                wanted: wanted.to_owned(),
                found: self.digest.clone(),
            });
        }
        self.verify()
    }

    /// Checks the digest of every section.
    pub fn verify(&self) -> Result<(), Error> {
        for place in &self.places {
            let bytes = self.file.get(place.start..place.end).unwrap_or_default();
            if Sha256::digest(bytes).as_slice() != place.sha256 {
                return Err(Error::Damaged("a section does not have its digest"));
            }
        }
        Ok(())
    }

    /// Whether the index holds anything of an ecosystem.
    #[must_use]
    pub fn has_ecosystem(&self, name: &str) -> bool {
        self.meta
            .ecosystems
            .binary_search_by(|ecosystem| ecosystem.name.as_str().cmp(name))
            .is_ok()
    }

    /// Whether the index has a key with the hash of this package's.
    pub(crate) fn has_package(&self, ecosystem: &str, name: &str) -> bool {
        let wanted = hash(package_key(ecosystem, name).as_bytes());
        let table = self.section(Section::Keys);
        let index = lower_bound(table.len() / KEY_ITEM, |index| {
            item::<KEY_ITEM>(table, index).is_some_and(|row| u64_at(row, 0) < wanted)
        });
        item::<KEY_ITEM>(table, index).is_some_and(|row| u64_at(row, 0) == wanted)
    }

    /// The advisories of a package; the name is in normal form.
    pub fn package(&self, ecosystem: &str, name: &str) -> Result<Option<Package<'_>>, Error> {
        let key = package_key(ecosystem, name);
        let wanted = hash(key.as_bytes());
        let table = self.section(Section::Keys);
        let mut index = lower_bound(table.len() / KEY_ITEM, |index| {
            item::<KEY_ITEM>(table, index).is_some_and(|row| u64_at(row, 0) < wanted)
        });
        while let Some(row) =
            item::<KEY_ITEM>(table, index).filter(|row| u64_at(&row[..], 0) == wanted)
        {
            let payload = slice(
                self.section(Section::Packages),
                u32_at(row, 8),
                u32_at(row, 12),
            )?;
            if checksum(payload) != u32_at(row, 16) {
                return Err(Error::Damaged(
                    "the advisories of a package do not have their checksum",
                ));
            }
            let mut reader = Reader::new(payload);
            if reader.text()? == key {
                return read_package(&mut reader).map(Some);
            }
            index += 1;
        }
        Ok(None)
    }

    /// A record by number.
    pub fn record(&self, number: u32) -> Result<RecordFacts<'_>, Error> {
        let mut reader = self.entry_of(Section::RecordTable, Section::Records, number)?;
        Ok(RecordFacts {
            id: reader.text()?,
            modified: i64::try_from(reader.number()?).unwrap_or(i64::MAX),
            published: i64::try_from(reader.number()?).unwrap_or(i64::MAX),
            withdrawn: reader.number()? != 0,
            aliases: reader.texts()?,
            upstream: reader.texts()?,
            related: reader.texts()?,
            ratings: {
                let count = reader.count()?;
                let rating = |_| {
                    Ok(Rating {
                        kind: read_rating_kind(&mut reader)?,
                        score: reader.text()?.into(),
                    })
                };
                (0..count).map(rating).collect::<Result<_, Error>>()?
            },
            url: reader.text()?,
            summary: reader.text()?,
            text: (reader.number()?, reader.number()?, reader.number()?),
            group: reader.small()?,
        })
    }

    /// The ids of an alias group, sorted, and the numbers of its records.
    pub fn group(&self, number: u32) -> Result<(Vec<&str>, Vec<u32>), Error> {
        let mut reader = self.entry_of(Section::GroupTable, Section::Groups, number)?;
        let ids = reader.texts()?;
        let count = reader.count()?;
        let records = (0..count)
            .map(|_| reader.small())
            .collect::<Result<_, _>>()?;
        Ok((ids, records))
    }

    /// The group that an id belongs to.
    pub fn find(&self, id: &str) -> Result<Option<u32>, Error> {
        let wanted = hash(id.as_bytes());
        let table = self.section(Section::Ids);
        let mut index = lower_bound(table.len() / ID_ITEM, |index| {
            item::<ID_ITEM>(table, index).is_some_and(|row| u64_at(row, 0) < wanted)
        });
        while let Some(row) =
            item::<ID_ITEM>(table, index).filter(|row| u64_at(&row[..], 0) == wanted)
        {
            let group = u32_at(row, 8);
            if self.group(group)?.0.contains(&id) {
                return Ok(Some(group));
            }
            index += 1;
        }
        Ok(None)
    }

    /// What side data says of a CVE.
    pub fn cve(&self, id: &str) -> Result<Option<CveFacts>, Error> {
        let count = self.section(Section::CveTable).len() / 4;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            let number = u32::try_from(middle).map_err(|_| Error::Damaged("too many CVEs"))?;
            let mut reader = self.entry_of(Section::CveTable, Section::Cves, number)?;
            match reader.text()?.cmp(id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return read_facts(&mut reader).map(Some),
            }
        }
        Ok(None)
    }

    /// The texts of records. Each block that holds any is unpacked once.
    pub fn texts(&self, records: &[RecordFacts<'_>]) -> Result<Vec<RecordText>, Error> {
        let mut blocks: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let mut texts = Vec::with_capacity(records.len());
        for record in records {
            let (number, start, length) = record.text;
            let block = match blocks.entry(number) {
                btree_map::Entry::Occupied(block) => block.into_mut(),
                btree_map::Entry::Vacant(place) => place.insert(self.text_block(number)?),
            };
            let range = usize::try_from(start)
                .ok()
                .zip(usize::try_from(length).ok());
            let range = range.and_then(|(start, length)| Some(start..start.checked_add(length)?));
            let bytes = range
                .and_then(|range| block.get(range))
                .ok_or_else(|| damaged("a text lies outside its block"))?;
            let mut reader = Reader::new(bytes);
            let details = reader.text()?.to_owned();
            let references = reader.texts()?.into_iter().map(str::to_owned).collect();
            texts.push(RecordText {
                details,
                references,
            });
        }
        Ok(texts)
    }

    fn text_block(&self, number: u64) -> Result<Vec<u8>, Error> {
        let number =
            usize::try_from(number).map_err(|_| Error::Damaged("a text lies in no block"))?;
        let row = item::<TEXT_ITEM>(self.section(Section::TextTable), number);
        let row = row.ok_or_else(|| damaged("a text lies in no block"))?;
        let packed = slice(self.section(Section::Texts), u32_at(row, 0), u32_at(row, 4))?;
        let size = u32_at(row, 8) as usize;
        if size > LARGEST_BLOCK {
            return Err(Error::Damaged("a block of texts is too big"));
        }
        zstd::bulk::decompress(packed, size)
            .map_err(|_| Error::Damaged("a block of texts cannot be unpacked"))
    }

    fn section(&self, section: Section) -> &[u8] {
        let place = self.places.get(section.position());
        place
            .and_then(|place| self.file.get(place.start..place.end))
            .unwrap_or_default()
    }

    /// A reader at the `number`th entry of a section whose offsets stand in a table.
    fn entry_of(&self, table: Section, section: Section, number: u32) -> Result<Reader<'_>, Error> {
        let row = item::<4>(self.section(table), number as usize)
            .ok_or_else(|| damaged("a reference leads nowhere"))?;
        let start = u32::from_le_bytes(*row) as usize;
        let bytes = self
            .section(section)
            .get(start..)
            .ok_or_else(|| damaged("a reference leads nowhere"))?;
        Ok(Reader::new(bytes))
    }
}

#[cfg(test)]
impl Database {
    /// An index of OSV records.
    pub(crate) fn of_records(records: &[&str]) -> Self {
        let mut builder = super::Builder::new();
        for text in records {
            let record = crate::osv::Record::parse(text.as_bytes()).unwrap();
            builder.add(&record).unwrap();
        }
        Self::from_bytes(builder.finish().unwrap()).unwrap()
    }
}

/// The first index for which `before` no longer holds.
fn lower_bound(count: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn slice(bytes: &[u8], start: u32, length: u32) -> Result<&[u8], Error> {
    let start = start as usize;
    let end = start
        .checked_add(length as usize)
        .ok_or_else(|| damaged("a reference leads nowhere"))?;
    bytes
        .get(start..end)
        .ok_or_else(|| damaged("a reference leads nowhere"))
}

fn read_package<'a>(reader: &mut Reader<'a>) -> Result<Package<'a>, Error> {
    let texts = reader.texts()?;
    let count = reader.count()?;
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        entries.push(read_entry(reader, &texts)?);
    }
    Ok(Package { texts, entries })
}

fn read_entry<'a>(reader: &mut Reader<'a>, texts: &[&'a str]) -> Result<Entry<'a>, Error> {
    let record = reader.small()?;
    let mut ratings = Vec::new();
    for _ in 0..reader.count()? {
        ratings.push(Rating {
            kind: read_rating_kind(reader)?,
            score: read_text(reader, texts)?.into(),
        });
    }
    let informational = read_text(reader, texts)?;
    let count = reader.count()?;
    let mut ranges = Vec::with_capacity(count);
    for _ in 0..count {
        let semver = reader.number()? != 0;
        let events = reader.count()?;
        let mut range = EntryRange {
            semver,
            events: Vec::with_capacity(events),
        };
        for _ in 0..events {
            let code = reader.small()? as usize;
            let (kind, _) = EventKind::ALL
                .get(code)
                .ok_or_else(|| damaged("an event has an unknown kind"))?;
            range.events.push((*kind, read_text_number(reader, texts)?));
        }
        ranges.push(range);
    }
    let count = reader.count()?;
    let mut versions = Vec::with_capacity(count);
    for _ in 0..count {
        versions.push(read_text_number(reader, texts)?);
    }
    Ok(Entry {
        record,
        ratings,
        informational,
        ranges,
        versions,
    })
}

fn read_text_number(reader: &mut Reader<'_>, texts: &[&str]) -> Result<u32, Error> {
    let number = reader.small()?;
    if number as usize >= texts.len() {
        return Err(Error::Damaged("an entry names a text that is not there"));
    }
    Ok(number)
}

fn read_text<'a>(reader: &mut Reader<'a>, texts: &[&'a str]) -> Result<&'a str, Error> {
    let number = read_text_number(reader, texts)?;
    Ok(texts.get(number as usize).copied().unwrap_or_default())
}

fn read_rating_kind(reader: &mut Reader<'_>) -> Result<RatingKind, Error> {
    let code = reader.small()? as usize;
    RatingKind::ALL
        .get(code)
        .copied()
        .ok_or_else(|| damaged("a rating has an unknown kind"))
}

fn read_facts(reader: &mut Reader<'_>) -> Result<CveFacts, Error> {
    let mut facts = CveFacts::default();
    if reader.number()? != 0 {
        facts.exploited = Some(Exploited {
            added: reader.text()?.to_owned(),
            ransomware: reader.number()? != 0,
        });
    }
    if reader.number()? != 0 {
        facts.epss = Some(Epss {
            score: reader.small()?,
            percentile: reader.small()?,
        });
    }
    for _ in 0..reader.count()? {
        facts
            .vectors
            .push((reader.text()?.to_owned(), reader.text()?.to_owned()));
    }
    Ok(facts)
}
