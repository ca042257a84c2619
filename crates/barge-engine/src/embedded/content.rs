//! Where the bytes of a file are, until its layer is written.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use barge_image::Extent;

use super::base::BaseLayer;

/// The bytes of a file.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A file of the context.
    Host(Arc<PathBuf>),
    /// Bytes of the Dockerfile.
    Memory(Arc<[u8]>),
    /// A part of an archive that was added.
    Extent(Extent),
    /// A part of a base image's layer.
    Layer { layer: Arc<BaseLayer>, offset: u64 },
}

impl Content {
    /// Opens the bytes; `size` is what the tree knows.
    pub(super) fn open(&self, size: u64) -> io::Result<Box<dyn Read + '_>> {
        Ok(match self {
            Self::Host(path) => Box::new(File::open(path.as_path())?),
            Self::Memory(bytes) => Box::new(bytes.as_ref()),
            Self::Extent(extent) => Box::new(extent.reader()),
            Self::Layer { layer, offset } => Box::new(layer.plain()?.part(*offset, size).reader()),
        })
    }

    /// Reads at most `limit` bytes into memory.
    pub(super) fn read(&self, size: u64, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(size)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
