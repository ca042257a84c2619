//! Bridges between the async connection and the blocking code that reads and writes archives.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::connection::SILENCE;

/// Chunks under way between a blocking thread and the socket.
const CHUNKS: usize = 8;
/// The size of a chunk, in bytes: large enough that the hand-over costs nothing.
const CHUNK: usize = 256 << 10;

/// How long a started chunk waits for more, so that what a daemon writes in small pieces crosses threads in large ones.
const GATHER: Duration = Duration::from_millis(5);

/// Reads an answer's body from a blocking thread. The body is read ahead, so that neither side waits for the other.
#[derive(Debug)]
pub struct BodyReader {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    chunk: Bytes,
}

impl BodyReader {
    pub(super) fn new(body: Incoming) -> Self {
        let (sender, chunks) = mpsc::channel(CHUNKS);
        // It ends with the body, or when the reader is dropped.
        drop(tokio::spawn(read_ahead(body, sender)));
        Self {
            chunks,
            chunk: Bytes::new(),
        }
    }
}

/// What became of waiting for the next piece of a body.
enum Next {
    Piece(Bytes),
    Pause,
    End(Option<io::Error>),
}

async fn next(body: &mut Incoming, patience: Duration) -> Next {
    match timeout(patience, body.frame()).await {
        Err(_) if patience == GATHER => Next::Pause,
        Err(_) => Next::End(Some(silence())),
        Ok(None) => Next::End(None),
        Ok(Some(Err(error))) => Next::End(Some(io::Error::other(error))),
        Ok(Some(Ok(frame))) => Next::Piece(frame.into_data().unwrap_or_default()),
    }
}

async fn read_ahead(mut body: Incoming, chunks: mpsc::Sender<io::Result<Bytes>>) {
    let mut gathered = Vec::new();
    loop {
        let patience = if gathered.is_empty() { SILENCE } else { GATHER };
        let next = next(&mut body, patience).await;
        if let Next::Piece(piece) = &next {
            gathered.extend_from_slice(piece);
            if gathered.len() < CHUNK {
                continue;
            }
        }
        if !gathered.is_empty() {
            let full = std::mem::replace(&mut gathered, Vec::with_capacity(CHUNK));
            if chunks.send(Ok(full.into())).await.is_err() {
                return;
            }
        }
        if let Next::End(error) = next {
            if let Some(error) = error {
                drop(chunks.send(Err(error)).await);
            }
            return;
        }
    }
}

fn silence() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the daemon went silent")
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.chunk = chunk?,
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
