//! Where an archive is read from: a stream, which is read through, or a file, in which contents are jumped over.

use std::io::{self, Read, Seek, SeekFrom};

/// A source whose content can be passed over.
pub trait Skip: Read {
    /// Passes over `count` bytes.
    ///
    /// # Errors
    /// When the source ends before, or cannot be read.
    fn skip(&mut self, count: u64) -> io::Result<()>;
}

/// A source that can only be read through, such as an inflated layer or a socket.
#[derive(Debug)]
pub struct Streaming<R>(pub R);

impl<R: Read> Read for Streaming<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Skip for Streaming<R> {
    fn skip(&mut self, count: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.0).take(count), &mut io::sink())?;
        if skipped == count {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}

/// A source that can jump over contents, such as a file.
#[derive(Debug)]
pub struct Seekable<R> {
    source: R,
    left: u64,
}

impl<R: Read + Seek> Seekable<R> {
    /// Reads at most `length` bytes from the source's present position.
    pub fn new(source: R, length: u64) -> Self {
        Self {
            source,
            left: length,
        }
    }
}

impl<R: Read + Seek> Read for Seekable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = (&mut self.source).take(self.left).read(buffer)?;
        self.left -= read as u64;
        Ok(read)
    }
}

impl<R: Read + Seek> Skip for Seekable<R> {
    fn skip(&mut self, count: u64) -> io::Result<()> {
        if count > self.left {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let step = i64::try_from(count).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.source.seek(SeekFrom::Current(step))?;
        self.left -= count;
        Ok(())
    }
}
