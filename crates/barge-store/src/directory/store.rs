//! The folder itself: where what lies.

use std::fs;

use barge_image::blobs::SWEEP_LOCK;
use barge_image::compression::Compression;
use barge_image::{Error as ImageError, Layout};
use camino::{Utf8Path, Utf8PathBuf};

use super::file;
use crate::address::StoreAddress;
use crate::error::Error;

/// A store in a folder.
#[derive(Debug, Clone)]
pub struct DirectoryStore {
    layout: Layout,
    pub(super) address: StoreAddress,
    /// What layers are packed as.
    pub(super) packing: Compression,
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

    pub(super) fn layers(&self) -> Utf8PathBuf {
        self.root().join("layers")
    }

    pub(super) fn artifacts(&self) -> Utf8PathBuf {
        self.root().join("artifacts")
    }

    pub(super) fn failed(&self) -> impl FnOnce(ImageError) -> Error + use<> {
        let store = self.address.clone();
        move |source| Error::content(&store, source)
    }
}
