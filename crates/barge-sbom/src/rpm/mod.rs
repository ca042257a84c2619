//! rpm's database: headers, and the three formats in which they are kept. All read-only, by position, bounded.

mod berkeley;
mod header;
mod ndb;

use barge_image::layer::Content;

use crate::finding::{Found, Refusal};
use crate::sqlite;

/// The largest header that is read, in bytes; rpm's own limit is 256 MiB.
const HEADER_LIMIT: u64 = 256 << 20;

/// The packages of a database of any format.
pub(crate) fn packages(content: &dyn Content) -> Result<Vec<Found>, Refusal> {
    let mut head = [0; 32];
    let read = content.read_at(0, &mut head)?;
    let head = head.get(..read).unwrap_or_default();
    let mut found = Vec::new();
    let mut unread = 0u32;
    let mut take = |blob: &[u8]| match header::package(blob) {
        header::Package::Software(package) => found.push(*package),
        header::Package::Key => {}
        header::Package::Broken => unread += 1,
    };
    if head.starts_with(b"SQLite format 3\0") {
        // Number (an alias of the row's own), then the header.
        sqlite::rows(content, "Packages", &mut |columns| {
            if let Some(blob) = columns.get(1) {
                take(blob);
            }
        })?;
    } else if head.starts_with(b"RpmP") {
        ndb::headers(content, &mut take)?;
    } else if berkeley::is_hash(head) {
        berkeley::headers(content, &mut take)?;
    } else {
        return Err(Refusal::new(
            "neither an SQLite, an ndb nor a BerkeleyDB hash file",
        ));
    }
    if found.is_empty() && unread > 0 {
        return Err(Refusal::new(format!(
            "{unread} headers, and none can be read"
        )));
    }
    Ok(found)
}
