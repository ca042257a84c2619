//! The store in a folder.
//!
//! The folder is an OCI image layout, so that skopeo and others can read it. Beside the layout stand `layers/`, which maps
//! each diff_id to the blob that holds the layer, and `artifacts/NAME/RUN-ATTEMPT`, the pointers to hand-off records. A
//! pointer is made once, by a hard link that fails when the name is taken, and never changed. Everything a pointer
//! needs is durable before the pointer is made: a crash leaves blobs that nothing names, never a broken artifact.
//!
//! Sweeps and writers meet without a lock: who relies on a blob marks it as young first, and a sweep takes only old ones,
//! out of the way before it looks at their age once more.

mod fsck;
mod index;
mod layers;
mod pointers;
mod put;
mod remote;
mod sweep;
mod tee;

use std::fs;
use std::io;

use barge_image::blobs::SWEEP_LOCK;
use barge_image::compression::Compression;
use barge_image::{Error as ImageError, Layout};
use camino::{Utf8Path, Utf8PathBuf};

use crate::address::StoreAddress;
use crate::error::Error;

pub use fsck::{Check, Finding, Report, Trouble};
pub use put::{DirectorySink, Taking, Tell};

pub(crate) use put::{KnownLayers, hash, suits};
pub(crate) use remote::copy_blob;

/// A store in a folder.
#[derive(Debug, Clone)]
pub struct DirectoryStore {
    layout: Layout,
    address: StoreAddress,
    /// What layers are packed as.
    packing: Compression,
}

impl DirectoryStore {
    /// Opens a store, making the folder if it is not there.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn create(root: &Utf8Path) -> Result<Self, Error> {
        let store = Self::at(root);
        Layout::create(root).map_err(store.failed())?;
        for folder in [store.layers(), store.artifacts()] {
            fs::create_dir_all(&folder).map_err(file("create", folder))?;
        }
        let lock = root.join(SWEEP_LOCK);
        if !lock.exists() {
            fs::File::create(&lock).map_err(file("create", lock))?;
        }
        Ok(store)
    }

    /// A store that may or may not be there, for reading; the disk is not touched.
    #[must_use]
    pub fn at(root: &Utf8Path) -> Self {
        Self {
            layout: Layout::at(root),
            address: StoreAddress::Directory(root.to_owned()),
            packing: Compression::Zstd,
        }
    }

    /// The same store, which packs layers so.
    pub(crate) fn packing(self, packing: Compression) -> Self {
        Self { packing, ..self }
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        self.layout.root()
    }

    /// The layout that it is.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    fn layers(&self) -> Utf8PathBuf {
        self.root().join("layers")
    }

    fn artifacts(&self) -> Utf8PathBuf {
        self.root().join("artifacts")
    }

    fn failed(&self) -> impl FnOnce(ImageError) -> Error + use<> {
        let store = self.address.clone();
        move |source| Error::content(&store, source)
    }
}

fn file(action: &'static str, path: impl Into<Utf8PathBuf>) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::File {
        action,
        path,
        source,
    }
}

/// What lies in a folder, in order of name; nothing when there is no such folder.
fn entries(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Error> {
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
fn read(path: &Utf8Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file("read", path)(error)),
    }
}

/// Removes a file. One that is gone already is no error.
fn remove(path: &Utf8Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file("remove", path)(error)),
        _ => Ok(()),
    }
}
