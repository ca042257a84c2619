//! Bridges between the async connection and the blocking code that reads and writes archives.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::connection::SILENCE;

/// Chunks under way between an archive's writer and the socket.
const CHUNKS: usize = 8;
/// The size of a chunk, in bytes: large enough that the hand-over costs nothing.
const CHUNK: usize = 256 << 10;

/// Reads an answer's body from a blocking thread.
#[derive(Debug)]
pub struct BodyReader {
    body: Incoming,
    runtime: Handle,
    chunk: Bytes,
}

impl BodyReader {
    pub(super) fn new(body: Incoming) -> Self {
        Self {
            body,
            runtime: Handle::current(),
            chunk: Bytes::new(),
        }
    }

    fn next_chunk(&mut self) -> io::Result<Option<Bytes>> {
        let body = &mut self.body;
        let frame = self
            .runtime
            .block_on(async { timeout(SILENCE, body.frame()).await });
        match frame {
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the daemon went silent",
            )),
            Ok(None) => Ok(None),
            Ok(Some(frame)) => Ok(Some(
                frame
                    .map_err(io::Error::other)?
                    .into_data()
                    .unwrap_or_default(),
            )),
        }
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.next_chunk()? {
                Some(chunk) => self.chunk = chunk,
                None => return Ok(0),
            }
        }
        let count = self.chunk.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.chunk.split_to(count));
        Ok(count)
    }
}

/// A request body that a blocking thread writes.
#[must_use]
pub fn request_body() -> (BodyWriter, StreamedBody) {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    (
        BodyWriter {
            sender,
            buffer: Vec::with_capacity(CHUNK),
        },
        StreamedBody { receiver },
    )
}

/// The writing end. Without [`Self::finish`] the request breaks off, so that the daemon never takes half for whole.
#[derive(Debug)]
pub struct BodyWriter {
    sender: mpsc::Sender<Option<Bytes>>,
    buffer: Vec<u8>,
}

impl BodyWriter {
    /// Ends the body.
    ///
    /// # Errors
    /// When the daemon has closed the connection.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.send(None)
    }

    fn send(&self, chunk: Option<Bytes>) -> io::Result<()> {
        self.sender
            .blocking_send(chunk)
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for BodyWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
        self.send(Some(full.into()))
    }
}

/// The reading end, which the connection polls.
#[derive(Debug)]
pub struct StreamedBody {
    receiver: mpsc::Receiver<Option<Bytes>>,
}

impl Body for StreamedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.receiver
            .poll_recv(context)
            .map(|received| match received {
                Some(Some(chunk)) => Some(Ok(Frame::data(chunk))),
                Some(None) => None,
                None => Some(Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the archive broke off",
                ))),
            })
    }
}
