//! Whole images out of a registry, into the blobs of a layout.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use barge_image::DOCUMENT_LIMIT;
use barge_image::blobs::Blobs;
use barge_image::{
    Descriptor, Error as ImageError, Image, Layout, Manifest, Platform, RawConfig, Reference,
    RepositoryName,
};

use super::Registry;
use super::blobs::{self, BlobBody};
use super::error::Error;
use super::progress::{Arrival, Progress, Transfer};
use crate::http::Error as HttpError;
use crate::parallel::for_each;

const BUFFER: usize = 128 << 10;

impl Registry {
    /// Brings an image into a layout and opens it. Blobs that are there stay; the bytes of manifest and config are those
    /// of the registry. The layout's index is left as it is: naming needs the lock that only its owner has.
    ///
    /// # Errors
    /// When it is not there, not what its digests say, or the disk refuses. Blobs that came whole are kept.
    pub fn pull(
        &self,
        reference: &Reference,
        platform: Option<&Platform>,
        layout: &Layout,
        progress: Progress<'_>,
    ) -> Result<Image, Error> {
        let resolved = self.resolve(reference, platform)?;
        let unsupported = |descriptor: &Descriptor| Error::Unsupported {
            reference: reference.clone(),
            media_type: descriptor.media_type.clone(),
        };
        let manifest: Manifest = serde_json::from_slice(&resolved.manifest.bytes)
            .map_err(|_| unsupported(&resolved.descriptor))?;
        let folder = layout.blobs();
        folder.create()?;
        let name = reference.name();
        // The config first: what is no image is found out before its gigabytes come.
        if manifest.config.size > DOCUMENT_LIMIT {
            return Err(HttpError::TooLarge {
                host: name.registry().to_owned(),
                what: blobs::what(name, &manifest.config),
                limit: DOCUMENT_LIMIT,
            }
            .into());
        }
        self.fetch(
            name,
            &manifest.config,
            folder,
            progress,
            &AtomicBool::new(false),
        )?;
        let config = RawConfig::parse(layout.document("config", &manifest.config.digest)?)
            .map_err(|_| unsupported(&manifest.config))?;
        let (layers, diff_ids) = (manifest.layers.len(), config.parsed().rootfs.diff_ids.len());
        if layers != diff_ids {
            return Err(ImageError::LayerCount { layers, diff_ids }.into());
        }
        let mut seen = BTreeSet::new();
        let fresh = manifest.layers.iter();
        let fresh: Vec<_> = fresh.filter(|layer| seen.insert(layer.digest)).collect();
        for_each(&fresh, |layer, stop| {
            self.fetch(name, layer, folder, progress, stop)
        })?;
        folder.put(&resolved.manifest.bytes)?;
        let image = layout.image(&resolved.descriptor.digest, vec![reference.clone()])?;
        Ok(image)
    }

    /// Brings one blob, unless it is there.
    fn fetch(
        &self,
        name: &RepositoryName,
        descriptor: &Descriptor,
        blobs: &Blobs,
        progress: Progress<'_>,
        stop: &AtomicBool,
    ) -> Result<(), Error> {
        let (digest, size) = (descriptor.digest, descriptor.size);
        progress(Transfer::Started { digest, size });
        let how = if blobs.size(&digest) == Some(size) {
            Arrival::Present
        } else {
            self.client.read(name.registry(), |endpoint| {
                let body = blobs::open(&self.client, endpoint, name, descriptor)?;
                store(body, descriptor, blobs, progress, stop)
            })?
        };
        if !stop.load(Ordering::Relaxed) {
            progress(Transfer::Arrived { digest, how });
        }
        Ok(())
    }
}

fn store(
    mut body: BlobBody<'_>,
    descriptor: &Descriptor,
    blobs: &Blobs,
    progress: Progress<'_>,
    stop: &AtomicBool,
) -> Result<Arrival, Error> {
    let digest = descriptor.digest;
    let mut writer = blobs.writer()?;
    let mut buffer = vec![0; BUFFER];
    let mut position = 0;
    loop {
        // Another blob failed: its error is the one to tell.
        if stop.load(Ordering::Relaxed) {
            return Ok(Arrival::Present);
        }
        let read = body
            .read(&mut buffer)
            .map_err(|error| told(error, descriptor))?;
        if read == 0 {
            break;
        }
        writer
            .write_all(&buffer[..read])
            .map_err(|source| ImageError::File {
                action: "write",
                path: blobs.path(&digest),
                source,
            })?;
        position += read as u64;
        progress(Transfer::Reached { digest, position });
    }
    match writer.finish_as(&digest) {
        Ok(_) => Ok(Arrival::Moved),
        Err(ImageError::Digest { found, .. }) => Err(body.origin().wrong_digest(found)),
        Err(error) => Err(error.into()),
    }
}

/// The error inside an error.
fn told(error: io::Error, descriptor: &Descriptor) -> Error {
    error
        .downcast::<Error>()
        .unwrap_or_else(|source| Error::Read {
            what: format!("blob {}", descriptor.digest),
            source,
        })
}
