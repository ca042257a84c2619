//! The packages of an index in the making: what records say of each, until it is laid out.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::bytes::{checksum, hash, position, put_bytes, put_joined, put_number, put_text};
use super::sections::{Ecosystem, SECTIONS, Section};
use crate::ecosystem;
use crate::error::Error;
use crate::osv::{Affected, EventKind};
use crate::range::beyond_ranges;
use crate::severity::{Rating, RatingKind};

/// Marks a word of an entry as the number of a text.
const TEXT: u32 = 1 << 31;

/// The entries of each package, as words: an entry has its length before it, and that without its versions.
#[derive(Debug, Default)]
pub(super) struct Packages {
    texts: Interner,
    by_key: BTreeMap<(String, String), Vec<u32>>,
}

impl Packages {
    /// Adds what a record says of a package.
    pub(super) fn add(&mut self, record: u32, affected: &Affected) -> Result<(), Error> {
        if affected.ranges.is_empty() && affected.versions.is_empty() {
            return Ok(());
        }
        let name = ecosystem::normal_name(&affected.ecosystem, &affected.name);
        let mut entry = self.encode_entry(record, affected)?;
        let head = length(entry.len())?;
        for version in beyond_ranges(affected) {
            entry.push(self.texts.number(version)?);
        }
        if let Some(folded) = ecosystem::folded_name(&affected.ecosystem, &name) {
            self.append(&affected.ecosystem, folded, &entry, head)?;
        }
        self.append(&affected.ecosystem, name, &entry, head)
    }

    fn append(
        &mut self,
        ecosystem: &str,
        name: String,
        entry: &[u32],
        head: u32,
    ) -> Result<(), Error> {
        let words = self.by_key.entry((ecosystem.to_owned(), name)).or_default();
        // Photon lists some packages of a record twice, word for word.
        if !words.ends_with(entry) {
            words.extend([length(entry.len())?, head]);
            words.extend_from_slice(entry);
        }
        Ok(())
    }

    /// An entry without its versions as words: numbers as they are, texts by their number with [`TEXT`] set.
    fn encode_entry(&mut self, record: u32, affected: &Affected) -> Result<Vec<u32>, Error> {
        let mut words = vec![record, length(affected.ratings.len())?];
        for rating in &affected.ratings {
            words.push(rating_code(rating.kind));
            words.push(u32::from(rating.grade()));
            words.push(self.texts.number(&rating.text)?);
        }
        words.push(
            self.texts
                .number(affected.informational.as_deref().unwrap_or_default())?,
        );
        words.push(length(affected.ranges.len())?);
        for range in &affected.ranges {
            words.push(u32::from(range.semver));
            words.push(length(range.events.len())?);
            for event in &range.events {
                words.push(event_code(event.kind));
                words.push(self.texts.number(&event.version)?);
            }
        }
        Ok(words)
    }

    /// Lays out keys and payloads, entries of superseded records left out. Returns what there is of each ecosystem.
    pub(super) fn put(
        &self,
        sections: &mut [Vec<u8>; SECTIONS],
        is_superseded: impl Fn(u32) -> bool,
    ) -> Result<Vec<Ecosystem>, Error> {
        let mut keys: Vec<(u64, u32, u32, u32)> = Vec::with_capacity(self.by_key.len());
        let mut payloads = Vec::new();
        let mut ecosystems: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for ((ecosystem, name), words) in &self.by_key {
            let key = package_key(ecosystem, name);
            let (entries, payload) = self.encode(&key, words, &is_superseded);
            if entries == 0 {
                continue;
            }
            let counts = ecosystems.entry(ecosystem).or_default();
            counts.0 += 1;
            counts.1 += entries;
            keys.push((
                hash(key.as_bytes()),
                position(payloads.len())?,
                position(payload.len())?,
                checksum(&payload),
            ));
            payloads.extend_from_slice(&payload);
        }
        keys.sort_unstable();
        let table = &mut sections[Section::Keys.position()];
        for (key, offset, length, sum) in keys {
            table.extend_from_slice(&key.to_le_bytes());
            for number in [offset, length, sum] {
                table.extend_from_slice(&number.to_le_bytes());
            }
        }
        sections[Section::Packages.position()] = payloads;
        let ecosystem = |(name, (packages, entries)): (&str, _)| Ecosystem {
            name: name.to_owned(),
            packages,
            entries,
        };
        Ok(ecosystems.into_iter().map(ecosystem).collect())
    }

    /// The payload of a package: its key, the texts that its entries use, the entries. Returns the number of entries too.
    fn encode(
        &self,
        key: &str,
        words: &[u32],
        is_superseded: &impl Fn(u32) -> bool,
    ) -> (u64, Vec<u8>) {
        let mut local = LocalTexts::default();
        let mut entries = Vec::new();
        let mut versions = Vec::new();
        let mut count = 0;
        let mut rest = words;
        while let [length, head, after @ ..] = rest {
            let (entry, after) = after.split_at(*length as usize);
            rest = after;
            if entry.first().is_some_and(|record| is_superseded(*record)) {
                continue;
            }
            count += 1;
            let (head, listed) = entry.split_at(*head as usize);
            local.put(&mut entries, head);
            versions.clear();
            local.put(&mut versions, listed);
            put_bytes(&mut entries, &versions);
        }
        let texts: Vec<&str> = local
            .words
            .iter()
            .map(|word| self.texts.text(*word))
            .collect();
        let mut payload = Vec::with_capacity(entries.len() + 64);
        put_text(&mut payload, key);
        put_joined(&mut payload, &texts);
        put_number(&mut payload, count);
        payload.extend_from_slice(&entries);
        (count, payload)
    }
}

/// The texts of one package, numbered as they are met.
#[derive(Default)]
struct LocalTexts {
    numbers: HashMap<u32, u64>,
    /// The numbers that they have among the texts of all packages.
    words: Vec<u32>,
}

impl LocalTexts {
    /// Writes the words of an entry.
    fn put(&mut self, out: &mut Vec<u8>, words: &[u32]) {
        for word in words {
            let number = if word & TEXT == 0 {
                u64::from(*word)
            } else {
                let text = word & !TEXT;
                *self.numbers.entry(text).or_insert_with(|| {
                    self.words.push(text);
                    self.words.len() as u64 - 1
                })
            };
            put_number(out, number);
        }
    }
}

/// The key of a package: no ecosystem holds a line feed.
pub(super) fn package_key(ecosystem: &str, name: &str) -> String {
    format!("{ecosystem}\n{name}")
}

fn rating_code(kind: RatingKind) -> u32 {
    RatingKind::ALL
        .iter()
        .position(|known| *known == kind)
        .and_then(|code| u32::try_from(code).ok())
        .unwrap_or(0)
}

fn event_code(kind: EventKind) -> u32 {
    EventKind::ALL
        .iter()
        .position(|(known, _)| *known == kind)
        .and_then(|code| u32::try_from(code).ok())
        .unwrap_or(0)
}

/// Writes a list of ratings with its length.
pub(super) fn put_ratings(out: &mut Vec<u8>, ratings: &[Rating<'_>]) {
    put_number(out, ratings.len() as u64);
    for rating in ratings {
        put_rating(out, rating);
    }
}

/// Writes a rating with its text.
pub(super) fn put_rating(out: &mut Vec<u8>, rating: &Rating<'_>) {
    put_number(out, u64::from(rating_code(rating.kind)));
    put_number(out, u64::from(rating.grade()));
    put_text(out, &rating.text);
}

fn length(length: usize) -> Result<u32, Error> {
    u32::try_from(length)
        .ok()
        .filter(|length| *length < TEXT)
        .ok_or(Error::TooBig("a list is too long"))
}

/// Texts by number: each is held once.
#[derive(Debug, Default)]
struct Interner {
    numbers: HashMap<Rc<str>, u32>,
    texts: Vec<Rc<str>>,
}

impl Interner {
    fn number(&mut self, text: &str) -> Result<u32, Error> {
        if let Some(number) = self.numbers.get(text) {
            return Ok(number | TEXT);
        }
        let number = length(self.texts.len())?;
        let text: Rc<str> = text.into();
        self.texts.push(Rc::clone(&text));
        self.numbers.insert(text, number);
        Ok(number | TEXT)
    }

    fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |text| text)
    }
}
