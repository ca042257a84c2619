//! Blobs out of a registry (distribution-spec 1.1, "Pulling blobs"): checked as they stream, continued where they broke
//! off, never trusted for their length.

use std::fmt;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use barge_image::{Descriptor, Hasher, RepositoryName};
use ureq::BodyReader;
use ureq::http::Method;

use super::Registry;
use super::authorization::Scopes;
use super::client::{Ask, Client};
use super::endpoint::Endpoint;
use super::error::Error;
use super::transport::{Answer, failure};

/// A connection that brought this many bytes, 1 MiB, before it broke was a good one: attempts count anew.
const PROGRESS: u64 = 1 << 20;
/// What a connection must bring in one stall limit on average, in bytes; less is no progress to wait for.
const TRICKLE: u128 = 16 << 10;

const SKIP_BUFFER: usize = 64 << 10;

impl Registry {
    /// Reads a blob. What comes out is compared with the digest at its end, so the last read may fail.
    ///
    /// # Errors
    /// When it is not there.
    pub fn blob<'a>(
        &'a self,
        name: &RepositoryName,
        descriptor: &Descriptor,
    ) -> Result<BlobStream<'a>, Error> {
        self.client.read(name.registry(), |endpoint| {
            Ok(BlobStream {
                body: BlobBody::open(&self.client, endpoint, name, descriptor)?,
                hasher: Some(Hasher::new()),
            })
        })
    }

    /// Whether a repository has a blob.
    ///
    /// # Errors
    /// When the registry does not say.
    pub fn has_blob(&self, name: &RepositoryName, descriptor: &Descriptor) -> Result<bool, Error> {
        let endpoint = self.client.home(name.registry());
        has(
            &self.client,
            &endpoint,
            name,
            descriptor,
            &Scopes::pull(name.path()),
        )
    }
}

pub(super) fn has(
    client: &Client,
    endpoint: &Endpoint,
    name: &RepositoryName,
    descriptor: &Descriptor,
    scopes: &Scopes,
) -> Result<bool, Error> {
    let what = what(name, descriptor);
    let wish = Client::wish(endpoint, name.path(), scopes, &what);
    let answer = client.run(&Ask {
        method: Method::HEAD,
        accept: &[200, 404],
        ..Ask::get(wish, address(endpoint, name, descriptor))
    })?;
    let length = answer
        .header("content-length")
        .and_then(|length| length.parse().ok());
    let is_whole = length.is_none_or(|length: u64| length == descriptor.size);
    Ok(answer.status == 200 && is_whole)
}

pub(super) fn what(name: &RepositoryName, descriptor: &Descriptor) -> String {
    format!("blob {} of `{name}`", descriptor.digest)
}

fn address(endpoint: &Endpoint, name: &RepositoryName, descriptor: &Descriptor) -> super::url::Url {
    endpoint.url(&format!("{}/blobs/{}", name.path(), descriptor.digest))
}

/// The bytes of a blob, checked.
#[derive(Debug)]
pub struct BlobStream<'a> {
    body: BlobBody<'a>,
    hasher: Option<Hasher>,
}

impl Read for BlobStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buffer)?;
        if read > 0 {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&buffer[..read]);
            }
        } else if !buffer.is_empty()
            && let Some(hasher) = self.hasher.take()
        {
            let (expected, found) = (self.body.descriptor.digest, hasher.finish());
            if expected != found {
                return Err(io::Error::other(self.body.wrong_digest(found)));
            }
        }
        Ok(read)
    }
}

/// The bytes of a blob, as many as there must be, over as many connections as it takes.
#[derive(Debug)]
pub(super) struct BlobBody<'a> {
    client: &'a Client,
    endpoint: Endpoint,
    name: RepositoryName,
    descriptor: Descriptor,
    scopes: Scopes,
    what: String,
    connection: Option<Connection>,
    position: u64,
    failed: u32,
    is_checked: bool,
}

struct Connection {
    reader: BodyReader<'static>,
    began: u64,
    waited: Duration,
}

impl Connection {
    fn new(reader: BodyReader<'static>, began: u64) -> Self {
        let waited = Duration::ZERO;
        Self {
            reader,
            began,
            waited,
        }
    }

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

impl<'a> BlobBody<'a> {
    pub(super) fn open(
        client: &'a Client,
        endpoint: &Endpoint,
        name: &RepositoryName,
        descriptor: &Descriptor,
    ) -> Result<Self, Error> {
        let mut body = Self {
            client,
            endpoint: endpoint.clone(),
            scopes: Scopes::pull(name.path()),
            what: what(name, descriptor),
            name: name.clone(),
            descriptor: descriptor.clone(),
            connection: None,
            position: 0,
            failed: 0,
            is_checked: false,
        };
        body.connection = Some(body.connect(true)?);
        Ok(body)
    }

    /// Starts or continues. A registry that cannot continue starts anew, and what is known is read over.
    fn connect(&self, patiently: bool) -> Result<Connection, Error> {
        let wish = Client::wish(&self.endpoint, self.name.path(), &self.scopes, &self.what);
        let url = address(&self.endpoint, &self.name, &self.descriptor);
        let mut ask = Ask::get(wish, url);
        // A compressed answer would have another length and digest.
        ask.headers.push(("accept-encoding", "identity".into()));
        if self.position > 0 {
            ask.headers
                .push(("range", format!("bytes={}-", self.position)));
            ask.accept = &[200, 206];
        }
        let answer = if patiently {
            self.client.run(&ask)?
        } else {
            self.client.once(&ask)?
        };
        let start = self.check_start(&answer)?;
        let reader = answer.body.into_with_config().limit(u64::MAX).reader();
        let mut connection = Connection::new(reader, start);
        let mut buffer = vec![0; SKIP_BUFFER];
        let mut at = start;
        while at < self.position {
            let left = usize::try_from(self.position - at).unwrap_or(usize::MAX);
            at += self.read_from(&mut connection, at, &mut buffer[..left.min(SKIP_BUFFER)])? as u64;
        }
        connection.began = self.position;
        Ok(connection)
    }

    /// Where an answer begins in the blob. A wrong length is found before gigabytes were read.
    fn check_start(&self, answer: &Answer) -> Result<u64, Error> {
        let protocol = |found: String| Error::Protocol {
            host: answer.host(),
            what: self.what.clone(),
            found,
        };
        let start = if answer.status == 206 {
            let range = answer.header("content-range").unwrap_or_default();
            let first = range
                .strip_prefix("bytes ")
                .and_then(|range| range.split_once('-')?.0.parse().ok());
            match first {
                Some(first) if first <= self.position => first,
                _ => return Err(protocol(format!("the range `{range}`"))),
            }
        } else {
            0
        };
        let length = answer
            .header("content-length")
            .and_then(|length| length.parse::<u64>().ok());
        match length.map(|length| start.saturating_add(length)) {
            Some(found) if found != self.descriptor.size => Err(Error::Size {
                host: answer.host(),
                what: self.what.clone(),
                expected: self.descriptor.size,
                found,
            }),
            _ => Ok(start),
        }
    }

    fn broken(&self, error: io::Error) -> Error {
        failure(
            &self.endpoint.base.authority,
            &self.what,
            ureq::Error::from(error),
        )
    }

    pub(super) fn wrong_digest(&self, found: barge_image::Digest) -> Error {
        Error::Digest {
            host: self.endpoint.base.authority.clone(),
            what: self.what.clone(),
            expected: self.descriptor.digest,
            found,
        }
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect(false)?,
        };
        let read = self.read_from(&mut connection, self.position, buffer);
        self.connection = Some(connection);
        read
    }

    /// Reads once; a connection that ends too early or only trickles is an error.
    fn read_from(
        &self,
        connection: &mut Connection,
        at: u64,
        buffer: &mut [u8],
    ) -> Result<usize, Error> {
        let stall = self.client.transport.options().timeouts.stall;
        match connection.read(buffer) {
            Ok(0) => Err(self.broken(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) if connection.is_trickling(at, stall) => Err(Error::Timeout {
                host: self.endpoint.base.authority.clone(),
                what: self.what.clone(),
                source: "the bytes only trickle".into(),
            }),
            Ok(read) => Ok(read),
            Err(error) => Err(self.broken(error)),
        }
    }

    /// After the last byte there must be none.
    fn check_end(&mut self) -> Result<(), Error> {
        self.is_checked = true;
        let Some(mut connection) = self.connection.take() else {
            return Ok(());
        };
        match connection.read(&mut [0]) {
            Ok(1..) => Err(Error::Size {
                host: self.endpoint.base.authority.clone(),
                what: self.what.clone(),
                expected: self.descriptor.size,
                found: self.position + 1,
            }),
            // All bytes are here: how the connection ends does not matter.
            _ => Ok(()),
        }
    }
}

impl Read for BlobBody<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.descriptor.size - self.position;
        if left == 0 && !self.is_checked {
            self.check_end().map_err(io::Error::other)?;
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
            if !self.client.pause(&self.endpoint, self.failed, &error) {
                return Err(io::Error::other(error));
            }
        }
    }
}
