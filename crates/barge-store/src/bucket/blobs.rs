//! Blobs in a bucket: put once, in parts if they are long, and read back in length.

use std::sync::{Mutex, PoisonError};

use barge_image::{Descriptor, Digest, Extent};
use bytes::Bytes;
use object_store::path::Path;
use object_store::{PutMode, PutPayload};

use super::error::Error;
use super::keys::Keys;
use super::objects::Objects;
use crate::parallel::for_each;
use crate::registry::{Arrival, Progress, Transfer};

/// A longer blob goes in parts of this many bytes, several at once.
const PART: u64 = 8 << 20;
/// Providers allow 10,000 parts: of a very long blob they are longer.
const PARTS: u64 = 9_000;

/// Puts blobs.
#[derive(Debug)]
pub(super) struct BlobWriter<'a> {
    pub(super) objects: &'a Objects,
    pub(super) keys: &'a Keys,
}

impl BlobWriter<'_> {
    /// Whether a blob is there, and will be for a while: whoever collects sees it as young from now on.
    pub(super) fn rely_on(&self, digest: &Digest, size: u64) -> Result<bool, Error> {
        let key = self.keys.blob(digest);
        let is_there = || {
            let found = self.objects.head(&key)?;
            Ok::<_, Error>(found.is_some_and(|found| found.size == size))
        };
        if !is_there()? {
            return Ok(false);
        }
        let reliance = self.keys.reliance(digest);
        self.objects
            .put(&reliance, Vec::new(), PutMode::Overwrite)?;
        // It may have gone before it could be seen that it is relied on.
        is_there()
    }

    /// Puts a document, unless it is there.
    pub(super) fn put(&self, bytes: &[u8]) -> Result<(), Error> {
        let digest = Digest::of(bytes);
        if self.rely_on(&digest, bytes.len() as u64)? {
            return Ok(());
        }
        let key = self.keys.blob(&digest);
        self.objects.put(&key, bytes.to_vec(), PutMode::Overwrite)?;
        self.check(&key, bytes.len() as u64)
    }

    /// Puts a layer, unless it is there.
    pub(super) fn put_layer(
        &self,
        blob: &Descriptor,
        content: &Extent,
        progress: Progress<'_>,
    ) -> Result<(), Error> {
        let (digest, size) = (blob.digest, blob.size);
        progress(Transfer::Started { digest, size });
        let how = if self.rely_on(&digest, size)? {
            Arrival::Present
        } else {
            let key = self.keys.blob(&digest);
            if size <= PART {
                let bytes = part(content, 0, size)?;
                self.objects.put(&key, bytes, PutMode::Overwrite)?;
            } else {
                let reached = |position| progress(Transfer::Reached { digest, position });
                self.put_parts(&key, content, size, &reached)?;
            }
            self.check(&key, size)?;
            Arrival::Moved
        };
        progress(Transfer::Arrived { digest, how });
        Ok(())
    }

    fn put_parts(
        &self,
        key: &Path,
        content: &Extent,
        size: u64,
        reached: &(dyn Fn(u64) + Sync),
    ) -> Result<(), Error> {
        let (objects, bucket) = (self.objects, self.objects.bucket());
        let id = objects.wait("write", key, bucket.create_multipart(key))?;
        let length = PART.max(size.div_ceil(PARTS));
        let indices: Vec<u64> = (0..size.div_ceil(length)).collect();
        // By number, for they end in any order.
        let parts = Mutex::new(std::collections::BTreeMap::new());
        let sent = Mutex::new(0);
        let put = for_each(&indices, |index, _| {
            let bytes = part(content, index * length, length)?;
            let count = bytes.len() as u64;
            let payload = PutPayload::from(Bytes::from(bytes));
            let number = usize::try_from(*index).unwrap_or(usize::MAX);
            let put = bucket.put_part(key, &id, number, payload);
            let part = objects.wait("write a part of", key, put)?;
            parts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(*index, part);
            let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
            *sent += count;
            reached(*sent);
            Ok::<_, Error>(())
        });
        let parts = parts.into_inner().unwrap_or_else(PoisonError::into_inner);
        let whole = put.and_then(|()| {
            let parts = parts.into_values().collect();
            let complete = bucket.complete_multipart(key, &id, parts);
            objects.wait("write", key, complete)
        });
        match whole {
            Ok(_) => Ok(()),
            Err(error) => {
                // Parts that stay cost money until somebody sees them.
                objects
                    .wait("give up", key, bucket.abort_multipart(key, &id))
                    .ok();
                Err(error)
            }
        }
    }

    fn check(&self, key: &Path, expected: u64) -> Result<(), Error> {
        let found = self.objects.head(key)?.map_or(0, |found| found.size);
        if found == expected {
            return Ok(());
        }
        // What is broken must not be taken for the blob.
        self.objects.delete(key)?;
        Err(Error::Size {
            key: key.to_string(),
            expected,
            found,
        })
    }
}

fn part(content: &Extent, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
    let read = content.part(offset, length).read_all(length);
    read.map_err(|source| Error::Read {
        what: "a layer".into(),
        source,
    })
}
