//! Layers on their way in: hashed, and packed in the same pass unless they are known.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};
use std::thread;

use barge_image::archive::{LayerSink, Received};
use barge_image::blobs::Blobs;
use barge_image::compression::{Compression, Decoder};
use barge_image::image::LayerSource;
use barge_image::pack::LayerPacker;
use barge_image::{Descriptor, Digest, Error as ImageError, Hasher, MediaType, PackedLayer};
use camino::Utf8PathBuf;

use super::DirectoryStore;
use super::tee::Tee;
use crate::error::Error;
use crate::parallel;

/// Layers that need not be packed, because this store or the one it publishes to holds them, by every name under which
/// an export may bring them.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownLayers(BTreeMap<Digest, Known>);

#[derive(Debug, Clone)]
struct Known {
    packed: PackedLayer,
    /// What the bytes hash to that come under this name.
    content: Digest,
}

impl KnownLayers {
    /// A layer, under its diff_id and the digest of its blob.
    pub(crate) fn add(&mut self, packed: &PackedLayer) {
        for content in [packed.blob.digest, packed.diff_id] {
            let packed = packed.clone();
            self.0.insert(content, Known { packed, content });
        }
    }

    /// Another name for a layer. One that is not known is left out.
    pub(crate) fn call(&mut self, diff_id: &Digest, name: Digest) {
        if let Some(known) = self.0.get(diff_id).cloned() {
            self.0.insert(name, known);
        }
    }

    pub(crate) fn get(&self, diff_id: &Digest) -> Option<&PackedLayer> {
        self.0.get(diff_id).map(|known| &known.packed)
    }

    /// The layer that comes under a path such as `blobs/sha256/HEX`, `HEX.tar` or `HEX/layer.tar`.
    fn named(&self, path: &str) -> Option<&Known> {
        let parts = path
            .rsplit('/')
            .map(|part| part.split('.').next().unwrap_or(part));
        let mut digests = parts.filter_map(|part| Digest::from_hex(part).ok());
        digests.find_map(|digest| self.0.get(&digest))
    }
}

/// What happens while layers are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// So many layers are new, and will be read.
    Started {
        /// How many.
        layers: usize,
    },
    /// A layer was taken.
    Done {
        /// The length of its plain tar, in bytes.
        size: u64,
    },
}

/// Told of layers that are taken, from several threads but never by two at once.
pub type Tell<'a> = &'a (dyn Fn(Taking) + Sync);

/// Each thread inflates or packs a layer of its own; more than a few only fight for the disk.
fn threads() -> usize {
    const MOST: usize = 4;
    thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST))
}

impl DirectoryStore {
    /// Stores what was received from an engine: its layers are here already.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn put_received(&self, received: &Received) -> Result<Descriptor, Error> {
        let put = match received.kept_manifest() {
            Some(manifest) => self.layout().put_raw_image(&received.config, manifest),
            None => self.layout().put_image(&received.config, &received.layers),
        };
        put.map_err(self.failed())
    }

    /// Takes layers from where they lie, each once and several at once. A compressed blob stays as it is, and is shared
    /// with its file where both are on one disk.
    ///
    /// # Errors
    /// When the disk refuses, or a layer is not what its image says.
    pub(crate) fn take_layers(
        &self,
        diff_ids: &[Digest],
        source: &dyn LayerSource,
        known: &KnownLayers,
        tell: Tell<'_>,
    ) -> Result<Vec<PackedLayer>, Error> {
        let mut seen = BTreeSet::new();
        let mut is_new = |diff_id: &Digest| known.get(diff_id).is_none() && seen.insert(*diff_id);
        let places = diff_ids.iter().copied().enumerate();
        let new: Vec<_> = places.filter(|(_, diff_id)| is_new(diff_id)).collect();
        tell(Taking::Started { layers: new.len() });
        let taken = Mutex::new(known.clone());
        parallel::for_each_on(threads(), &new, |(index, diff_id), _| {
            let layer = self.take_layer(source, *index, diff_id)?;
            let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
            tell(Taking::Done {
                size: layer.plain_size,
            });
            taken.add(&layer);
            Ok(())
        })?;
        let taken = taken.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(diff_ids
            .iter()
            .filter_map(|diff_id| taken.get(diff_id).cloned())
            .collect())
    }

    fn take_layer(
        &self,
        source: &dyn LayerSource,
        index: usize,
        diff_id: &Digest,
    ) -> Result<PackedLayer, Error> {
        let name = format!("layer {diff_id}");
        let mut content = source
            .open(index)
            .map_err(|source| self.failed()(broken(&name)(source)))?;
        let packed = self.pack(&name, &mut content, source.file(index))?;
        if packed.diff_id == *diff_id {
            Ok(packed)
        } else {
            Err(self.refused("a layer", *diff_id, packed.diff_id))
        }
    }

    /// A sink that stores layers as they arrive.
    pub(crate) fn sink(&self, known: KnownLayers) -> DirectorySink {
        let store = self.clone();
        DirectorySink { store, known }
    }

    fn refused(&self, name: &str, expected: Digest, found: Digest) -> Error {
        let what = name.to_owned();
        Error::Refused {
            store: self.address.clone(),
            source: ImageError::Digest {
                what,
                expected,
                found,
            },
        }
    }

    fn pack(
        &self,
        name: &str,
        content: &mut dyn Read,
        file: Option<&File>,
    ) -> Result<PackedLayer, Error> {
        let (blobs, packing) = (self.layout().blobs(), self.packing);
        let packed = pack(blobs, name, content, file, packing).map_err(self.failed())?;
        self.note(&packed)?;
        Ok(packed)
    }
}

/// Stores layers as they arrive, in one pass each.
#[derive(Debug)]
pub struct DirectorySink {
    store: DirectoryStore,
    known: KnownLayers,
}

impl LayerSink for DirectorySink {
    type Error = Error;

    fn layer(&mut self, name: &str, content: &mut dyn Read) -> Result<PackedLayer, Error> {
        let Some(known) = self.known.named(name) else {
            let packed = self.store.pack(name, content, None)?;
            self.known.add(&packed);
            return Ok(packed);
        };
        let mut first = [0; Compression::MAGIC_LENGTH];
        let length = fill(content, &mut first).map_err(self.broken(name))?;
        let mut content = first[..length].chain(content);
        let is_packed = Compression::sniff(&first[..length]) != Compression::None;
        if is_packed && known.content == known.packed.diff_id {
            return self.store.pack(name, &mut content, None);
        }
        let found = hash(&mut content).map_err(self.broken(name))?;
        if found == known.content {
            Ok(known.packed.clone())
        } else {
            Err(self.store.refused(name, known.content, found))
        }
    }
}

impl DirectorySink {
    fn broken(&self, name: &str) -> impl FnOnce(io::Error) -> Error + use<> {
        let (failed, broken) = (self.store.failed(), broken(name));
        move |source| failed(broken(source))
    }
}

/// Whether a blob need not be packed anew: zstd must be where gzip is wanted, which every engine pulls.
pub(crate) fn suits(packing: Compression, found: &MediaType) -> bool {
    packing != Compression::Gzip || *found != MediaType::LAYER_ZSTD
}

/// Packs a plain layer; keeps one that is compressed already, whose bytes somebody may know by digest, but for zstd where
/// gzip is wanted. `file` holds these very bytes, if it is named.
fn pack(
    blobs: &Blobs,
    name: &str,
    content: &mut dyn Read,
    file: Option<&File>,
    packing: Compression,
) -> Result<PackedLayer, ImageError> {
    let shared = file.and_then(|file| blobs.writer_over(file));
    let writer = shared.map_or_else(|| blobs.writer(), Ok)?;
    let tee = Tee::new(content, writer);
    let (compression, mut decoder) = Decoder::sniffing(tee).map_err(broken(name))?;
    let is_unfit = compression == Compression::Zstd && packing == Compression::Gzip;
    if compression == Compression::None || is_unfit {
        decoder.get_mut().stop_copying();
        let mut packer = LayerPacker::new(blobs, packing)?;
        io::copy(&mut decoder, &mut packer).map_err(broken(name))?;
        return packer.finish(blobs);
    }
    let mut plain = Hasher::new();
    let plain_size = copy_into(&mut decoder, |bytes| plain.update(bytes)).map_err(broken(name))?;
    let copy = decoder.into_inner().finish().map_err(broken(name))?;
    let (plain, stored) = (plain.finish(), copy.finish()?);
    Ok(PackedLayer::kept(plain, plain_size, compression, stored))
}

pub(crate) fn hash(content: &mut dyn Read) -> io::Result<Digest> {
    let mut hasher = Hasher::new();
    copy_into(content, |bytes| hasher.update(bytes))?;
    Ok(hasher.finish())
}

fn copy_into(mut source: impl Read, mut take: impl FnMut(&[u8])) -> io::Result<u64> {
    let mut buffer = vec![0; 128 << 10];
    let mut copied = 0;
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(count) => {
                take(&buffer[..count]);
                copied += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn fill(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let wanted = buffer.len();
    let mut filled = 0;
    copy_into(source.take(wanted as u64), |bytes| {
        buffer[filled..filled + bytes.len()].copy_from_slice(bytes);
        filled += bytes.len();
    })?;
    Ok(filled)
}

fn broken(name: &str) -> impl FnOnce(io::Error) -> ImageError + use<> {
    let path = Utf8PathBuf::from(name);
    move |source| ImageError::File {
        action: "store",
        path,
        source,
    }
}
