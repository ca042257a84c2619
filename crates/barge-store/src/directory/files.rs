//! Files whose absence is an answer.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Error;

pub(super) fn file(
    action: &'static str,
    path: impl Into<Utf8PathBuf>,
) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::File {
        action,
        path,
        source,
    }
}

/// What lies in a folder, in order of name; nothing when there is no such folder.
pub(super) fn entries(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Error> {
    let listing = match folder.read_dir_utf8() {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(file("read", folder)(error)),
    };
    let paths = listing.map(|entry| entry.map(camino::Utf8DirEntry::into_path));
    let mut paths = paths
        .collect::<io::Result<Vec<_>>>()
        .map_err(file("read", folder))?;
    paths.sort();
    Ok(paths)
}

/// A file's bytes; `None` when it is not there.
pub(super) fn read(path: &Utf8Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file("read", path)(error)),
    }
}

/// Removes a file. One that is gone already is no error.
pub(super) fn remove(path: &Utf8Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file("remove", path)(error)),
        _ => Ok(()),
    }
}
