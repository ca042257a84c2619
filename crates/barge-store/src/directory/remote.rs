//! A folder as the store that another one publishes to: a share that several machines mount. The local store itself is
//! used through the same words, publishing what it holds already.

use std::collections::BTreeMap;
use std::io::{self, Read, Write as _};

use barge_image::DOCUMENT_LIMIT;
use barge_image::blobs::Blobs;
use barge_image::{Descriptor, Digest, Error as ImageError, PackedLayer, Record};
use jiff::Timestamp;

use super::DirectoryStore;
use crate::address::StoreAddress;
use crate::error::Error;
use crate::pointer::Pointer;
use crate::registry::{Arrival, Progress, Transfer};
use crate::remote::{Artifact, ArtifactLayer, Housekeeping, Listing, Remote, Wanted};

impl Remote for DirectoryStore {
    fn address(&self) -> &StoreAddress {
        &self.address
    }

    fn layers(
        &self,
        diff_ids: &[Digest],
        _until: Option<Timestamp>,
    ) -> Result<BTreeMap<Digest, PackedLayer>, Error> {
        let mut known = BTreeMap::new();
        for diff_id in diff_ids {
            known.extend(self.packed(diff_id)?.map(|packed| (*diff_id, packed)));
        }
        Ok(known)
    }

    fn publish(&self, artifact: &Artifact, progress: Progress<'_>) -> Result<(), Error> {
        let record = Record::from_bytes(&artifact.record).map_err(|source| {
            self.failed()(ImageError::Document {
                what: "hand-off record",
                path: self.root().to_owned(),
                source,
            })
        })?;
        for layer in &artifact.layers {
            self.take(layer, progress)?;
        }
        let documents = [
            artifact.config.bytes(),
            &artifact.manifest.bytes,
            &artifact.record,
        ];
        for document in documents {
            self.layout().blobs().put(document).map_err(self.failed())?;
        }
        self.point(&artifact.pointer)?;
        self.name(&artifact.pointer.record, &record)
    }

    fn pointers(&self, wanted: &Wanted) -> Result<Listing, Error> {
        self.list(wanted)
    }

    fn record(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let blob = self.layout().blobs().open(digest).map_err(self.failed())?;
        let bytes = blob.map(|blob| blob.read_all(DOCUMENT_LIMIT));
        let bytes = bytes.transpose();
        bytes.map_err(super::file("read", self.layout().blobs().path(digest)))
    }

    fn blob(
        &self,
        _record: &Digest,
        blob: &Descriptor,
    ) -> Result<Option<Box<dyn Read + Send + '_>>, Error> {
        let found = self
            .layout()
            .blobs()
            .open(&blob.digest)
            .map_err(self.failed())?;
        Ok(found.map(|found| Box::new(found.reader()) as Box<dyn Read + Send>))
    }

    fn remove(&self, pointer: &Pointer) -> Result<(), Error> {
        self.unpoint(pointer)?;
        self.unname(&pointer.record)
    }

    fn housekeeping(&self) -> Option<&dyn Housekeeping> {
        Some(self)
    }
}

impl DirectoryStore {
    fn take(&self, layer: &ArtifactLayer, progress: Progress<'_>) -> Result<(), Error> {
        let ArtifactLayer { packed, content } = layer;
        let (digest, size) = (packed.blob.digest, packed.blob.size);
        progress(Transfer::Started { digest, size });
        let how = match content {
            _ if self.layout().blobs().keep(&digest, size) => Arrival::Present,
            Some(content) => {
                copy_blob(self.layout().blobs(), &mut content.reader(), &packed.blob)
                    .map_err(self.failed())?;
                Arrival::Moved
            }
            None => {
                return Err(Error::Vanished {
                    store: self.address.clone(),
                    diff_id: packed.diff_id,
                });
            }
        };
        if self.noted(&packed.diff_id)?.is_none() {
            self.note(packed)?;
        }
        progress(Transfer::Arrived { digest, how });
        Ok(())
    }
}

/// Copies a blob into a folder of blobs, if it is what its descriptor says. Never more than that many bytes are read.
pub(crate) fn copy_blob(
    blobs: &Blobs,
    content: &mut dyn Read,
    descriptor: &Descriptor,
) -> Result<(), ImageError> {
    let mut writer = blobs.writer()?;
    let path = blobs.path(&descriptor.digest);
    let copied = io::copy(
        &mut content.take(descriptor.size.saturating_add(1)),
        &mut writer,
    )
    .and_then(|copied| writer.flush().map(|()| copied))
    .map_err(|source| ImageError::File {
        action: "fetch",
        path,
        source,
    })?;
    if copied != descriptor.size {
        return Err(ImageError::Size {
            what: format!("blob {}", descriptor.digest),
            expected: descriptor.size,
            found: copied,
        });
    }
    writer.finish_as(&descriptor.digest).map(drop)
}
