//! What records say of one package, read where it lies. Entries are read one by one, and their lists of versions only when
//! somebody asks: of a busy package most entries hit by a range, or not at all.

use smallvec::SmallVec;

use super::bytes::{Reader, damaged};
use super::decode::read_grade;
use crate::error::Error;
use crate::osv::EventKind;
use crate::severity::Rating;

/// The advisories of one package. Its entries name texts by their place in one table, so that a version that many of them
/// name is compared once.
#[derive(Debug)]
pub struct Package<'a> {
    /// The texts that the entries name; every number in an entry lies inside.
    pub texts: Vec<&'a str>,
    count: usize,
    entries: Reader<'a>,
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
    /// The ranges; few entries have a second.
    pub ranges: SmallVec<[EntryRange; 1]>,
    /// Versions that are hit by name.
    pub versions: Versions<'a>,
}

/// One range of versions.
#[derive(Debug)]
pub struct EntryRange {
    /// Whether its type is `SEMVER`.
    pub semver: bool,
    /// Its events, as written.
    pub events: SmallVec<[(EventKind, u32); 4]>,
}

/// A list of versions, as numbers of texts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Versions<'a> {
    numbers: Reader<'a>,
    /// How many texts there are.
    texts: usize,
}

impl<'a> Package<'a> {
    /// Reads what follows the key of a package.
    pub(super) fn read(mut reader: Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            texts: reader.joined()?,
            count: reader.count()?,
            entries: reader,
        })
    }

    /// All entries, in the order of their records.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry<'a>, Error>> {
        let mut reader = self.entries;
        (0..self.count).map(move |_| read_entry(&mut reader, &self.texts))
    }
}

impl Versions<'_> {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_at_end()
    }

    /// The numbers, one by one.
    pub fn iter(&self) -> impl Iterator<Item = Result<u32, Error>> {
        let (mut reader, texts) = (self.numbers, self.texts);
        std::iter::from_fn(move || {
            (!reader.is_at_end()).then(|| read_text_number(&mut reader, texts))
        })
    }

    /// The first that is wanted.
    pub fn find(&self, wanted: impl Fn(u32) -> bool) -> Result<Option<u32>, Error> {
        for number in self.iter() {
            let number = number?;
            if wanted(number) {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
impl<'a> Versions<'a> {
    /// Versions as they lie in an index.
    pub(crate) fn of(bytes: &'a [u8], texts: usize) -> Self {
        Self {
            numbers: Reader::new(bytes),
            texts,
        }
    }
}

fn read_entry<'a>(reader: &mut Reader<'a>, texts: &[&'a str]) -> Result<Entry<'a>, Error> {
    Ok(Entry {
        record: reader.small()?,
        ratings: read_ratings(reader, texts)?,
        informational: read_text(reader, texts)?,
        ranges: read_ranges(reader, texts.len())?,
        versions: Versions {
            numbers: Reader::new(reader.bytes()?),
            texts: texts.len(),
        },
    })
}

fn read_ratings<'a>(reader: &mut Reader<'a>, texts: &[&'a str]) -> Result<Vec<Rating<'a>>, Error> {
    let mut ratings = Vec::new();
    for _ in 0..reader.count()? {
        let (kind, grade) = read_grade(reader)?;
        ratings.push(Rating::graded(kind, read_text(reader, texts)?, grade));
    }
    Ok(ratings)
}

fn read_ranges(reader: &mut Reader<'_>, texts: usize) -> Result<SmallVec<[EntryRange; 1]>, Error> {
    let count = reader.count()?;
    let mut ranges = SmallVec::with_capacity(count);
    for _ in 0..count {
        let semver = reader.number()? != 0;
        let count = reader.count()?;
        let mut events = SmallVec::with_capacity(count);
        for _ in 0..count {
            let code = reader.small()? as usize;
            let (kind, _) = EventKind::ALL
                .get(code)
                .ok_or_else(|| damaged("an event has an unknown kind"))?;
            events.push((*kind, read_text_number(reader, texts)?));
        }
        ranges.push(EntryRange { semver, events });
    }
    Ok(ranges)
}

fn read_text_number(reader: &mut Reader<'_>, texts: usize) -> Result<u32, Error> {
    let number = reader.small()?;
    if number as usize >= texts {
        return Err(damaged("an entry names a text that is not there"));
    }
    Ok(number)
}

fn read_text<'a>(reader: &mut Reader<'a>, texts: &[&'a str]) -> Result<&'a str, Error> {
    let number = read_text_number(reader, texts.len())?;
    Ok(texts.get(number as usize).copied().unwrap_or_default())
}
