//! From records back to the packages that they name. The index is keyed by package, so this reads all of it: for people who
//! look one flaw up, not for scans.

use std::collections::BTreeMap;

use super::bytes::{Reader, damaged, u32_at};
use super::entry::{Entry, Package};
use super::read::{Database, KEY_ITEM, slice};
use super::sections::Section;
use crate::error::Error;
use crate::osv::EventKind;

/// What a record says of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffectedPackage {
    /// The ecosystem with its suffix.
    pub ecosystem: String,
    /// The name in normal form.
    pub name: String,
    /// The events of each range, as written.
    pub ranges: Vec<Vec<(EventKind, String)>>,
    /// Versions that are hit by name.
    pub versions: Vec<String>,
}

impl Database {
    /// The packages that records name, by the number of the record, sorted.
    pub fn affected(&self, records: &[u32]) -> Result<BTreeMap<u32, Vec<AffectedPackage>>, Error> {
        let mut found: BTreeMap<u32, Vec<AffectedPackage>> = BTreeMap::new();
        for row in self.section(Section::Keys).chunks_exact(KEY_ITEM) {
            let payload = slice(
                self.section(Section::Packages),
                u32_at(row, 8),
                u32_at(row, 12),
            )?;
            let mut reader = Reader::new(payload);
            let key = reader.text()?.split_once('\n');
            let (ecosystem, name) = key.ok_or_else(|| damaged("a key has no ecosystem"))?;
            let package = Package::read(reader)?;
            for entry in package.entries() {
                let entry = entry?;
                if records.contains(&entry.record) {
                    let packages = found.entry(entry.record).or_default();
                    packages.push(describe(ecosystem, name, &entry, &package.texts)?);
                }
            }
        }
        for packages in found.values_mut() {
            packages.sort_by(|left, right| {
                (&left.ecosystem, &left.name).cmp(&(&right.ecosystem, &right.name))
            });
        }
        Ok(found)
    }
}

fn describe(
    ecosystem: &str,
    name: &str,
    entry: &Entry<'_>,
    texts: &[&str],
) -> Result<AffectedPackage, Error> {
    let text = |number: u32| {
        let text = texts.get(number as usize).copied();
        text.unwrap_or_default().to_owned()
    };
    let ranges = entry.ranges.iter().map(|range| {
        let events = range.events.iter();
        events
            .map(|(kind, number)| (*kind, text(*number)))
            .collect()
    });
    let versions = entry.versions.iter();
    Ok(AffectedPackage {
        ecosystem: ecosystem.to_owned(),
        name: name.to_owned(),
        ranges: ranges.collect(),
        versions: versions
            .map(|number| number.map(text))
            .collect::<Result<_, Error>>()?,
    })
}
