//! Keeps a copy of what a decoder reads.

use std::io::{self, Read, Write};

/// Reads from a source and writes what it read to a sink.
#[derive(Debug)]
pub(crate) struct Tee<R, W> {
    source: R,
    sink: Option<W>,
}

impl<R: Read, W: Write> Tee<R, W> {
    pub(crate) fn new(source: R, sink: W) -> Self {
        Self {
            source,
            sink: Some(sink),
        }
    }

    /// Drops the sink with what it got.
    pub(crate) fn stop_copying(&mut self) {
        self.sink = None;
    }

    /// Reads the source to its end, which a decoder may not have done, and gives the sink back.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        io::copy(&mut self, &mut io::sink())?;
        self.sink
            .ok_or_else(|| io::Error::other("the copy was given up"))
    }
}

impl<R: Read, W: Write> Read for Tee<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        if let Some(sink) = &mut self.sink {
            sink.write_all(&buffer[..read])?;
        }
        Ok(read)
    }
}
