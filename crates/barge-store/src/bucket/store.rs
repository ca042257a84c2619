//! A bucket as a store.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use barge_image::record::RECORD_LIMIT;
use barge_image::{Descriptor, Digest, PackedLayer};
use jiff::Timestamp;
use object_store::PutMode;

use super::blobs::BlobWriter;
use super::builder::build;
use super::error::Error;
use super::keys::Keys;
use super::objects::Objects;
use super::pointers::{Made, Pointers};
use crate::address::{Provider, StoreAddress};
use crate::error::Error as StoreError;
use crate::http::HttpOptions;
use crate::parallel::for_each;
use crate::pointer::Pointer;
use crate::registry::Progress;
use crate::remote::{Artifact, ArtifactLayer, Housekeeping, Listing, Remote, Wanted};

const NOTE_LIMIT: u64 = 64 << 10;

/// Artifacts in a bucket.
#[derive(Debug)]
pub struct BucketStore {
    address: StoreAddress,
    pub(super) objects: Objects,
    pub(super) keys: Keys,
}

impl BucketStore {
    /// Prepares to use a bucket, or what is below a prefix of it; it is not asked yet.
    ///
    /// # Errors
    /// When the variables do not say how it is reached.
    pub fn new(
        provider: Provider,
        bucket: &str,
        prefix: &str,
        http: HttpOptions,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, StoreError> {
        let address = StoreAddress::Bucket {
            provider,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        let objects = build(provider, bucket, http, variables).and_then(Objects::new);
        Ok(Self {
            objects: objects.map_err(failed(&address))?,
            keys: Keys::new(prefix),
            address,
        })
    }

    pub(super) fn failed(&self) -> impl FnOnce(Error) -> StoreError {
        failed(&self.address)
    }

    fn pointers_at(&self) -> Pointers<'_> {
        Pointers {
            objects: &self.objects,
            keys: &self.keys,
        }
    }

    fn writer(&self) -> BlobWriter<'_> {
        BlobWriter {
            objects: &self.objects,
            keys: &self.keys,
        }
    }

    /// What is written down of a layer. A note that cannot be read only costs packing the layer again.
    pub(super) fn note(&self, diff_id: &Digest) -> Result<Option<PackedLayer>, Error> {
        let bytes = self
            .objects
            .document(&self.keys.layer(diff_id), NOTE_LIMIT)?;
        let note = bytes.and_then(|bytes| serde_json::from_slice::<PackedLayer>(&bytes).ok());
        Ok(note.filter(|note| note.diff_id == *diff_id))
    }

    fn write_note(&self, layer: &PackedLayer) -> Result<(), Error> {
        let key = self.keys.layer(&layer.diff_id);
        if self.note(&layer.diff_id)?.as_ref() == Some(layer) {
            return Ok(());
        }
        let bytes = serde_json::to_vec(layer).map_err(|source| Error::Document {
            key: key.to_string(),
            source,
        })?;
        self.objects.put(&key, bytes, PutMode::Overwrite)
    }

    fn put_layer(&self, layer: &ArtifactLayer, progress: Progress<'_>) -> Result<(), StoreError> {
        let (writer, blob) = (self.writer(), &layer.packed.blob);
        if let Some(content) = &layer.content {
            let put = writer.put_layer(blob, content, progress);
            let noted = put.and_then(|()| self.write_note(&layer.packed));
            return noted.map_err(self.failed());
        }
        if writer
            .rely_on(&blob.digest, blob.size)
            .map_err(self.failed())?
        {
            return Ok(());
        }
        Err(StoreError::Vanished {
            store: self.address.clone(),
            diff_id: layer.packed.diff_id,
        })
    }

    fn put_blobs(&self, artifact: &Artifact, progress: Progress<'_>) -> Result<(), StoreError> {
        let mut seen = BTreeSet::new();
        let layers = artifact.layers.iter();
        let layers: Vec<_> = layers
            .filter(|layer| seen.insert(layer.packed.blob.digest))
            .collect();
        for_each(&layers, |layer, _| self.put_layer(layer, progress))?;
        let documents = [
            artifact.config.bytes(),
            &*artifact.manifest.bytes,
            &*artifact.record,
        ];
        for_each(&documents, |bytes, _| self.writer().put(bytes)).map_err(self.failed())
    }

    /// Whether the pointer is there already; [`StoreError::Taken`] if it leads elsewhere.
    fn is_made(&self, pointer: &Pointer) -> Result<bool, StoreError> {
        match self.pointers_at().held(pointer).map_err(self.failed())? {
            None => Ok(false),
            Some(held) if held.record == pointer.record => Ok(true),
            Some(held) => Err(taken(&held, pointer.record)),
        }
    }
}

impl Remote for BucketStore {
    fn address(&self) -> &StoreAddress {
        &self.address
    }

    fn layers(
        &self,
        diff_ids: &[Digest],
        _until: Option<Timestamp>,
    ) -> Result<BTreeMap<Digest, PackedLayer>, StoreError> {
        let found = Mutex::new(BTreeMap::new());
        for_each(diff_ids, |diff_id, _| {
            let Some(note) = self.note(diff_id)? else {
                return Ok(());
            };
            if self.writer().rely_on(&note.blob.digest, note.blob.size)? {
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                found.insert(*diff_id, note);
            }
            Ok(())
        })
        .map_err(self.failed())?;
        Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn publish(&self, artifact: &Artifact, progress: Progress<'_>) -> Result<(), StoreError> {
        let pointer = &artifact.pointer;
        let is_again = self.is_made(pointer)?;
        self.put_blobs(artifact, progress)?;
        if is_again {
            return Ok(());
        }
        match self.pointers_at().make(pointer).map_err(self.failed())? {
            Made::Done => Ok(()),
            Made::Held(held) => Err(taken(&held, pointer.record)),
            Made::Unclear => Err(StoreError::Unconfirmed {
                store: self.address.clone(),
                record: pointer.record,
            }),
        }
    }

    fn pointers(&self, wanted: &Wanted) -> Result<Listing, StoreError> {
        let listed = self.pointers_at().list(wanted);
        let (pointers, broken) = listed.map_err(self.failed())?;
        let broken = broken.into_iter().map(|error| self.failed()(error));
        Ok(Listing {
            pointers,
            broken: broken.collect(),
        })
    }

    fn record(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let key = self.keys.blob(digest);
        let found = self.objects.document(&key, RECORD_LIMIT as u64);
        found.map_err(self.failed())
    }

    fn blob(
        &self,
        _record: &Digest,
        blob: &Descriptor,
    ) -> Result<Option<Box<dyn Read + Send + '_>>, StoreError> {
        let key = self.keys.blob(&blob.digest);
        let found = self
            .objects
            .reader(&key, blob.size)
            .map_err(self.failed())?;
        Ok(found.map(|reader| Box::new(reader) as Box<dyn Read + Send + '_>))
    }

    fn remove(&self, pointer: &Pointer) -> Result<(), StoreError> {
        // What belonged to it alone goes when the store is collected.
        self.pointers_at().remove(pointer).map_err(self.failed())
    }

    fn housekeeping(&self) -> Option<&dyn Housekeeping> {
        Some(self)
    }
}

fn taken(held: &Pointer, wanted: Digest) -> StoreError {
    StoreError::Taken {
        name: held.artifact.clone(),
        run: held.run.clone(),
        held: held.record,
        wanted,
    }
}

fn failed(address: &StoreAddress) -> impl FnOnce(Error) -> StoreError {
    let store = address.clone();
    move |source| StoreError::Bucket {
        store,
        source: Box::new(source),
    }
}
