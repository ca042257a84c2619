//! Objects of a bucket, by calls that block.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    ObjectMeta, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, Result as ObjectResult,
};
use tokio::runtime::{Builder, Runtime};

use super::builder::Bucket;
use super::error::Error;

/// A bucket, asked by threads that wait for the answer.
#[derive(Debug)]
pub(super) struct Objects {
    bucket: Arc<dyn Bucket>,
    /// Keeps time for the library's pauses; the work is done on the threads that wait.
    runtime: Option<Runtime>,
}

impl Drop for Objects {
    fn drop(&mut self) {
        // Whoever lets go last may be a thread that must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Objects {
    pub(super) fn new(bucket: Arc<dyn Bucket>) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_time()
            .build();
        let runtime = runtime.map_err(|source| Error::Read {
            what: "the clock".into(),
            source,
        })?;
        Ok(Self {
            bucket,
            runtime: Some(runtime),
        })
    }

    pub(super) fn bucket(&self) -> &dyn Bucket {
        &*self.bucket
    }

    /// Waits for an operation.
    pub(super) fn wait<T>(
        &self,
        action: &'static str,
        key: &Path,
        operation: impl Future<Output = ObjectResult<T>>,
    ) -> Result<T, Error> {
        let done = match &self.runtime {
            Some(runtime) => runtime.block_on(operation),
            None => return Err(closed(key)),
        };
        done.map_err(|source| Error::Object {
            action,
            key: key.to_string(),
            source,
        })
    }

    /// What is known of an object without reading it; `None` when it is not there.
    pub(super) fn head(&self, key: &Path) -> Result<Option<ObjectMeta>, Error> {
        absent(self.wait("ask for", key, self.bucket.head(key)))
    }

    /// A small object; `None` when it is not there.
    pub(super) fn document(&self, key: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(found) = absent(self.wait("read", key, self.bucket.get(key)))? else {
            return Ok(None);
        };
        let size = found.meta.size;
        if size > limit {
            let key = key.to_string();
            return Err(Error::TooLarge { key, size, limit });
        }
        let bytes = self.wait("read", key, found.bytes())?;
        Ok(Some(bytes.to_vec()))
    }

    /// Puts a small object.
    pub(super) fn put(&self, key: &Path, bytes: Vec<u8>, mode: PutMode) -> Result<(), Error> {
        let options = PutOptions::from(mode);
        let payload = PutPayload::from(bytes);
        let put = self.bucket.put_opts(key, payload, options);
        self.wait("write", key, put).map(drop)
    }

    /// Removes an object; one that is gone already is no error.
    pub(super) fn delete(&self, key: &Path) -> Result<(), Error> {
        absent(self.wait("remove", key, self.bucket.delete(key))).map(drop)
    }

    /// What there is below a prefix.
    pub(super) fn list(&self, prefix: &Path) -> Result<Vec<ObjectMeta>, Error> {
        let mut stream = self.bucket.list(Some(prefix));
        let mut found = Vec::new();
        loop {
            match self.wait("list", prefix, stream.try_next())? {
                Some(meta) => found.push(meta),
                None => return Ok(found),
            }
        }
    }

    /// Reads an object of a length that is known; `None` when it is not there.
    pub(super) fn reader(&self, key: &Path, size: u64) -> Result<Option<ObjectReader<'_>>, Error> {
        let Some(found) = absent(self.wait("read", key, self.bucket.get(key)))? else {
            return Ok(None);
        };
        if found.meta.size != size {
            return Err(Error::Size {
                key: key.to_string(),
                expected: size,
                found: found.meta.size,
            });
        }
        Ok(Some(ObjectReader {
            objects: self,
            key: key.clone(),
            stream: found.into_stream(),
            chunk: Bytes::new(),
        }))
    }
}

/// The bytes of an object. A connection that breaks off is continued by the library.
pub(super) struct ObjectReader<'a> {
    objects: &'a Objects,
    key: Path,
    stream: BoxStream<'static, ObjectResult<Bytes>>,
    chunk: Bytes,
}

impl Read for ObjectReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() && !buffer.is_empty() {
            let next = self.stream.try_next();
            match self.objects.wait("read", &self.key, next) {
                Ok(Some(chunk)) => self.chunk = chunk,
                Ok(None) => return Ok(0),
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        let count = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

/// What is not there is an answer.
fn absent<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn closed(key: &Path) -> Error {
    Error::Read {
        what: format!("`{key}`"),
        source: io::ErrorKind::NotConnected.into(),
    }
}
