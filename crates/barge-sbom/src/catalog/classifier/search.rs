//! Looks for the texts of classifiers where a program holds its constants.

use std::collections::BTreeMap;

use super::{Classifier, classifiers};
use crate::binary::{Program, Section};
use crate::finding::{Found, Refusal};

/// Programs are searched in pieces of this size, in bytes, that overlap by as much as a pattern may span.
const PIECE: u64 = 4 << 20;
const OVERLAP: u64 = 512;
const SCAN_LIMIT: u64 = 512 << 20;

/// Where programs hold texts.
const SECTIONS: [&str; 6] = [
    ".rodata",
    ".rdata",
    "__cstring",
    ".data",
    ".rodata.str",
    ".dynstr",
];

/// What a program is by its name and a text in it.
pub(in crate::catalog) fn packages(
    program: &Program<'_>,
    file_name: &str,
) -> Result<Vec<Found>, Refusal> {
    let called = |classifier: &&Classifier| classifier.is_called(file_name);
    let candidates: Vec<_> = classifiers().filter(called).collect();
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: BTreeMap<&str, Found> = BTreeMap::new();
    for piece in pieces(program) {
        if found.len() == candidates.len() {
            break;
        }
        let bytes = program.bytes(&piece, PIECE + OVERLAP)?;
        for classifier in &candidates {
            if let Some(package) = classifier.find(&bytes) {
                found.entry(classifier.package).or_insert(package);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// What is to be searched, in pieces; of a program without sections all of it.
fn pieces(program: &Program<'_>) -> impl Iterator<Item = Section> {
    let named = SECTIONS.iter().filter_map(|name| program.section(name));
    let mut sections: Vec<_> = named.cloned().collect();
    if sections.is_empty() {
        sections.push(Section {
            name: String::new(),
            address: 0,
            offset: 0,
            size: program.content.size(),
        });
    }
    sections.into_iter().flat_map(|section| {
        let size = section.size.min(SCAN_LIMIT);
        let starts = (0..size.div_ceil(PIECE)).map(|number| number * PIECE);
        starts.map(move |start| Section {
            offset: section.offset + start,
            size: (size - start).min(PIECE + OVERLAP),
            ..section.clone()
        })
    })
}
