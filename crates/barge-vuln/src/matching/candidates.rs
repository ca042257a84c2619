//! The records that may speak about a package, and which of them hit its version.

use super::module::module_doubt;
use crate::ecosystem;
use crate::error::Error;
use crate::index::{Database, RecordFacts};
use crate::lookup::Query;
use crate::range::{Hit, Installed};
use crate::severity::Rating;
use crate::version::Scheme;

/// One record that hits a package.
pub(super) struct RecordHit<'q, 'a> {
    /// The number of the record.
    pub(super) number: u32,
    pub(super) record: RecordFacts<'a>,
    pub(super) query: &'q Query,
    pub(super) hit: Hit<'a>,
    pub(super) ratings: Vec<Rating<'a>>,
    pub(super) informational: &'a str,
    pub(super) doubt: Option<String>,
}

impl RecordHit<'_, '_> {
    /// The number of its alias group.
    pub(super) fn group(&self) -> u32 {
        self.record.group
    }
}

/// All hits of a package, those of one alias group beside each other. A record hits once, by its first query and entry.
pub(super) fn hits<'q, 'a>(
    database: &'a Database,
    queries: &'q [Query],
) -> Result<Vec<RecordHit<'q, 'a>>, Error> {
    let mut hits: Vec<RecordHit<'_, '_>> = Vec::new();
    for query in queries {
        let name = ecosystem::normal_name(&query.ecosystem, &query.name);
        let mut package = database.package(&query.ecosystem, &name)?;
        if package.is_none() && ecosystem::folded_name(&query.ecosystem, &name).is_some() {
            package = database.package(&query.ecosystem, &name.to_lowercase())?;
        }
        let Some(package) = package else { continue };
        let installed = Installed::new(
            &query.version,
            ecosystem::scheme(&query.ecosystem),
            query.source,
            &package.texts,
        );
        for entry in package.entries() {
            let entry = entry?;
            if hits.iter().any(|hit| hit.number == entry.record) {
                continue;
            }
            let Some(hit) = installed.test(&entry)? else {
                continue;
            };
            let record = database.record(entry.record)?;
            let is_rpm = ecosystem::scheme(&query.ecosystem) == Some(Scheme::Rpm);
            let unread = hit
                .unread
                .map(|version| format!("its range holds `{version}`, which cannot be compared"));
            let of_module = if is_rpm {
                module_doubt(&query.version, &hit, entry.record, &package)?
            } else {
                None
            };
            hits.push(RecordHit {
                number: entry.record,
                record,
                query,
                hit,
                ratings: entry.ratings,
                informational: entry.informational,
                doubt: unread.or(of_module),
            });
        }
    }
    hits.sort_by_key(RecordHit::group);
    Ok(hits)
}
