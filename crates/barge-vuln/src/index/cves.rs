//! What side data says of CVEs, as the index holds it.

use std::collections::{BTreeMap, BTreeSet};

use super::bytes::{Reader, position, put_number, put_text};
use super::decode::read_rating;
use super::packages::put_rating;
use super::sections::{SECTIONS, Section, put_entry};
use crate::error::Error;
use crate::side::{CveFacts, Epss, Exploited, SideData};

/// Lays out the facts of those CVEs that a record names. Returns their numbers.
pub(super) fn put_cves(
    named: &BTreeSet<&str>,
    side: &SideData,
    sections: &mut [Vec<u8>; SECTIONS],
) -> Result<BTreeMap<String, u32>, Error> {
    let mut numbers = BTreeMap::new();
    for cve in named {
        let Some(facts) = side.facts(cve) else {
            continue;
        };
        numbers.insert((*cve).to_owned(), position(numbers.len())?);
        let mut entry = Vec::new();
        put_facts(&mut entry, &facts);
        put_entry(sections, [Section::CveTable, Section::Cves], &entry)?;
    }
    Ok(numbers)
}

fn put_facts(out: &mut Vec<u8>, facts: &CveFacts<'_>) {
    put_text(out, facts.id);
    put_number(out, u64::from(facts.exploited.is_some()));
    if let Some(exploited) = &facts.exploited {
        put_text(out, &exploited.added);
        put_number(out, u64::from(exploited.ransomware));
    }
    put_number(out, u64::from(facts.epss.is_some()));
    if let Some(epss) = facts.epss {
        put_number(out, u64::from(epss.score));
        put_number(out, u64::from(epss.percentile));
    }
    put_number(out, facts.vectors.len() as u64);
    for (source, vector) in &facts.vectors {
        put_text(out, source);
        put_rating(out, vector);
    }
}

/// Reads the facts of one CVE.
pub(super) fn read_facts<'a>(reader: &mut Reader<'a>) -> Result<CveFacts<'a>, Error> {
    let id = reader.text()?;
    let mut exploited = None;
    if reader.number()? != 0 {
        exploited = Some(Exploited {
            added: reader.text()?.to_owned(),
            ransomware: reader.number()? != 0,
        });
    }
    let mut epss = None;
    if reader.number()? != 0 {
        epss = Some(Epss {
            score: reader.small()?,
            percentile: reader.small()?,
        });
    }
    Ok(CveFacts {
        id,
        exploited,
        epss,
        vectors: reader.list(|reader| Ok((reader.text()?, read_rating(reader)?)))?,
    })
}
