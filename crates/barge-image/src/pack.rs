//! Packing a layer in one pass: the digest of the plain tar (its diff_id), compression, the digest of the blob.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use zstd::zstd_safe::CParameter;

use crate::annotation::PLAIN_SIZE;
use crate::blobs::{BlobWriter, Blobs, Stored};
use crate::compression::Compression;
use crate::digest::{Digest, Hasher};
use crate::error::Error;
use crate::manifest::Descriptor;
use crate::media_type::MediaType;

/// Level 3 gives 90 % of what higher levels give at a third of their time.
const ZSTD_LEVEL: i32 = 3;
/// The output of zstd's threaded mode does not depend on the number of threads, but differs from its plain mode: always
/// the same mode, so that equal layers make equal blobs. Each thread takes some megabytes.
const ZSTD_THREADS: std::ops::RangeInclusive<usize> = 1..=8;
/// What one thread compresses at a time, in bytes. The default, four times as much, gives 0.2 % smaller blobs and takes
/// three times the memory.
const ZSTD_JOB: u32 = 2 << 20;
const BUFFER: usize = 256 << 10;

/// A layer that was packed into a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedLayer {
    /// The digest of the plain tar.
    pub diff_id: Digest,
    /// The length of the plain tar, in bytes.
    pub plain_size: u64,
    /// The blob, annotated with the plain size if it is compressed.
    pub blob: Descriptor,
}

impl PackedLayer {
    /// A layer that came compressed and was kept as it was.
    #[must_use]
    pub fn kept(
        diff_id: Digest,
        plain_size: u64,
        compression: Compression,
        stored: Stored,
    ) -> Self {
        let media_type = match compression {
            Compression::None => MediaType::LAYER,
            Compression::Gzip => MediaType::LAYER_GZIP,
            Compression::Zstd => MediaType::LAYER_ZSTD,
        };
        let annotations = if compression == Compression::None {
            BTreeMap::new()
        } else {
            BTreeMap::from([(PLAIN_SIZE.to_owned(), plain_size.to_string())])
        };
        let blob = Descriptor {
            annotations,
            ..Descriptor::new(media_type, stored.digest, stored.size)
        };
        Self {
            diff_id,
            plain_size,
            blob,
        }
    }

    /// A layer by the blob that a manifest describes; `None` when nobody wrote down how long it is unpacked.
    #[must_use]
    pub fn described(diff_id: Digest, blob: Descriptor) -> Option<Self> {
        let noted = blob.annotations.get(PLAIN_SIZE);
        let plain_size = match noted {
            Some(size) => size.parse().ok()?,
            None if blob.digest == diff_id => blob.size,
            None => return None,
        };
        Some(Self {
            diff_id,
            plain_size,
            blob,
        })
    }
}

/// Takes the plain tar of a layer and writes the blob.
pub struct LayerPacker {
    plain: Hasher,
    plain_size: u64,
    encoder: Encoder,
}

enum Encoder {
    Plain(BufWriter<BlobWriter>),
    Gzip(Box<GzEncoder<BufWriter<BlobWriter>>>),
    Zstd(Box<zstd::Encoder<'static, BufWriter<BlobWriter>>>),
}

impl LayerPacker {
    /// Starts a blob in a blob folder.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn new(blobs: &Blobs, compression: Compression) -> Result<Self, Error> {
        let sink = BufWriter::with_capacity(BUFFER, blobs.writer()?);
        let encoder = match compression {
            Compression::None => Encoder::Plain(sink),
            Compression::Gzip => Encoder::Gzip(Box::new(GzEncoder::new(
                sink,
                flate2::Compression::default(),
            ))),
            Compression::Zstd => Encoder::Zstd(Box::new(
                zstd_encoder(sink).map_err(Error::file("write into", blobs.folder()))?,
            )),
        };
        Ok(Self {
            plain: Hasher::new(),
            plain_size: 0,
            encoder,
        })
    }

    /// Ends the layer and puts the blob under its name.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(self, blobs: &Blobs) -> Result<PackedLayer, Error> {
        let (compression, sink) = match self.encoder {
            Encoder::Plain(sink) => (Compression::None, Ok(sink)),
            Encoder::Gzip(encoder) => (Compression::Gzip, encoder.finish()),
            Encoder::Zstd(encoder) => (Compression::Zstd, encoder.finish()),
        };
        let writer =
            sink.and_then(|sink| sink.into_inner().map_err(io::IntoInnerError::into_error));
        let stored = writer
            .map_err(Error::file("write into", blobs.folder()))?
            .finish()?;
        Ok(PackedLayer::kept(
            self.plain.finish(),
            self.plain_size,
            compression,
            stored,
        ))
    }
}

fn zstd_encoder<W: Write>(sink: W) -> io::Result<zstd::Encoder<'static, W>> {
    let mut encoder = zstd::Encoder::new(sink, ZSTD_LEVEL)?;
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let threads = cores.clamp(*ZSTD_THREADS.start(), *ZSTD_THREADS.end());
    encoder.multithread(u32::try_from(threads).unwrap_or(1))?;
    encoder.set_parameter(CParameter::JobSize(ZSTD_JOB))?;
    encoder.include_checksum(false)?;
    Ok(encoder)
}

impl Write for LayerPacker {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.encoder {
            Encoder::Plain(sink) => sink.write_all(bytes)?,
            Encoder::Gzip(encoder) => encoder.write_all(bytes)?,
            Encoder::Zstd(encoder) => encoder.write_all(bytes)?,
        }
        self.plain.update(bytes);
        self.plain_size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // A flush would end compression blocks early; what is buffered is written at the end.
        Ok(())
    }
}

impl std::fmt::Debug for LayerPacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LayerPacker({} bytes)", self.plain_size)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use camino::Utf8Path;

    use super::*;
    use crate::compression::Decoder;

    #[test]
    fn every_compression_keeps_the_bytes_and_repeats_itself() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::of_layout(Utf8Path::from_path(folder.path()).unwrap());
        blobs.create().unwrap();
        let plain = b"some layer ".repeat(400_000);
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let pack = || {
                let mut packer = LayerPacker::new(&blobs, compression).unwrap();
                packer.write_all(&plain).unwrap();
                packer.finish(&blobs).unwrap()
            };
            let layer = pack();
            assert_eq!(layer, pack());
            assert_eq!(layer.diff_id, Digest::of(&plain));
            let blob = blobs.open(&layer.blob.digest).unwrap().unwrap();
            let (found, mut decoder) = Decoder::sniffing(blob.reader()).unwrap();
            let mut unpacked = Vec::new();
            decoder.read_to_end(&mut unpacked).unwrap();
            assert_eq!((found, unpacked == plain), (compression, true));
        }
    }
}
