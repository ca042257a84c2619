//! Bytes of known length from a host, over as many connections as it takes: continued where they broke off, bounded in
//! silence and in trickle, never trusted for their length (RFC 9110 section 14).

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::time::{Duration, Instant};

use ureq::BodyReader;

use super::answer::Answer;
use super::error::Error;
use super::transport::failure;

/// A connection that brought this many bytes, 1 MiB, before it broke was a good one: attempts count anew.
const PROGRESS: u64 = 1 << 20;
/// What a connection must bring in one stall limit on average, in bytes; less is no progress to wait for.
const TRICKLE: u128 = 16 << 10;
const SKIP_BUFFER: usize = 64 << 10;

/// Where bytes come from.
pub(crate) trait Origin: fmt::Debug {
    /// What asking may end in.
    type Error: From<Error> + std::error::Error + Send + Sync + 'static;

    /// The host that is asked, for messages.
    fn host(&self) -> &str;
    /// What the bytes are, for messages.
    fn what(&self) -> &str;
    /// The bytes that are wanted, as positions in what lies there.
    fn span(&self) -> Range<u64>;
    /// The length of all that lies there, in bytes.
    fn whole(&self) -> u64;
    /// How much silence is in order.
    fn stall(&self) -> Duration;
    /// Asks for the bytes from a position to the end of the span; all of them is an answer, too. Patiently means with
    /// further attempts.
    fn ask(&self, position: u64, patiently: bool) -> Result<Answer, Self::Error>;
    /// Sleeps before the next attempt; false when there is none.
    fn pause(&self, failed: u32, error: &Self::Error) -> bool;
}

/// The wanted bytes, as many as there must be.
#[derive(Debug)]
pub(crate) struct Download<O> {
    origin: O,
    connection: Option<Connection>,
    position: u64,
    failed: u32,
    is_checked: bool,
}

struct Connection {
    reader: BodyReader<'static>,
    began: u64,
    /// Where its bytes end.
    end: u64,
    waited: Duration,
}

impl Connection {
    /// Whether it keeps within the limit of silence and still brings next to nothing. Only the time in which bytes
    /// were waited for counts: who reads may take as long as they like.
    fn is_trickling(&self, position: u64, stall: Duration) -> bool {
        let stalls = self.waited.as_millis() / stall.as_millis().max(1);
        let brought = u128::from(position.saturating_sub(self.began));
        brought < stalls.saturating_sub(1) * TRICKLE
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let started = Instant::now();
        let read = self.reader.read(buffer);
        self.waited += started.elapsed();
        read
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl<O: Origin> Download<O> {
    /// Asks for the first byte; a host that has none is found out here.
    pub(crate) fn open(origin: O) -> Result<Self, O::Error> {
        let mut download = Self {
            position: origin.span().start,
            origin,
            connection: None,
            failed: 0,
            is_checked: false,
        };
        download.connection = Some(download.connect(true)?);
        Ok(download)
    }

    pub(crate) fn origin(&self) -> &O {
        &self.origin
    }

    /// Starts or continues. A host that cannot continue starts anew, and what is known is read over.
    fn connect(&self, patiently: bool) -> Result<Connection, O::Error> {
        let answer = self.origin.ask(self.position, patiently)?;
        let (start, end) = self.extent_of(&answer)?;
        let mut connection = Connection {
            reader: answer.body.into_with_config().limit(u64::MAX).reader(),
            began: start,
            end,
            waited: Duration::ZERO,
        };
        let mut buffer = vec![0; SKIP_BUFFER];
        let mut at = start;
        while at < self.position {
            let left = usize::try_from(self.position - at).unwrap_or(usize::MAX);
            at += self.read_from(&mut connection, at, &mut buffer[..left.min(SKIP_BUFFER)])? as u64;
        }
        connection.began = self.position;
        Ok(connection)
    }

    /// Which bytes an answer brings. A wrong length is found before gigabytes were read.
    fn extent_of(&self, answer: &Answer) -> Result<(u64, u64), Error> {
        let is_part = answer.status == 206;
        let start = if is_part { self.part_start(answer)? } else { 0 };
        let end = if is_part {
            self.origin.span().end
        } else {
            self.origin.whole()
        };
        let length = answer
            .header("content-length")
            .and_then(|length| length.parse::<u64>().ok());
        match length.map(|length| start.saturating_add(length)) {
            Some(found) if found != end => Err(self.wrong_size(end, found)),
            _ => Ok((start, end)),
        }
    }

    fn part_start(&self, answer: &Answer) -> Result<u64, Error> {
        let range = answer.header("content-range").unwrap_or_default();
        let first = range
            .strip_prefix("bytes ")
            .and_then(|range| range.split_once('-')?.0.parse().ok());
        match first {
            Some(first) if first <= self.position => Ok(first),
            _ => Err(Error::Protocol {
                host: answer.host(),
                what: self.origin.what().to_owned(),
                found: format!("the range `{range}`"),
            }),
        }
    }

    fn wrong_size(&self, expected: u64, found: u64) -> Error {
        Error::Size {
            host: self.origin.host().to_owned(),
            what: self.origin.what().to_owned(),
            expected,
            found,
        }
    }

    fn broken(&self, error: io::Error) -> Error {
        let error = ureq::Error::from(error);
        failure(self.origin.host(), self.origin.what(), error)
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, O::Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect(false)?,
        };
        let read = self.read_from(&mut connection, self.position, buffer);
        self.connection = Some(connection);
        Ok(read?)
    }

    /// Reads once; a connection that ends too early or only trickles is an error.
    fn read_from(
        &self,
        connection: &mut Connection,
        at: u64,
        buffer: &mut [u8],
    ) -> Result<usize, Error> {
        match connection.read(buffer) {
            Ok(0) => Err(self.broken(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) if connection.is_trickling(at, self.origin.stall()) => Err(Error::Timeout {
                host: self.origin.host().to_owned(),
                what: self.origin.what().to_owned(),
                source: "the bytes only trickle".into(),
            }),
            Ok(read) => Ok(read),
            Err(error) => Err(self.broken(error)),
        }
    }

    /// After the last byte there must be none.
    fn check_end(&mut self) -> Result<(), Error> {
        self.is_checked = true;
        let end = self.origin.span().end;
        let connection = self.connection.take();
        let Some(mut connection) = connection.filter(|connection| connection.end == end) else {
            return Ok(());
        };
        match connection.read(&mut [0]) {
            Ok(1..) => {
                let length = end - self.origin.span().start;
                Err(self.wrong_size(length, length + 1))
            }
            // All bytes are here: how the connection ends does not matter.
            _ => Ok(()),
        }
    }
}

impl<O: Origin> Read for Download<O> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.origin.span().end - self.position;
        if left == 0 && !self.is_checked {
            self.check_end()
                .map_err(|error| io::Error::other(O::Error::from(error)))?;
        }
        if left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let wanted = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        loop {
            let error = match self.read_some(&mut buffer[..wanted]) {
                Ok(read) => {
                    self.position += read as u64;
                    return Ok(read);
                }
                Err(error) => error,
            };
            let began = self
                .connection
                .take()
                .map_or(self.position, |connection| connection.began);
            if self.position - began >= PROGRESS {
                self.failed = 0;
            }
            self.failed += 1;
            if !self.origin.pause(self.failed, &error) {
                return Err(io::Error::other(error));
            }
        }
    }
}
