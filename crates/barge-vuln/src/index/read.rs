//! Reads an index where it lies; every offset and length is checked when it is used.

use std::collections::{BTreeMap, btree_map};
use std::path::Path;
use std::sync::OnceLock;

use barge_image::Digest;

use super::Bytes;
use super::bytes::{Reader, checksum, damaged, hash, item, u32_at, u64_at};
use super::cves::read_facts;
use super::decode::read_record;
use super::entry::Package;
use super::packages::package_key;
use super::sections::{Meta, Place, Section, digest, entry, places};
use crate::error::Error;
use crate::severity::Rating;
use crate::side::CveFacts;
use sha2::{Digest as _, Sha256};
use smallvec::SmallVec;

/// No block of texts unpacks to more: blocks are cut at 64 KiB, one record may be longer.
const LARGEST_BLOCK: usize = 128 * 1024 * 1024;
pub(super) const KEY_ITEM: usize = 20;
const ID_ITEM: usize = 12;
const TEXT_ITEM: usize = 12;

/// An open index.
#[derive(Debug)]
pub struct Database {
    file: Bytes,
    places: Vec<Place>,
    meta: Meta,
    digest: Digest,
    /// Whether the table of packages has its digest, once somebody asked.
    keys_are_sound: OnceLock<bool>,
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
    pub aliases: SmallVec<[&'a str; 2]>,
    /// Ids of the flaws it is about.
    pub upstream: SmallVec<[&'a str; 1]>,
    /// Ids of other records.
    pub related: SmallVec<[&'a str; 1]>,
    /// Its ratings.
    pub ratings: SmallVec<[Rating<'a>; 1]>,
    /// Where to read more, or empty if that follows from an id.
    pub url: &'a str,
    /// One line on what is wrong.
    pub summary: &'a str,
    /// The number of its group.
    pub group: u32,
    /// The numbers of what side data says of the CVEs that it fixes without being one.
    pub cves: SmallVec<[u32; 2]>,
    pub(super) text: (u64, u64, u64),
}

/// Records of one flaw.
#[derive(Debug)]
pub struct Group<'a> {
    /// All ids, sorted.
    pub ids: SmallVec<[&'a str; 4]>,
    /// The numbers of the records.
    pub records: SmallVec<[u32; 4]>,
    /// The numbers of what side data says of these ids.
    pub cves: SmallVec<[u32; 2]>,
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
        Self::read(Bytes::open(path)?).map_err(|source| Error::Index {
            path: path.to_owned(),
            source: Box::new(source),
        })
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
            keys_are_sound: OnceLock::new(),
        };
        if !database.is_sound(Section::Meta) {
            return Err(damaged("its description does not have its digest"));
        }
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
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The size of the index in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.file.len()
    }

    /// Checks that this is the pinned index, every byte of it.
    pub fn verify_pin(&self, wanted: Digest) -> Result<(), Error> {
        if self.digest != wanted {
            return Err(Error::OtherDigest {
                wanted,
                found: self.digest,
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
        let table = self.keys()?;
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
                return Package::read(reader).map(Some);
            }
            index += 1;
        }
        Ok(None)
    }

    /// A record by number.
    pub fn record(&self, number: u32) -> Result<RecordFacts<'_>, Error> {
        let mut reader = self.entry_of(Section::RecordTable, Section::Records, number)?;
        read_record(&mut reader)
    }

    /// An alias group by number.
    pub fn group(&self, number: u32) -> Result<Group<'_>, Error> {
        let mut reader = self.entry_of(Section::GroupTable, Section::Groups, number)?;
        Ok(Group {
            ids: reader.list(Reader::text)?,
            records: reader.list(Reader::small)?,
            cves: reader.list(Reader::small)?,
        })
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
            if self.group(group)?.ids.contains(&id) {
                return Ok(Some(group));
            }
            index += 1;
        }
        Ok(None)
    }

    /// What side data says of a CVE, by the number that records and groups have of it.
    pub fn cve(&self, number: u32) -> Result<CveFacts<'_>, Error> {
        read_facts(&mut self.entry_of(Section::CveTable, Section::Cves, number)?)
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
            texts.push(RecordText {
                details,
                references: reader.list(|reader| reader.text().map(str::to_owned))?,
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

    pub(super) fn section(&self, section: Section) -> &[u8] {
        let place = self.places.get(section.position());
        place
            .and_then(|place| self.file.get(place.start..place.end))
            .unwrap_or_default()
    }

    /// The `number`th entry of a section whose offsets stand in a table.
    fn entry_of(&self, table: Section, section: Section, number: u32) -> Result<Reader<'_>, Error> {
        entry(self.section(table), self.section(section), number)
    }

    /// The table of packages. Damage in it would make a package look as if nothing were known about it, so the whole of it
    /// is checked, once.
    fn keys(&self) -> Result<&[u8], Error> {
        let is_sound = self
            .keys_are_sound
            .get_or_init(|| self.is_sound(Section::Keys));
        if *is_sound {
            Ok(self.section(Section::Keys))
        } else {
            Err(damaged("the table of packages does not have its digest"))
        }
    }

    /// Whether a section has its digest.
    fn is_sound(&self, section: Section) -> bool {
        let place = self.places.get(section.position());
        place.is_some_and(|place| Sha256::digest(self.section(section)).as_slice() == place.sha256)
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

pub(super) fn slice(bytes: &[u8], start: u32, length: u32) -> Result<&[u8], Error> {
    let start = start as usize;
    let end = start
        .checked_add(length as usize)
        .ok_or_else(|| damaged("a reference leads nowhere"))?;
    bytes
        .get(start..end)
        .ok_or_else(|| damaged("a reference leads nowhere"))
}
