//! The store in a folder: what every store does, and what it does beside writers, to damage and after a crash.

#![expect(
    clippy::unwrap_used,
    reason = "what a test needs to go right may stop it"
)]

mod check;
mod housekeeping;
#[path = "../in_front/mod.rs"]
mod in_front;
mod names;

use std::sync::Arc;

use barge_store::{DirectoryStore, Remote, Store};
use camino::Utf8PathBuf;

/// A store in a folder that goes when the test ends.
struct Home {
    store: Store,
    path: Utf8PathBuf,
    _guard: tempfile::TempDir,
}

fn home() -> Home {
    let guard = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(guard.path().to_owned()).unwrap();
    Home {
        store: Store::directory(&path),
        path,
        _guard: guard,
    }
}

#[test]
fn a_folder_conforms_as_a_share() {
    let (share, scratch) = (home(), home());
    let remote: Arc<dyn Remote> = Arc::new(DirectoryStore::create(&share.path).unwrap());
    in_front::works(&remote, &scratch.path, None);
    let report = share.store.folder().unwrap();
    let report = report.check(barge_store::directory::Check::Whole).unwrap();
    assert_eq!((report.artifacts, report.findings), (2, Vec::new()));
}
