//! Folders that go when they are no longer needed, also when the user interrupts: then work that cannot be stopped still
//! holds them, and the program leaves before it lets them go.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Error;

/// The folders that are there.
static THERE: Mutex<BTreeSet<Utf8PathBuf>> = Mutex::new(BTreeSet::new());

/// A folder that goes with the value.
#[derive(Debug)]
pub struct TemporaryFolder {
    path: Utf8PathBuf,
}

impl TemporaryFolder {
    /// Makes an empty one where the system has such.
    ///
    /// # Errors
    /// When it cannot be made, or its name is not text.
    pub fn new() -> Result<Self, Error> {
        let failed = |source| Error::File {
            action: "make",
            path: "a temporary folder".into(),
            source,
        };
        let folder = tempfile::tempdir().map_err(failed)?;
        let path = <&Utf8Path>::try_from(folder.path());
        let path = path.map_err(|error| failed(error.into_io_error()))?;
        let path = path.to_owned();
        there().insert(path.clone());
        drop(folder.keep());
        Ok(Self { path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if remove(&self.path) {
            there().remove(&self.path);
        }
    }
}

/// Removes every folder that is there still. Who is at work in one fails.
pub fn sweep() {
    there().retain(|path| !remove(path));
}

fn there() -> MutexGuard<'static, BTreeSet<Utf8PathBuf>> {
    THERE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether it is gone.
fn remove(path: &Utf8Path) -> bool {
    match fs::remove_dir_all(path) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}
