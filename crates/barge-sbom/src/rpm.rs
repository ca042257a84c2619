//! rpm's database: headers, and the three formats in which they are kept. All read-only, by position, bounded.

mod berkeley;
mod header;
mod ndb;

use barge_image::layer::Content;

use crate::finding::{Refusal, Says};
use crate::sqlite;

/// The largest header that is read, in bytes; rpm's own limit is 256 MiB.
const HEADER_LIMIT: u64 = 256 << 20;

/// The packages of a database of any format. A header that cannot be read may be one more.
pub(crate) fn packages(content: &dyn Content) -> Result<Says, Refusal> {
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
    Ok(match (unread, found.len()) {
        (0, _) => Says::Packages(found),
        (_, 0) => Says::Unreadable(format!("{unread} headers, and none can be read")),
        (_, read) => Says::Part(
            found,
            format!(
                "{unread} of {} headers cannot be read",
                unread as usize + read
            ),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_header_among_others_is_told() {
        let fixture = include_bytes!("../tests/ecosystems/rpm-ndb/root/var/lib/rpm/Packages.db");
        let mut database = fixture.to_vec();
        let Ok(Says::Packages(whole)) = packages(&database) else {
            panic!("the fixture is whole");
        };
        let blob = database.windows(4).rposition(|bytes| bytes == b"BlbS");
        database[blob.unwrap() + 16] = 0xff;
        let Ok(Says::Part(found, reason)) = packages(&database) else {
            panic!("a part is read");
        };
        assert_eq!(found.len() + 1, whole.len());
        assert!(reason.starts_with("1 of "), "{reason}");
    }
}
