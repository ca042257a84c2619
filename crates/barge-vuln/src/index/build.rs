//! Compiles records into an index, streaming: what is kept of a record is what a look-up needs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::rc::Rc;

use jiff::Timestamp;

use super::bytes::{checksum, hash, put_number, put_text, put_texts};
use super::sections::{Ecosystem, Meta, SECTIONS, Section, Source, assemble};
use crate::ecosystem;
use crate::error::Error;
use crate::osv::{Affected, EventKind, Record};
use crate::severity::{Rating, RatingKind};
use crate::side::{CveFacts, SideData};

/// Texts are packed in blocks of about this size: big enough to pack well, small enough to unpack for one finding.
const TEXT_BLOCK: usize = 64 * 1024;
const TEXT_LEVEL: i32 = 9;
/// Longer summaries are cut, in characters.
const LONGEST_SUMMARY: usize = 200;
/// How many problems are kept by name.
const PROBLEM_EXAMPLES: usize = 50;
/// Marks a word of an entry as the number of a text.
const TEXT: u32 = 1 << 31;

/// A record or file that could not be read, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, or the archive and the file in it.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Takes records one by one and writes the index.
#[derive(Default)]
pub struct Builder {
    texts: Interner,
    packages: BTreeMap<(String, String), Vec<u32>>,
    records: Vec<Kept>,
    by_id: HashMap<String, u32>,
    groups: Groups,
    blocks: TextBlocks,
    side: SideData,
    sources: Vec<Source>,
    problem_count: u64,
    problems: Vec<Problem>,
    passed_over: Vec<String>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Builder")
            .field("records", &self.records.len())
            .finish_non_exhaustive()
    }
}

/// What is kept of a record until the end.
#[derive(Debug)]
struct Kept {
    id: String,
    modified: i64,
    withdrawn: bool,
    superseded: bool,
    /// The encoded record up to the number of its group.
    bytes: Vec<u8>,
    cves: Vec<String>,
}

impl Builder {
    /// An empty index in the making.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one record. Of two with the same id the one that was changed last stays, the first if both are as old.
    pub fn add(&mut self, record: &Record) -> Result<(), Error> {
        let modified = seconds(&record.modified);
        if let Some(&earlier) = self.by_id.get(&record.id) {
            let kept = &mut self.records[earlier as usize];
            if kept.modified >= modified {
                return Ok(());
            }
            kept.superseded = true;
        }
        let number = u32::try_from(self.records.len())
            .ok()
            .filter(|number| *number < TEXT);
        let number = number.ok_or(Error::TooBig("too many records"))?;
        self.by_id.insert(record.id.clone(), number);
        let node = self.groups.node(&record.id);
        for alias in &record.aliases {
            let other = self.groups.node(alias);
            self.groups.join(node, other);
        }
        let text = self.blocks.add(record)?;
        self.records.push(Kept {
            id: record.id.clone(),
            modified,
            withdrawn: record.withdrawn,
            superseded: false,
            bytes: encode_record(record, text),
            cves: named_cves(record),
        });
        if !record.withdrawn {
            for affected in &record.affected {
                self.add_affected(number, affected)?;
            }
        }
        Ok(())
    }

    fn add_affected(&mut self, record: u32, affected: &Affected) -> Result<(), Error> {
        if affected.ranges.is_empty() && affected.versions.is_empty() {
            return Ok(());
        }
        let name = ecosystem::normal_name(&affected.ecosystem, &affected.name);
        let entry = self.encode_entry(record, affected)?;
        if let Some(folded) = ecosystem::folded_name(&affected.ecosystem, &name) {
            append_entry(
                self.packages
                    .entry((affected.ecosystem.clone(), folded))
                    .or_default(),
                &entry,
            )?;
        }
        append_entry(
            self.packages
                .entry((affected.ecosystem.clone(), name))
                .or_default(),
            &entry,
        )
    }

    /// An entry as words: numbers as they are, texts by their number with [`TEXT`] set.
    fn encode_entry(&mut self, record: u32, affected: &Affected) -> Result<Vec<u32>, Error> {
        let mut words = vec![record, length(affected.ratings.len())?];
        for rating in &affected.ratings {
            words.push(rating_code(rating.kind));
            words.push(self.texts.number(&rating.score)?);
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
        words.push(length(affected.versions.len())?);
        for version in &affected.versions {
            words.push(self.texts.number(version)?);
        }
        Ok(words)
    }

    /// Notes a record or file that could not be read.
    pub fn add_problem(&mut self, problem: Problem) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEM_EXAMPLES {
            self.problems.push(problem);
        }
    }

    /// Notes where records came from.
    pub fn add_source(&mut self, source: Source) {
        self.sources.push(source);
    }

    /// Takes side data: KEV, EPSS, CVSS by CVE.
    pub fn add_side_data(&mut self, side: SideData) {
        self.side.merge(side);
    }

    /// Notes a file that lies beside the records and is none of them.
    pub(crate) fn pass_over(&mut self, name: String) {
        self.passed_over.push(name);
    }

    /// Files that lie beside the records, by name.
    #[must_use]
    pub fn passed_over(&self) -> &[String] {
        &self.passed_over
    }

    /// The problems so far, as many as are kept by name.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many records could not be read.
    #[must_use]
    pub fn problem_count(&self) -> u64 {
        self.problem_count
    }

    /// Whether no record was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Lays the index out.
    pub fn finish(mut self) -> Result<Vec<u8>, Error> {
        let numbers = self.groups.numbered(&self.records);
        let mut sections: [Vec<u8>; SECTIONS] = Default::default();
        let ecosystems = self.put_packages(&mut sections)?;
        // What is laid out is let go, so that it is not held twice.
        self.packages = BTreeMap::new();
        self.texts = Interner::default();
        let cves = self.put_cves(&mut sections)?;
        put_groups(&mut sections, &numbers)?;
        self.put_records(&mut sections, &numbers.of_record)?;
        self.blocks.flush()?;
        sections[Section::TextTable.position()] = std::mem::take(&mut self.blocks.table);
        sections[Section::Texts.position()] = std::mem::take(&mut self.blocks.packed);
        sections[Section::Meta.position()] = self.meta(ecosystems, cves);
        Ok(assemble(sections))
    }

    fn put_packages(&self, sections: &mut [Vec<u8>; SECTIONS]) -> Result<Vec<Ecosystem>, Error> {
        let mut keys: Vec<(u64, u32, u32, u32)> = Vec::with_capacity(self.packages.len());
        let mut payloads = Vec::new();
        let mut ecosystems: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for ((ecosystem, name), words) in &self.packages {
            let (entries, payload) = self.encode_package(ecosystem, name, words);
            if entries == 0 {
                continue;
            }
            let counts = ecosystems.entry(ecosystem).or_default();
            counts.0 += 1;
            counts.1 += entries;
            let key = hash(package_key(ecosystem, name).as_bytes());
            keys.push((
                key,
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
    fn encode_package(&self, ecosystem: &str, name: &str, words: &[u32]) -> (u64, Vec<u8>) {
        let mut local: HashMap<u32, u64> = HashMap::new();
        let mut texts: Vec<&str> = Vec::new();
        let mut entries = Vec::new();
        let mut count = 0;
        let mut rest = words;
        while let Some((length, after)) = rest.split_first() {
            let (entry, after) = after.split_at(*length as usize);
            rest = after;
            if entry
                .first()
                .is_some_and(|record| self.records[*record as usize].superseded)
            {
                continue;
            }
            count += 1;
            for word in entry {
                if word & TEXT == 0 {
                    put_number(&mut entries, u64::from(*word));
                } else {
                    let number = *local.entry(word & !TEXT).or_insert_with(|| {
                        texts.push(self.texts.text(word & !TEXT));
                        texts.len() as u64 - 1
                    });
                    put_number(&mut entries, number);
                }
            }
        }
        let mut payload = Vec::with_capacity(entries.len() + 64);
        put_text(&mut payload, &package_key(ecosystem, name));
        put_texts(&mut payload, texts.into_iter());
        put_number(&mut payload, count);
        payload.extend_from_slice(&entries);
        (count, payload)
    }

    fn put_records(
        &mut self,
        sections: &mut [Vec<u8>; SECTIONS],
        groups: &[u32],
    ) -> Result<(), Error> {
        for (record, group) in self.records.iter_mut().zip(groups) {
            let start = position(sections[Section::Records.position()].len())?;
            sections[Section::RecordTable.position()].extend_from_slice(&start.to_le_bytes());
            let out = &mut sections[Section::Records.position()];
            out.append(&mut record.bytes);
            put_number(out, u64::from(*group));
        }
        Ok(())
    }

    /// Keeps the facts of those CVEs that a record names.
    fn put_cves(&self, sections: &mut [Vec<u8>; SECTIONS]) -> Result<u64, Error> {
        let named = self
            .records
            .iter()
            .filter(|record| !record.superseded)
            .flat_map(|record| &record.cves);
        let named: BTreeSet<&str> = named.map(String::as_str).collect();
        let mut count = 0;
        for cve in named {
            let Some(facts) = self.side.facts(cve) else {
                continue;
            };
            count += 1;
            let start = position(sections[Section::Cves.position()].len())?;
            sections[Section::CveTable.position()].extend_from_slice(&start.to_le_bytes());
            let out = &mut sections[Section::Cves.position()];
            put_text(out, cve);
            put_facts(out, &facts);
        }
        Ok(count)
    }

    fn meta(&self, ecosystems: Vec<Ecosystem>, cves: u64) -> Vec<u8> {
        let live: Vec<&Kept> = self
            .records
            .iter()
            .filter(|record| !record.superseded)
            .collect();
        let newest = live
            .iter()
            .map(|record| record.modified)
            .max()
            .unwrap_or_default();
        let example = |problem: &Problem| format!("{}: {}", problem.name, problem.reason);
        let meta = Meta {
            sources: self.sources.clone(),
            records: live.len() as u64,
            withdrawn: live.iter().filter(|record| record.withdrawn).count() as u64,
            newest: rfc3339(newest),
            ecosystems,
            cves,
            problems: self.problem_count,
            problem_examples: self.problems.iter().map(example).collect(),
        };
        serde_json::to_vec(&meta).unwrap_or_default()
    }
}

fn append_entry(words: &mut Vec<u32>, entry: &[u32]) -> Result<(), Error> {
    // Photon lists some packages of a record twice, word for word.
    if words.ends_with(entry) {
        return Ok(());
    }
    words.push(length(entry.len())?);
    words.extend_from_slice(entry);
    Ok(())
}

/// The key of a package: no ecosystem holds a line feed.
pub(super) fn package_key(ecosystem: &str, name: &str) -> String {
    format!("{ecosystem}\n{name}")
}

pub(super) fn rating_code(kind: RatingKind) -> u32 {
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

fn put_ratings(out: &mut Vec<u8>, ratings: &[Rating<'_>]) {
    put_number(out, ratings.len() as u64);
    for rating in ratings {
        put_number(out, u64::from(rating_code(rating.kind)));
        put_text(out, &rating.score);
    }
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

fn put_facts(out: &mut Vec<u8>, facts: &CveFacts) {
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
        put_text(out, vector);
    }
}

fn named_cves(record: &Record) -> Vec<String> {
    let ids = std::iter::once(&record.id)
        .chain(&record.aliases)
        .chain(&record.upstream)
        .chain(&record.related);
    ids.filter(|id| id.starts_with("CVE-")).cloned().collect()
}

fn put_groups(sections: &mut [Vec<u8>; SECTIONS], numbers: &Numbered) -> Result<(), Error> {
    let mut ids: Vec<(u64, u32)> = Vec::new();
    for (group, (names, records)) in numbers.groups.iter().enumerate() {
        let start = position(sections[Section::Groups.position()].len())?;
        sections[Section::GroupTable.position()].extend_from_slice(&start.to_le_bytes());
        let out = &mut sections[Section::Groups.position()];
        put_texts(out, names.iter().map(String::as_str));
        put_number(out, records.len() as u64);
        for record in records {
            put_number(out, u64::from(*record));
        }
        for name in names {
            ids.push((hash(name.as_bytes()), position(group)?));
        }
    }
    ids.sort_unstable();
    for (id, group) in ids {
        sections[Section::Ids.position()].extend_from_slice(&id.to_le_bytes());
        sections[Section::Ids.position()].extend_from_slice(&group.to_le_bytes());
    }
    Ok(())
}

fn length(length: usize) -> Result<u32, Error> {
    u32::try_from(length)
        .ok()
        .filter(|length| *length < TEXT)
        .ok_or(Error::TooBig("a list is too long"))
}

fn position(position: usize) -> Result<u32, Error> {
    u32::try_from(position).map_err(|_| Error::TooBig("a section is over 4 GiB"))
}

fn seconds(time: &str) -> i64 {
    time.parse::<Timestamp>()
        .map_or(0, |time| time.as_second().max(0))
}

fn rfc3339(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map(|time| time.to_string())
        .unwrap_or_default()
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

/// Summaries, details and links, packed in blocks.
#[derive(Default)]
struct TextBlocks {
    /// Kept between blocks: its tables are big, and holes of their size would be filled with small texts for good.
    compressor: Option<zstd::bulk::Compressor<'static>>,
    open: Vec<u8>,
    packed: Vec<u8>,
    table: Vec<u8>,
    blocks: u64,
}

impl TextBlocks {
    /// Adds the texts of a record; returns the block, the place in it and the length.
    fn add(&mut self, record: &Record) -> Result<(u64, u64, u64), Error> {
        let start = self.open.len();
        put_text(&mut self.open, &record.details);
        put_texts(&mut self.open, record.references.iter().map(String::as_str));
        let place = (self.blocks, start as u64, (self.open.len() - start) as u64);
        if self.open.len() >= TEXT_BLOCK {
            self.flush()?;
        }
        Ok(place)
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.open.is_empty() {
            return Ok(());
        }
        let failed = |_| Error::TooBig("a text cannot be packed");
        let compressor = match &mut self.compressor {
            Some(compressor) => compressor,
            none => none.insert(zstd::bulk::Compressor::new(TEXT_LEVEL).map_err(failed)?),
        };
        let packed = compressor.compress(&self.open).map_err(failed)?;
        for number in [
            position(self.packed.len())?,
            position(packed.len())?,
            position(self.open.len())?,
        ] {
            self.table.extend_from_slice(&number.to_le_bytes());
        }
        self.packed.extend_from_slice(&packed);
        self.open.clear();
        self.blocks += 1;
        Ok(())
    }
}

/// Union-find over ids: aliases are symmetric and transitive, in cycles too.
#[derive(Debug, Default)]
struct Groups {
    nodes: HashMap<String, usize>,
    parents: Vec<usize>,
}

/// Groups with their numbers.
struct Numbered {
    /// The ids of each group, sorted, and its records.
    groups: Vec<(Vec<String>, Vec<u32>)>,
    of_record: Vec<u32>,
}

impl Groups {
    fn node(&mut self, id: &str) -> usize {
        if let Some(node) = self.nodes.get(id) {
            return *node;
        }
        let node = self.parents.len();
        self.parents.push(node);
        self.nodes.insert(id.to_owned(), node);
        node
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.parents[node] != node {
            self.parents[node] = self.parents[self.parents[node]];
            node = self.parents[node];
        }
        node
    }

    fn join(&mut self, left: usize, right: usize) {
        let (left, right) = (self.root(left), self.root(right));
        // The lower number stays the root, whatever the order of the joins.
        self.parents[left.max(right)] = left.min(right);
    }

    /// Numbers the groups by their first record.
    fn numbered(&mut self, records: &[Kept]) -> Numbered {
        let mut by_root: HashMap<usize, u32> = HashMap::new();
        let mut groups: Vec<(Vec<String>, Vec<u32>)> = Vec::new();
        let mut of_record = Vec::with_capacity(records.len());
        for (number, record) in records.iter().enumerate() {
            let node = self.node(&record.id);
            let root = self.root(node);
            let group = *by_root.entry(root).or_insert_with(|| {
                groups.push(Default::default());
                u32::try_from(groups.len() - 1).unwrap_or(u32::MAX)
            });
            of_record.push(group);
            if !record.superseded {
                groups[group as usize]
                    .1
                    .push(u32::try_from(number).unwrap_or(u32::MAX));
            }
        }
        let ids: Vec<(String, usize)> = std::mem::take(&mut self.nodes).into_iter().collect();
        for (id, node) in ids {
            let root = self.root(node);
            if let Some(group) = by_root.get(&root) {
                groups[*group as usize].0.push(id);
            }
        }
        for (ids, _) in &mut groups {
            ids.sort_unstable();
        }
        Numbered { groups, of_record }
    }
}

/// Writes an index so that a reader sees the old file or the new one, and two writers do not mix.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    let mut temporary = tempfile::Builder::new();
    temporary.prefix(".barge-index-");
    #[cfg(unix)]
    temporary.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = temporary
        .tempfile_in(folder)
        .map_err(Error::io("write", path))?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    file.as_file()
        .sync_all()
        .map_err(Error::io("write", path))?;
    file.persist(path)
        .map_err(|error| Error::io("write", path)(error.error))?;
    Ok(())
}
