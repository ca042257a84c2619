//! What artifacts lead to.

use std::collections::BTreeMap;
use std::io::Read as _;

use barge_image::{DOCUMENT_LIMIT, Descriptor, Digest, Document, MediaType, Record};

use crate::error::Error;
use crate::pointer::Pointer;
use crate::remote::Remote;

/// What artifacts lead to: blobs, with their lengths in bytes.
pub(super) struct Marks<'a> {
    store: &'a dyn Remote,
    seen: BTreeMap<Digest, u64>,
}

impl<'a> Marks<'a> {
    pub(super) fn of(store: &'a dyn Remote) -> Self {
        let seen = BTreeMap::new();
        Self { store, seen }
    }

    /// All that was marked.
    pub(super) fn into_seen(self) -> BTreeMap<Digest, u64> {
        self.seen
    }

    /// The length of all that was marked, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.seen
            .values()
            .fold(0, |sum, size| sum.saturating_add(*size))
    }

    /// Marks all that an artifact needs; false when its record is gone or was changed.
    pub(super) fn artifact(&mut self, pointer: &Pointer) -> Result<bool, Error> {
        let digest = &pointer.record;
        self.seen.insert(*digest, 0);
        let Some(record) = record(self.store, pointer)? else {
            return Ok(false);
        };
        // Its length is that in the manifest.
        self.seen.entry(record.image.config).or_default();
        self.manifest(digest, &record.image.manifest)?;
        Ok(true)
    }

    /// Marks what a manifest names that no record leads to.
    pub(super) fn root(&mut self, root: &Digest) -> Result<(), Error> {
        let manifest = Descriptor::new(MediaType::MANIFEST, *root, DOCUMENT_LIMIT);
        self.manifest(root, &manifest)
    }

    /// Marks a manifest or index and all that it names. What is missing or broken leads nowhere.
    fn manifest(&mut self, record: &Digest, descriptor: &Descriptor) -> Result<(), Error> {
        if self.seen.contains_key(&descriptor.digest) {
            return Ok(());
        }
        self.seen.insert(descriptor.digest, descriptor.size);
        let Some(content) = self.store.blob(record, descriptor)? else {
            return Ok(());
        };
        let mut bytes = Vec::new();
        let limit = descriptor.size.min(DOCUMENT_LIMIT);
        let read = content.take(limit).read_to_end(&mut bytes);
        read.map_err(|source| Error::Read {
            store: self.store.address().clone(),
            what: format!("manifest {}", descriptor.digest),
            source,
        })?;
        match Document::parse(&bytes) {
            Ok(Document::Manifest(manifest)) => {
                let blobs = manifest.layers.iter().chain([&manifest.config]);
                self.seen.extend(blobs.map(|blob| (blob.digest, blob.size)));
                Ok(())
            }
            Ok(Document::Index(index)) => {
                let mut nested = index.manifests.iter();
                nested.try_for_each(|descriptor| self.manifest(record, descriptor))
            }
            Err(_) => Ok(()),
        }
    }
}

/// The record of an artifact; `None` when it is gone or was changed. One that is whole and cannot be understood is an error:
/// a newer version may have written it, and what it needs must not be taken for what nobody needs.
pub(super) fn record(store: &dyn Remote, pointer: &Pointer) -> Result<Option<Record>, Error> {
    let bytes = store.record(&pointer.record)?;
    let whole = bytes.filter(|bytes| Digest::of(bytes) == pointer.record);
    let record = whole.map(|bytes| Record::from_bytes(&bytes));
    record.transpose().map_err(|source| Error::OtherVersion {
        store: store.address().clone(),
        pointer: pointer.to_string(),
        record: pointer.record,
        source,
    })
}
