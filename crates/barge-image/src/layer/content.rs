//! Contents that can be read at any position, wherever they lie: in memory, in a range of a file, spilled to disk.

use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;

use crate::extent::Extent;
use crate::tar::{Skip, SparseMap};

/// A streamed content up to this size is held in memory, a larger one in an unlinked temporary file.
const MEMORY_LIMIT: u64 = 64 << 20;
/// When contents are jumped over, so much at most is read around a header: to the end of the page after it.
const WINDOW: usize = 2 * PAGE;
const PAGE: usize = 4096;

/// The content of one file.
pub trait Content: Sync {
    /// Its length.
    fn size(&self) -> u64;

    /// Reads from a position; fewer bytes than asked only at the end.
    ///
    /// # Errors
    /// When the source fails.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// These bytes, as far as the content has them: a length that lies costs nothing.
    ///
    /// # Errors
    /// When the source fails.
    fn range(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let length = length.min(self.size().saturating_sub(offset));
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        let read = self.read_at(offset, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// All bytes, if there are at most `limit`.
    ///
    /// # Errors
    /// When the content is larger, or the source fails.
    fn bytes(&self, limit: u64) -> io::Result<Cow<'_, [u8]>> {
        let size = usize::try_from(self.size()).unwrap_or(usize::MAX);
        if self.size() > limit {
            let text = format!("{size} bytes are more than the {limit} that are read");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        let mut bytes = vec![0; size];
        let read = self.read_at(0, &mut bytes)?;
        bytes.truncate(read);
        Ok(Cow::Owned(bytes))
    }
}

impl Content for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.get(offset..))
            .unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn bytes(&self, limit: u64) -> io::Result<Cow<'_, [u8]>> {
        if self.size() > limit {
            let text = format!(
                "{} bytes are more than the {limit} that are read",
                self.len()
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        Ok(Cow::Borrowed(self))
    }
}

impl Content for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.as_slice().read_at(offset, buffer)
    }

    fn bytes(&self, limit: u64) -> io::Result<Cow<'_, [u8]>> {
        Content::bytes(self.as_slice(), limit)
    }
}

impl Content for Extent {
    fn size(&self) -> u64 {
        self.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Self::read_at(self, offset, buffer)
    }
}

impl<C: Content> Content for &C {
    fn size(&self) -> u64 {
        (*self).size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        (*self).read_at(offset, buffer)
    }
}

/// A sparse file with its holes, over its stored pieces.
pub(super) struct Expanded<'a, C> {
    pub(super) pieces: C,
    pub(super) map: &'a SparseMap,
}

impl<C: Content> Content for Expanded<'_, C> {
    fn size(&self) -> u64 {
        self.map.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let read = |at: u64, piece: &mut [u8]| self.pieces.read_at(at, piece);
        self.map.fill(offset, buffer, read)
    }
}

/// Reads an extent from its start; passing over bytes costs nothing, and small reads share a window.
#[derive(Debug)]
pub(super) struct JumpingReader<'a> {
    extent: &'a Extent,
    position: u64,
    window: Vec<u8>,
    window_start: u64,
}

impl<'a> JumpingReader<'a> {
    pub(super) fn new(extent: &'a Extent) -> Self {
        Self {
            extent,
            position: 0,
            window: Vec::new(),
            window_start: 0,
        }
    }
}

impl Read for JumpingReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.len() >= WINDOW {
            let read = self.extent.read_at(self.position, buffer)?;
            self.position += read as u64;
            return Ok(read);
        }
        let end = self.window_start + self.window.len() as u64;
        if !(self.window_start..end).contains(&self.position) {
            let into_page = (self.extent.start() + self.position) % PAGE as u64;
            let length = WINDOW - usize::try_from(into_page).unwrap_or_default();
            self.window.resize(length, 0);
            let read = self.extent.read_at(self.position, &mut self.window)?;
            self.window.truncate(read);
            self.window_start = self.position;
        }
        let read = self
            .window
            .as_slice()
            .read_at(self.position - self.window_start, buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Skip for JumpingReader<'_> {
    fn skip(&mut self, count: u64) -> io::Result<()> {
        if count > self.extent.len() - self.position.min(self.extent.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.position += count;
        Ok(())
    }
}

/// A content that came by in a stream.
pub(super) enum Held {
    Memory(Vec<u8>),
    Spilled(Extent),
}

impl Held {
    /// Takes `size` bytes that begin with `head` from the stream.
    pub(super) fn take(head: &[u8], rest: &mut impl Read, size: u64) -> io::Result<Self> {
        if size <= MEMORY_LIMIT {
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
            bytes.extend_from_slice(head);
            rest.read_to_end(&mut bytes)?;
            return Ok(Self::Memory(bytes));
        }
        let mut file = tempfile::tempfile()?;
        io::Write::write_all(&mut file, head)?;
        io::copy(rest, &mut file)?;
        Ok(Self::Spilled(Extent::whole(Arc::new(file), size)))
    }
}

impl Content for Held {
    fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.size(),
            Self::Spilled(extent) => extent.size(),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Memory(bytes) => bytes.read_at(offset, buffer),
            Self::Spilled(extent) => extent.read_at(offset, buffer),
        }
    }

    fn bytes(&self, limit: u64) -> io::Result<Cow<'_, [u8]>> {
        match self {
            Self::Memory(bytes) => Content::bytes(bytes, limit),
            Self::Spilled(extent) => extent.bytes(limit),
        }
    }
}
