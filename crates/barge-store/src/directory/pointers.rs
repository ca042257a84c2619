//! Pointers: `artifacts/NAME/RUN-ATTEMPT`, made once by a hard link.

use std::fs;
use std::io;

use barge_image::blobs::{PARTIAL_PREFIX, partial, sync_folder};
use camino::{Utf8Path, Utf8PathBuf};

use super::{DirectoryStore, entries, file, read, remove};
use crate::error::Error;
use crate::pointer::{Pointer, run_key};
use crate::remote::{Listing, Wanted};

impl DirectoryStore {
    /// Makes a pointer. The same one twice is no error.
    pub(super) fn point(&self, pointer: &Pointer) -> Result<(), Error> {
        let path = self.pointer_path(pointer);
        let folder = self.artifacts().join(pointer.artifact.as_str());
        // The folder may go with its last pointer this very moment: then it is made once more.
        let make = || fs::create_dir_all(&folder).and_then(|()| partial(&folder, PARTIAL_PREFIX));
        let mut temporary = make().or_else(|_| make()).map_err(file("write", &path))?;
        serde_json::to_writer(&mut temporary, pointer)
            .map_err(|error| file("write", &path)(error.into()))?;
        let synced = temporary.as_file().sync_all();
        synced.map_err(file("write", &path))?;
        match fs::hard_link(temporary.path(), &path) {
            Ok(()) => {
                sync_folder(&folder).map_err(self.failed())?;
                sync_folder(&self.artifacts()).map_err(self.failed())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let held = read_pointer(&path)?;
                held.filter(|held| held.record != pointer.record)
                    .map_or(Ok(()), |held| Err(Error::taken(&held, pointer.record)))
            }
            Err(error) => Err(file("write", path)(error)),
        }
    }

    /// The pointers that are wanted, in order of name and run. Only their places are looked at.
    pub(super) fn list(&self, wanted: &Wanted) -> Result<Listing, Error> {
        let mut listing = Listing::default();
        for path in self.pointer_paths(wanted)? {
            match read_pointer(&path) {
                Ok(pointer) => {
                    let wanted = pointer.filter(|pointer| wanted.matches(pointer));
                    listing.pointers.extend(wanted);
                }
                Err(error @ Error::Pointer { .. }) => listing.broken.push(error),
                Err(error) => return Err(error),
            }
        }
        Ok(listing)
    }

    /// The files that are, or should be, the pointers that are wanted.
    pub(super) fn pointer_paths(&self, wanted: &Wanted) -> Result<Vec<Utf8PathBuf>, Error> {
        let folders = match &wanted.artifact {
            Some(name) => vec![self.artifacts().join(name.as_str())],
            None => entries(&self.artifacts())?,
        };
        let key = wanted.run.as_ref().map(run_key);
        // What begins with a dot is a pointer in the making.
        let is_wanted = |path: &Utf8PathBuf| {
            let name = path.file_name().filter(|name| !name.starts_with('.'));
            name.is_some_and(|name| key.as_ref().is_none_or(|key| name == key)) && path.is_file()
        };
        let mut paths = Vec::new();
        for folder in folders.iter().filter(|folder| folder.is_dir()) {
            paths.extend(entries(folder)?.into_iter().filter(is_wanted));
        }
        Ok(paths)
    }

    pub(super) fn unpoint(&self, pointer: &Pointer) -> Result<(), Error> {
        self.remove_pointer(&self.pointer_path(pointer))
    }

    pub(super) fn remove_pointer(&self, path: &Utf8Path) -> Result<(), Error> {
        remove(path)?;
        let folder = path.parent().unwrap_or(path);
        // The folder of the name goes with its last pointer; a writer makes it again.
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                sync_folder(folder).map_err(self.failed())
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(file("remove", folder)(error))
            }
            _ => sync_folder(&self.artifacts()).map_err(self.failed()),
        }
    }

    fn pointer_path(&self, pointer: &Pointer) -> Utf8PathBuf {
        let folder = self.artifacts().join(pointer.artifact.as_str());
        folder.join(pointer.key())
    }
}

/// Reads a pointer; `None` when it is gone.
pub(super) fn read_pointer(path: &Utf8Path) -> Result<Option<Pointer>, Error> {
    let Some(bytes) = read(path)? else {
        return Ok(None);
    };
    let pointer = serde_json::from_slice(&bytes).map_err(|source| Error::Pointer {
        path: path.to_owned(),
        source,
    });
    pointer.map(Some)
}
