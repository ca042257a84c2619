//! Records as the index holds them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::bytes::{put_number, put_numbers, put_text, put_texts};
use super::packages::put_ratings;
use super::sections::{SECTIONS, Section, put_entry};
use crate::erratum::fixed_flaws;
use crate::error::Error;
use crate::osv::Record;

/// Longer summaries are cut, in characters.
const LONGEST_SUMMARY: usize = 200;

/// What is kept of a record until the end.
#[derive(Debug)]
pub(super) struct Kept {
    /// When it was last changed, in seconds since 1970.
    pub(super) modified: i64,
    pub(super) withdrawn: bool,
    /// Whether a later one of the same id took its place.
    pub(super) superseded: bool,
    /// Its id and its aliases, as nodes of the alias groups.
    pub(super) node: usize,
    pub(super) aliases: Vec<usize>,
    /// The encoded record up to the number of its group.
    bytes: Vec<u8>,
    /// The CVEs that it fixes, and those that it names otherwise.
    fixed_cves: Vec<String>,
    named_cves: Vec<String>,
}

impl Kept {
    pub(super) fn new(
        record: &Record,
        node: usize,
        aliases: Vec<usize>,
        text: (u64, u64, u64),
    ) -> Self {
        let is_cve = |id: &&str| id.starts_with("CVE-");
        let (upstream, related) = (texts(&record.upstream), texts(&record.related));
        let fixed = fixed_flaws(&record.id, &upstream, &related);
        let named = std::iter::once(record.id.as_str())
            .chain(texts(&record.aliases))
            .chain(upstream.iter().copied())
            .chain(related.iter().copied());
        Self {
            modified: seconds(&record.modified),
            withdrawn: record.withdrawn,
            superseded: false,
            node,
            aliases,
            bytes: encode_record(record, text),
            fixed_cves: fixed.filter(is_cve).map(str::to_owned).collect(),
            named_cves: named.filter(is_cve).map(str::to_owned).collect(),
        }
    }

    /// The CVEs that it names.
    pub(super) fn named_cves(&self) -> impl Iterator<Item = &str> {
        self.named_cves.iter().map(String::as_str)
    }
}

/// Lays records out; `facts` are the numbers of what side data says of CVEs.
pub(super) fn put_records(
    records: &[Kept],
    groups: &[u32],
    facts: &BTreeMap<String, u32>,
    sections: &mut [Vec<u8>; SECTIONS],
) -> Result<(), Error> {
    for (record, group) in records.iter().zip(groups) {
        let mut entry = record.bytes.clone();
        put_number(&mut entry, u64::from(*group));
        let known = record.fixed_cves.iter().filter_map(|cve| facts.get(cve));
        put_numbers(&mut entry, &known.copied().collect::<Vec<_>>());
        put_entry(sections, [Section::RecordTable, Section::Records], &entry)?;
    }
    Ok(())
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

/// A date as seconds since 1970, or 0.
pub(super) fn seconds(time: &str) -> i64 {
    time.parse::<Timestamp>()
        .map_or(0, |time| time.as_second().max(0))
}

/// A record without its group, which is known at the end only.
fn encode_record(record: &Record, text: (u64, u64, u64)) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    put_text(&mut out, &record.id);
    for time in [&record.modified, &record.published] {
        put_number(&mut out, u64::try_from(seconds(time)).unwrap_or_default());
    }
    put_number(&mut out, u64::from(record.withdrawn));
    for list in [&record.aliases, &record.upstream, &record.related] {
        put_texts(&mut out, list.iter().map(String::as_str));
    }
    put_ratings(&mut out, &record.ratings);
    put_text(&mut out, own_url(record));
    put_text(&mut out, &summary(record));
    for number in [text.0, text.1, text.2] {
        put_number(&mut out, number);
    }
    out
}

/// The link of a record that has no better-known id, whose link follows from it.
fn own_url(record: &Record) -> &str {
    let mut ids = std::iter::once(&record.id).chain(&record.aliases);
    if ids.any(|id| id.starts_with("CVE-") || id.starts_with("GHSA-")) {
        return "";
    }
    record.references.first().map_or("", String::as_str)
}

/// One line on what is wrong: the summary, or the beginning of the details.
fn summary(record: &Record) -> String {
    let mut lines = std::iter::once(record.summary.as_str()).chain(record.details.lines());
    let is_text = |line: &str| line.trim_start_matches('#').trim().to_owned();
    let line = lines
        .by_ref()
        .map(is_text)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    match line.char_indices().nth(LONGEST_SUMMARY) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
