//! What tests of several crates need: scratch folders, bytes that do not compress, Debian's registry. No part of the
//! program.
#![expect(
    clippy::unwrap_used,
    reason = "what a test needs to go right may stop it"
)]

mod registry;

use camino::Utf8PathBuf;

pub use registry::{Debian, Settings};

/// A folder that goes when the test ends.
#[derive(Debug)]
pub struct Folder {
    /// Where it is.
    pub path: Utf8PathBuf,
    _guard: tempfile::TempDir,
}

/// Makes an empty folder.
///
/// # Panics
/// When the disk refuses.
#[must_use]
pub fn folder() -> Folder {
    let guard = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(guard.path().to_owned()).unwrap();
    Folder {
        path,
        _guard: guard,
    }
}

/// Bytes that do not compress, the same each time (xorshift64).
#[must_use]
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}
