//! Decodes what the index holds of packages and records.

use smallvec::SmallVec;

use super::bytes::{Reader, damaged};
use super::read::{Entry, EntryRange, Package, RecordFacts};
use crate::error::Error;
use crate::osv::EventKind;
use crate::severity::{Rating, RatingKind};

/// Reads what records say of a package.
pub(super) fn read_package<'a>(reader: &mut Reader<'a>) -> Result<Package<'a>, Error> {
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
        let (kind, grade) = read_grade(reader)?;
        ratings.push(Rating::graded(kind, read_text(reader, texts)?, grade));
    }
    let informational = read_text(reader, texts)?;
    let count = reader.count()?;
    let mut ranges = SmallVec::with_capacity(count);
    for _ in 0..count {
        let semver = reader.number()? != 0;
        let events = reader.count()?;
        let mut range = EntryRange {
            semver,
            events: SmallVec::with_capacity(events),
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

/// Reads a rating whose text stands beside it.
pub(super) fn read_rating<'a>(reader: &mut Reader<'a>) -> Result<Rating<'a>, Error> {
    let (kind, grade) = read_grade(reader)?;
    Ok(Rating::graded(kind, reader.text()?, grade))
}

fn read_grade(reader: &mut Reader<'_>) -> Result<(RatingKind, u8), Error> {
    let code = reader.small()? as usize;
    let kind = RatingKind::ALL.get(code).copied();
    let kind = kind.ok_or_else(|| damaged("a rating has an unknown kind"))?;
    let grade = u8::try_from(reader.small()?);
    Ok((
        kind,
        grade.map_err(|_| damaged("a rating is out of range"))?,
    ))
}

/// Reads what a record says of itself.
pub(super) fn read_record<'a>(reader: &mut Reader<'a>) -> Result<RecordFacts<'a>, Error> {
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
            (0..count)
                .map(|_| read_rating(reader))
                .collect::<Result<_, Error>>()?
        },
        url: reader.text()?,
        summary: reader.text()?,
        text: (reader.number()?, reader.number()?, reader.number()?),
        group: reader.small()?,
        cves: reader.numbers()?,
    })
}
