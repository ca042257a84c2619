//! Decodes what the index holds of records.

use super::bytes::{Reader, damaged};
use super::read::RecordFacts;
use crate::error::Error;
use crate::severity::{Rating, RatingKind};

/// Reads a rating whose text stands beside it.
pub(super) fn read_rating<'a>(reader: &mut Reader<'a>) -> Result<Rating<'a>, Error> {
    let (kind, grade) = read_grade(reader)?;
    Ok(Rating::graded(kind, reader.text()?, grade))
}

/// Reads the kind of a rating, and what it comes to.
pub(super) fn read_grade(reader: &mut Reader<'_>) -> Result<(RatingKind, u8), Error> {
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
        aliases: reader.list(Reader::text)?,
        upstream: reader.list(Reader::text)?,
        related: reader.list(Reader::text)?,
        ratings: reader.list(read_rating)?,
        url: reader.text()?,
        summary: reader.text()?,
        text: (reader.number()?, reader.number()?, reader.number()?),
        group: reader.small()?,
        cves: reader.list(Reader::small)?,
    })
}
