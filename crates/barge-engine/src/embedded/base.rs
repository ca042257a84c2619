//! Base images: their layers as plain tars, and as blobs that are reused as they are.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::sync::{Arc, OnceLock};

use barge_image::annotation::PLAIN_SIZE;
use barge_image::blobs::Blobs;
use barge_image::compression::{Compression, Decoder};
use barge_image::manifest::Descriptor;
use barge_image::pack::LayerPacker;
use barge_image::tar::{Reader, Streaming};
use barge_image::{Extent, Layer, Layout, MediaType, PackedLayer};

/// A layer of a base image.
#[derive(Debug)]
pub(super) struct BaseLayer {
    pub(super) layer: Layer,
    /// The plain tar in a file without name, once some content of it is needed.
    spooled: OnceLock<Extent>,
}

impl BaseLayer {
    pub(super) fn new(layer: Layer) -> Self {
        Self {
            layer,
            spooled: OnceLock::new(),
        }
    }

    /// The plain tar, to be read anywhere.
    pub(super) fn plain(&self) -> io::Result<Extent> {
        if self.layer.compression().map_err(io::Error::other)? == Compression::None {
            return Ok(self.layer.content.clone());
        }
        if let Some(extent) = self.spooled.get() {
            return Ok(extent.clone());
        }
        let extent = spool(self.layer.content.reader())?;
        Ok(self.spooled.get_or_init(|| extent).clone())
    }

    /// The layer as a blob in the layout: the very bytes where a manifest names them, else packed, once.
    pub(super) fn store(
        &self,
        layout: &Layout,
        compression: Compression,
    ) -> Result<PackedLayer, barge_image::Error> {
        match &self.layer.blob {
            Some(blob) => self.copy(layout.blobs(), blob),
            None => match self.packed_before(layout, compression)? {
                Some(packed) => Ok(packed),
                None => self.pack(layout.blobs(), compression),
            },
        }
    }

    /// The same layer of an image that the layout lists, if it is packed the same way. An image's identity is that of its
    /// plain layers, so that it does not matter who packed them.
    fn packed_before(
        &self,
        layout: &Layout,
        compression: Compression,
    ) -> Result<Option<PackedLayer>, barge_image::Error> {
        for manifest in layout.index()? {
            // An image of the index that cannot be read is not this build's concern.
            let Ok(image) = layout.image(&manifest.digest, Vec::new()) else {
                continue;
            };
            let same = |layer: &&Layer| layer.diff_id == self.layer.diff_id;
            let Some(layer) = image.layers.iter().find(same) else {
                continue;
            };
            if let Some(blob) = &layer.blob
                && blob.media_type == media_type(compression)
                && layer.content.len() == blob.size
            {
                return Ok(Some(PackedLayer {
                    diff_id: layer.diff_id,
                    plain_size: layer.plain_size()?,
                    blob: blob.clone(),
                }));
            }
        }
        Ok(None)
    }

    fn copy(&self, blobs: &Blobs, blob: &Descriptor) -> Result<PackedLayer, barge_image::Error> {
        if blobs.size(&blob.digest) != Some(self.layer.content.len()) {
            let mut writer = blobs.writer()?;
            io::copy(&mut self.layer.content.reader(), &mut writer).map_err(self.unreadable())?;
            let stored = writer.finish()?;
            if stored.digest != blob.digest {
                return Err(barge_image::Error::Digest {
                    what: "a layer of the base image".into(),
                    expected: blob.digest,
                    found: stored.digest,
                });
            }
        }
        let plain_size = self.layer.plain_size()?;
        let compression = self.layer.compression()?;
        let mut descriptor = Descriptor::new(
            media_type(compression),
            blob.digest,
            self.layer.content.len(),
        );
        if compression != Compression::None {
            descriptor
                .annotations
                .insert(PLAIN_SIZE.to_owned(), plain_size.to_string());
        }
        Ok(PackedLayer {
            diff_id: self.layer.diff_id,
            plain_size,
            blob: descriptor,
        })
    }

    fn pack(
        &self,
        blobs: &Blobs,
        compression: Compression,
    ) -> Result<PackedLayer, barge_image::Error> {
        let mut plain = self.layer.plain()?;
        let mut packer = LayerPacker::new(blobs, compression)?;
        io::copy(&mut plain, &mut packer).map_err(self.unreadable())?;
        plain.finish()?;
        packer.finish(blobs)
    }

    fn unreadable(&self) -> impl Fn(io::Error) -> barge_image::Error {
        let diff_id = self.layer.diff_id;
        move |source| barge_image::Error::Inflate { diff_id, source }
    }
}

fn media_type(compression: Compression) -> MediaType {
    match compression {
        Compression::None => MediaType::LAYER,
        Compression::Gzip => MediaType::LAYER_GZIP,
        Compression::Zstd => MediaType::LAYER_ZSTD,
    }
}

/// Inflates into a file without name, which vanishes with its last reader.
pub(super) fn spool(source: impl io::Read) -> io::Result<Extent> {
    let (_, mut decoder) = Decoder::sniffing(source)?;
    let mut file: File = tempfile::tempfile()?;
    let length = io::copy(&mut decoder, &mut file)?;
    file.flush()?;
    file.rewind()?;
    Ok(Extent::whole(Arc::new(file), length))
}

/// Whether bytes begin like a tar archive.
pub(super) fn is_tar(mut source: impl io::Read) -> bool {
    let mut first = [0; 512];
    source.read_exact(&mut first).is_ok()
        && Reader::new(Streaming(&first[..]))
            .next()
            .is_ok_and(|entry| entry.is_some())
}
