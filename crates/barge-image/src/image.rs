//! An image that lies open: its documents in memory, its layers as runs of bytes in files.

use std::fs::File;
use std::io::{self, Read};

use crate::annotation::PLAIN_SIZE;
use crate::compression::{Compression, Decoder};
use crate::config::{Identity, RawConfig};
use crate::digest::{Digest, Hasher};
use crate::error::Error;
use crate::extent::{Extent, ExtentReader};
use crate::manifest::Descriptor;
use crate::media_type::MediaType;
use crate::reference::Reference;

/// An image in a docker archive, an OCI layout or a store.
#[derive(Debug, Clone)]
pub struct Image {
    /// What it is called, in the order of its home.
    pub references: Vec<Reference>,
    /// The config as received.
    pub config: RawConfig,
    /// The manifest as received; docker archives have none.
    pub manifest: Option<RawManifest>,
    /// The layers, base first; as many as the config has diff_ids.
    pub layers: Vec<Layer>,
}

/// A manifest with the bytes that its digest is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawManifest {
    /// What kind of manifest.
    pub media_type: MediaType,
    /// The bytes as received.
    pub bytes: Vec<u8>,
}

impl RawManifest {
    /// Describes the manifest.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::of(self.media_type.clone(), &self.bytes)
    }
}

/// A layer of an open image.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The digest of the plain tar, as the config states it.
    pub diff_id: Digest,
    /// The blob as a manifest states it, if there is one.
    pub blob: Option<Descriptor>,
    /// The bytes, perhaps compressed.
    pub content: Extent,
}

impl Image {
    /// What makes two images the same image.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.config.identity()
    }

    /// The layers' bytes as they lie there, in total.
    #[must_use]
    pub fn stored_size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.content.len()).sum()
    }

    /// Reads every layer once and compares it with its diff_id.
    ///
    /// # Errors
    /// When a layer cannot be read or is not what the config says.
    pub fn verify(&self) -> Result<(), Error> {
        let mut seen = std::collections::BTreeSet::new();
        let fresh = self
            .layers
            .iter()
            .filter(|layer| seen.insert(layer.diff_id));
        fresh
            .into_iter()
            .try_for_each(|layer| layer.plain()?.finish())
    }
}

/// Where the layers of an image can be read, by their place in it, several at once.
pub trait LayerSource: Sync {
    /// Opens the bytes of a layer, perhaps compressed.
    ///
    /// # Errors
    /// When they cannot be read.
    fn open(&self, index: usize) -> io::Result<Box<dyn Read + '_>>;

    /// The file that holds these bytes and nothing else, where there is one: a store on the same disk may share it.
    fn file(&self, index: usize) -> Option<&File>;
}

impl LayerSource for Image {
    fn open(&self, index: usize) -> io::Result<Box<dyn Read + '_>> {
        let layer = self.layers.get(index).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(layer.content.reader()))
    }

    fn file(&self, index: usize) -> Option<&File> {
        self.layers.get(index)?.content.whole_file()
    }
}

impl Layer {
    /// The compression of the bytes, from the bytes themselves.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn compression(&self) -> Result<Compression, Error> {
        let mut first = Vec::new();
        let magic = self.content.part(0, Compression::MAGIC_LENGTH as u64);
        magic
            .reader()
            .read_to_end(&mut first)
            .map_err(|source| self.inflate_error(source))?;
        Ok(Compression::sniff(&first))
    }

    /// The plain tar, hashed as it is read.
    ///
    /// # Errors
    /// When the bytes cannot be read.
    pub fn plain(&self) -> Result<PlainLayer, Error> {
        let (_, decoder) = Decoder::sniffing(self.content.reader())
            .map_err(|source| self.inflate_error(source))?;
        Ok(PlainLayer {
            diff_id: self.diff_id,
            decoder,
            hasher: Hasher::new(),
        })
    }

    /// The length of the plain tar in bytes; inflates the layer if nobody wrote it down.
    ///
    /// # Errors
    /// When the layer cannot be read.
    pub fn plain_size(&self) -> Result<u64, Error> {
        if let Some(size) = self.noted_plain_size() {
            return Ok(size);
        }
        if self.compression()? == Compression::None {
            return Ok(self.content.len());
        }
        let mut plain = self.plain()?;
        io::copy(&mut plain, &mut io::sink()).map_err(|source| self.inflate_error(source))
    }

    /// The length of the plain tar in bytes, where somebody wrote it down.
    #[must_use]
    pub fn noted_plain_size(&self) -> Option<u64> {
        let blob = self.blob.as_ref()?;
        if blob.digest == self.diff_id {
            return Some(blob.size);
        }
        blob.annotations.get(PLAIN_SIZE)?.parse().ok()
    }

    fn inflate_error(&self, source: io::Error) -> Error {
        Error::Inflate {
            diff_id: self.diff_id,
            source,
        }
    }
}

/// Reads the plain tar of a layer and hashes it.
#[derive(Debug)]
pub struct PlainLayer {
    diff_id: Digest,
    decoder: Decoder<ExtentReader>,
    hasher: Hasher,
}

impl PlainLayer {
    /// Reads what is left and compares the whole with the diff_id.
    ///
    /// # Errors
    /// When it cannot be read or is not what the config says.
    pub fn finish(mut self) -> Result<(), Error> {
        let diff_id = self.diff_id;
        io::copy(&mut self, &mut io::sink())
            .map_err(|source| Error::Inflate { diff_id, source })?;
        let found = self.hasher.finish();
        if found == diff_id {
            return Ok(());
        }
        Err(Error::Digest {
            what: "a layer".into(),
            expected: diff_id,
            found,
        })
    }
}

impl Read for PlainLayer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}
