//! The compiled index: one read-only file that holds all advisories, keyed by package, and is read where it lies.
//!
//! Layout, little-endian: a header (magic, format, number of sections), a table of sections (offset, length, sha256),
//! then the sections. The sha256 of header and table names the index: it covers every byte through the section digests,
//! and is known without reading them. The same data gives the same bytes.

mod affected;
mod build;
mod bytes;
mod cves;
mod decode;
mod entry;
mod file;
mod groups;
mod packages;
mod read;
mod records;
mod sections;
mod texts;

pub use affected::AffectedPackage;
pub use build::{Builder, Problem};
pub use entry::{Entry, EntryRange, Package, Versions};
pub use file::write_file;
pub use read::{Database, Group, RecordFacts, RecordText};
pub use sections::{Ecosystem, Meta, Source};

pub(crate) use file::Bytes;

/// The format that this crate writes and reads. Any change of the layout takes a new number.
pub(crate) const VERSION: u32 = 5;
