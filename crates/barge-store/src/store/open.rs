//! Which store it is, and how it is opened.

use std::sync::Arc;

use barge_image::compression::Compression;
use barge_image::{Digest, Error as ImageError, Layout, Record};
use camino::Utf8Path;
use jiff::Timestamp;

use crate::address::StoreAddress;
use crate::directory::DirectoryStore;
use crate::error::Error;
use crate::remote::{Remote, RemoteOptions, connect};

/// A store.
#[derive(Debug, Clone)]
pub struct Store {
    /// Where layers are packed, and where bytes of a remote store are kept.
    pub(super) local: DirectoryStore,
    pub(super) remote: Option<Arc<dyn Remote>>,
    /// Until when what is put is wanted; always, if nothing is said.
    pub(super) until: Option<Timestamp>,
    /// What new layers are packed as.
    pub(super) packing: Compression,
}

/// A record that is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its digest, the one value that the next job needs.
    pub digest: Digest,
    /// What it says.
    pub record: Record,
}

impl Store {
    /// Opens the store at an address. Bytes of one that is elsewhere are kept in the folder `cache`.
    ///
    /// # Errors
    /// When something that is needed to reach it is not set.
    pub fn open(
        address: &StoreAddress,
        cache: &Utf8Path,
        options: &RemoteOptions,
    ) -> Result<Self, Error> {
        Ok(match (address, connect(address, options)?) {
            (StoreAddress::Directory(root), None) => Self::directory(root),
            (_, remote) => Self::at(cache, remote),
        })
    }

    /// A store in a folder, which may not be there yet.
    #[must_use]
    pub fn directory(root: &Utf8Path) -> Self {
        Self::at(root, None)
    }

    /// A folder in front of a store elsewhere.
    #[must_use]
    pub fn in_front_of(remote: Arc<dyn Remote>, cache: &Utf8Path) -> Self {
        Self::at(cache, Some(remote))
    }

    /// The same store elsewhere, behind a cache of its own: what that is asked for is fetched anew.
    #[must_use]
    pub fn behind(&self, cache: &Utf8Path) -> Self {
        Self::at(cache, self.remote.clone())
    }

    fn at(folder: &Utf8Path, remote: Option<Arc<dyn Remote>>) -> Self {
        Self {
            local: DirectoryStore::at(folder),
            remote,
            until: None,
            packing: Compression::Zstd,
        }
    }

    /// The same store, which packs new layers as gzip instead of zstd: engines of all ages pull those from a registry.
    #[must_use]
    pub fn with_gzip(self) -> Self {
        Self {
            local: self.local.packing(Compression::Gzip),
            packing: Compression::Gzip,
            ..self
        }
    }

    /// The same store, for images that are wanted until then: what goes before is not relied on.
    #[must_use]
    pub fn until(&self, expires: Option<Timestamp>) -> Self {
        Self {
            until: expires,
            ..self.clone()
        }
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> &StoreAddress {
        self.home().address()
    }

    /// The folder, if the store is one.
    #[must_use]
    pub fn folder(&self) -> Option<&DirectoryStore> {
        self.remote.is_none().then_some(&self.local)
    }

    /// The layout in which manifests and layers are kept on this machine, as far as they are.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        self.local.layout()
    }

    /// The folder in front of a store elsewhere. Nothing in it is needed: it may be collected like a store without artifacts.
    #[must_use]
    pub fn cache(&self) -> Option<&DirectoryStore> {
        self.remote.is_some().then_some(&self.local)
    }

    /// Where artifacts are: elsewhere, or in the folder itself.
    #[must_use]
    pub fn home(&self) -> &dyn Remote {
        self.remote.as_deref().unwrap_or(&self.local)
    }

    pub(super) fn failed(&self) -> impl FnOnce(ImageError) -> Error + use<> {
        let store = self.address().clone();
        move |source| Error::content(&store, source)
    }
}
