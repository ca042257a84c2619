//! Compiles records into an index, streaming: what is kept of a record is what a look-up needs.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use jiff::Timestamp;

use super::bytes::position;
use super::cves::put_cves;
use super::groups::Groups;
use super::packages::Packages;
use super::records::{Kept, put_records, seconds};
use super::sections::{Ecosystem, Meta, SECTIONS, Section, Source, assemble};
use super::texts::TextBlocks;
use crate::error::Error;
use crate::osv::Record;
use crate::side::SideData;

/// How many problems are kept by name.
const PROBLEM_EXAMPLES: usize = 50;
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
    packages: Packages,
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
        let number = position(self.records.len())?;
        self.by_id.insert(record.id.clone(), number);
        let node = self.groups.node(&record.id);
        let aliases = record.aliases.iter().map(|alias| self.groups.node(alias));
        let aliases = aliases.collect();
        let text = self.blocks.add(record)?;
        self.records.push(Kept::new(record, node, aliases, text));
        if !record.withdrawn {
            for affected in &record.affected {
                self.packages.add(number, affected)?;
            }
        }
        Ok(())
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
        let mut sections: [Vec<u8>; SECTIONS] = Default::default();
        let is_superseded = |record: u32| self.records[record as usize].superseded;
        let ecosystems = self.packages.put(&mut sections, is_superseded)?;
        // What is laid out is let go, so that it is not held twice.
        self.packages = Packages::default();
        let live = self.records.iter().filter(|record| !record.superseded);
        let named: BTreeSet<&str> = live.flat_map(Kept::named_cves).collect();
        let facts = put_cves(&named, &self.side, &mut sections)?;
        let numbers = std::mem::take(&mut self.groups).numbered(&self.records);
        numbers.put(&mut sections, |id| facts.get(id).copied())?;
        put_records(&self.records, &numbers.of_record, &facts, &mut sections)?;
        self.blocks.flush()?;
        sections[Section::TextTable.position()] = std::mem::take(&mut self.blocks.table);
        sections[Section::Texts.position()] = std::mem::take(&mut self.blocks.packed);
        sections[Section::Meta.position()] = self.meta(ecosystems, facts.len() as u64);
        Ok(assemble(sections))
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

fn rfc3339(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map(|time| time.to_string())
        .unwrap_or_default()
}
