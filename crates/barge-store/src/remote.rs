//! A store elsewhere: a place that a local store publishes artifacts to and fetches them from.
//!
//! The local side is always a [`crate::DirectoryStore`], which is a cache then. A remote store keeps what the local one
//! keeps: blobs by digest, a note of which blob holds which layer, and pointers. How it lays them out is its own affair;
//! what its users rely on is this:
//!
//! - A pointer is there only when everything that it leads to is there for good, and is made once: a second record
//!   under the same name, run and attempt is [`Error::Taken`], the same record again is no error.
//! - What it gives is not trusted: the reader hashes every byte and compares. A remote store need not.
//! - Calls block, may come from several threads at once, retry by themselves what may go better the next time, and end:
//!   a server that stalls is an error after a while.
//!
//! `tests/remote/conformance.rs` holds every backend to this.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::sync::Arc;

use barge_image::record::{ArtifactName, Run};
use barge_image::{Descriptor, Digest, Extent, PackedLayer, RawConfig, RawManifest, Reference};
use jiff::Timestamp;

use crate::address::StoreAddress;
use crate::bucket::BucketStore;
use crate::error::Error;
use crate::github::{GitHubOptions, GitHubStore};
use crate::pointer::Pointer;
use crate::registry::{Progress, RegistryOptions, RegistryStore};

/// A store elsewhere.
pub trait Remote: fmt::Debug + Send + Sync {
    /// Where it is.
    fn address(&self) -> &StoreAddress;

    /// The blobs that hold these layers already, of those that it has. They will be relied on: whatever removes blobs
    /// of this store must see them as young from now on. Where layers go with the artifact that brought them, only those
    /// count that stay until the time given, or for ever.
    ///
    /// # Errors
    /// When the store fails. Not knowing a layer is no failure.
    fn layers(
        &self,
        diff_ids: &[Digest],
        until: Option<Timestamp>,
    ) -> Result<BTreeMap<Digest, PackedLayer>, Error>;

    /// Puts an artifact: first every blob, durably, then the pointer. Of one that is there, what was lost is put again,
    /// where the other side lets it.
    ///
    /// # Errors
    /// [`Error::Taken`] when the pointer exists and leads to another record; [`Error::Vanished`] when a layer that was
    /// to be there already is not; or when the store fails. The pointer does not exist then.
    fn publish(&self, artifact: &Artifact, progress: Progress<'_>) -> Result<(), Error>;

    /// The pointers that match, in any order.
    ///
    /// # Errors
    /// When the store fails.
    fn pointers(&self, wanted: &Wanted) -> Result<Listing, Error>;

    /// What it holds, in words for a message, as far as that costs little.
    ///
    /// # Errors
    /// When the store fails.
    fn names(&self) -> Result<Vec<String>, Error> {
        let pointers = self.pointers(&Wanted::default())?.pointers;
        Ok(pointers.iter().map(ToString::to_string).collect())
    }

    /// The bytes of a hand-off record; `None` when the store has none of that digest.
    ///
    /// # Errors
    /// When the store fails.
    fn record(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error>;

    /// Reads a manifest, config or layer of the artifact with this record; `None` when it is not there.
    ///
    /// # Errors
    /// When the store fails.
    fn blob(
        &self,
        record: &Digest,
        blob: &Descriptor,
    ) -> Result<Option<Box<dyn Read + Send + '_>>, Error>;

    /// Removes a pointer, and with it what belongs to no other. One that is gone already is no error.
    ///
    /// # Errors
    /// When the store fails, or lets nobody remove anything.
    fn remove(&self, pointer: &Pointer) -> Result<(), Error>;

    /// Whether artifacts whose time is over go by themselves.
    fn expires_by_itself(&self) -> bool {
        false
    }

    /// How blobs that no pointer leads to are found and removed; `None` where the other side sees to it.
    fn housekeeping(&self) -> Option<&dyn Housekeeping> {
        None
    }
}

/// A remote store that keeps everything it is given until it is told otherwise.
pub trait Housekeeping {
    /// All blobs.
    ///
    /// # Errors
    /// When the store fails.
    fn blobs(&self) -> Result<Vec<HeldBlob>, Error>;

    /// Manifests, besides those of records, that are to stay with all that they name; none, usually.
    ///
    /// # Errors
    /// When the store fails.
    fn roots(&self) -> Result<Vec<Digest>, Error> {
        Ok(Vec::new())
    }

    /// Removes a blob, unless it was put or relied on again since `seen`, and says whether it is gone.
    ///
    /// # Errors
    /// When the store fails.
    fn discard(&self, seen: &HeldBlob) -> Result<bool, Error>;

    /// Removes notes whose blobs are gone, and what writers left behind before that time.
    ///
    /// # Errors
    /// When the store fails.
    fn tidy(&self, before: Timestamp) -> Result<(), Error>;
}

/// A blob that lies in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBlob {
    /// The digest that it is stored under.
    pub digest: Digest,
    /// Its length, in bytes.
    pub size: u64,
    /// When it was put, or last relied on.
    pub touched: Timestamp,
}

/// Which pointers are wanted; all, by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Those of this name.
    pub artifact: Option<ArtifactName>,
    /// Those of this run and attempt.
    pub run: Option<Run>,
}

impl Wanted {
    /// Whether a pointer is wanted.
    #[must_use]
    pub fn matches(&self, pointer: &Pointer) -> bool {
        let named = self.artifact.as_ref();
        let ran = self.run.as_ref();
        named.is_none_or(|name| *name == pointer.artifact)
            && ran.is_none_or(|run| *run == pointer.run)
    }
}

/// What a store lists.
#[derive(Debug, Default)]
pub struct Listing {
    /// The pointers.
    pub pointers: Vec<Pointer>,
    /// What lies where such pointers are and is none: one per file or object.
    pub broken: Vec<Error>,
}

impl Listing {
    /// The pointers, where each one counts.
    ///
    /// # Errors
    /// What is broken.
    pub fn whole(mut self) -> Result<Vec<Pointer>, Error> {
        self.broken.pop().map_or(Ok(self.pointers), Err)
    }
}

impl FromIterator<Pointer> for Listing {
    fn from_iter<I: IntoIterator<Item = Pointer>>(pointers: I) -> Self {
        Self {
            pointers: pointers.into_iter().collect(),
            broken: Vec::new(),
        }
    }
}

/// An artifact on its way to a remote store: everything that its pointer leads to.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The pointer that will lead to it.
    pub pointer: Pointer,
    /// The bytes of the hand-off record.
    pub record: Vec<u8>,
    /// What the image is called.
    pub references: Vec<Reference>,
    /// The manifest that the record names.
    pub manifest: RawManifest,
    /// The config that the manifest names.
    pub config: RawConfig,
    /// The layers, base first.
    pub layers: Vec<ArtifactLayer>,
}

/// A layer of an artifact on its way.
#[derive(Debug, Clone)]
pub struct ArtifactLayer {
    /// The layer and its blob.
    pub packed: PackedLayer,
    /// The bytes of the blob; `None` when the remote store said that it has them.
    pub content: Option<Extent>,
}

/// What remote stores are reached with. All of it is handed in: this crate reads no environment.
#[derive(Debug, Clone, Default)]
pub struct RemoteOptions {
    /// How registries are reached, and with whose credentials.
    pub registry: RegistryOptions,
    /// The variables that the backends' own tools go by: `AWS_*`, `GOOGLE_*`, `AZURE_*`, `ACTIONS_*`, `GITHUB_*`.
    pub variables: BTreeMap<String, String>,
    /// The time, where it bounds how long artifacts may live.
    pub now: Option<Timestamp>,
}

/// Reaches a remote store; `None` for a folder, which is local.
///
/// # Errors
/// When something that is needed to reach it is not set.
pub fn connect(
    address: &StoreAddress,
    options: &RemoteOptions,
) -> Result<Option<Arc<dyn Remote>>, Error> {
    match address {
        StoreAddress::Directory(_) => Ok(None),
        StoreAddress::Registry(name) => {
            let store = RegistryStore::new(name.clone(), options.registry.clone())?;
            Ok(Some(Arc::new(store)))
        }
        StoreAddress::GitHub(others) => {
            let lookup = |name: &str| options.variables.get(name).cloned();
            let http = options.registry.http.clone();
            let github = GitHubOptions::from_variables(lookup, options.now);
            let github = github.map(|github| GitHubOptions { http, ..github });
            let store = GitHubStore::new(others.as_ref(), github)?;
            Ok(Some(Arc::new(store)))
        }
        StoreAddress::Bucket {
            provider,
            bucket,
            prefix,
        } => {
            let (http, variables) = (options.registry.http.clone(), &options.variables);
            let store = BucketStore::new(*provider, bucket, prefix, http, variables)?;
            Ok(Some(Arc::new(store)))
        }
    }
}
