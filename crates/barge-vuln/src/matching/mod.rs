//! Matches a bill of materials against the index: candidates, version test, qualifiers, ownership, one match per flaw.

mod candidates;
mod details;
mod find;
mod finding;
mod merge;
mod module;
mod order;
mod ownership;

pub use self::details::details;
pub use self::find::find;
pub use self::finding::*;
