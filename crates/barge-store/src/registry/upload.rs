//! Blobs into a registry (distribution-spec 1.1, "Pushing blobs"): what is there is not sent, what another repository of
//! the registry has is mounted, what broke off is continued where the registry says it got to.

use std::cell::Cell;

use barge_image::{Descriptor, Extent, RepositoryName};
use ureq::http::Method;

use super::authorization::Scopes;
use super::blobs::{has, what};
use super::client::{Ask, Client};
use super::endpoint::Endpoint;
use super::error::Error;
use super::progress::Arrival;
use crate::http::{Answer, Error as HttpError, Pace, Payload, Scheme, Url};

/// Pieces of this size, 16 MiB, pass proxies that limit a request, and lose little when they break off.
const CHUNK: u64 = 16 << 20;

/// The bytes of a blob.
#[derive(Debug, Clone)]
pub(super) enum Content<'a> {
    Bytes(&'a [u8]),
    File(Extent),
}

impl Content<'_> {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(extent) => extent.len(),
        }
    }

    /// At most this many bytes from a place on.
    fn part(&self, offset: u64, length: u64) -> Self {
        match self {
            Self::Bytes(bytes) => {
                let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                let (from, to) = (place(offset), place(offset.saturating_add(length)));
                Self::Bytes(&bytes[from..to])
            }
            Self::File(extent) => Self::File(extent.part(offset, length)),
        }
    }

    fn payload<'a>(&'a self, sent: &'a dyn Fn(u64)) -> Payload<'a> {
        match self {
            _ if self.len() == 0 => Payload::None,
            Self::Bytes(bytes) => Payload::Bytes(bytes),
            Self::File(extent) => Payload::File(extent, sent),
        }
    }
}

/// Puts a blob into a repository.
pub(super) struct Upload<'a> {
    pub(super) client: &'a Client,
    pub(super) endpoint: &'a Endpoint,
    pub(super) name: &'a RepositoryName,
    pub(super) descriptor: &'a Descriptor,
    pub(super) content: &'a Content<'a>,
    /// Repositories of the same registry that may have it, the likeliest first.
    pub(super) sources: &'a [RepositoryName],
    /// Is told how far the upload got.
    pub(super) sent: &'a dyn Fn(u64),
    what: String,
    scopes: Scopes,
}

/// An upload that the registry knows of.
struct Session {
    url: Url,
    offset: u64,
    /// The least that a piece may have, as the registry says.
    least: u64,
}

impl<'a> Upload<'a> {
    pub(super) fn new(
        client: &'a Client,
        endpoint: &'a Endpoint,
        name: &'a RepositoryName,
        descriptor: &'a Descriptor,
        content: &'a Content<'a>,
        sources: &'a [RepositoryName],
        sent: &'a dyn Fn(u64),
    ) -> Self {
        Self {
            client,
            endpoint,
            name,
            descriptor,
            content,
            sources,
            sent,
            what: what(name, descriptor),
            scopes: Scopes::push(name.path()),
        }
    }

    /// Brings the blob there, whatever it takes.
    pub(super) fn run(&self) -> Result<Arrival, Error> {
        if self.is_there()? {
            return Ok(Arrival::Present);
        }
        let Some(mut session) = self.begin()? else {
            return Ok(Arrival::Mounted);
        };
        // Whole at first: one request, and some registries know no pieces. In pieces after it broke off.
        let mut chunk = self.client.options.chunk;
        let (mut failed, mut furthest) = (0, 0);
        loop {
            let Err(error) = self.send(&mut session, chunk) else {
                return Ok(Arrival::Moved);
            };
            // Getting further than ever is progress; getting as far again and again is not.
            if session.offset > furthest {
                (failed, furthest) = (0, session.offset);
            }
            failed += 1;
            // A proxy on the way that limits requests (413) lets smaller ones pass.
            let is_too_large = matches!(error, Error::Http(HttpError::Status { status: 413, .. }))
                && chunk.is_none();
            if !is_too_large && !self.client.pause(self.endpoint, failed, &error) {
                return Err(error);
            }
            // The answer may be all that was lost.
            if self.is_there()? {
                return Ok(Arrival::Moved);
            }
            chunk = chunk.or(Some(CHUNK));
            session = match self.progress(&session)? {
                Some(session) => session,
                None => self.start()?,
            };
            tracing::debug!(blob = %self.descriptor.digest, offset = session.offset, "continuing the upload");
        }
    }

    fn is_there(&self) -> Result<bool, Error> {
        has(
            self.client,
            self.endpoint,
            self.name,
            self.descriptor,
            &self.scopes,
        )
    }

    fn ask(&self, method: Method, url: Url) -> Ask<'_> {
        let wish = Client::wish(self.endpoint, self.name.path(), &self.scopes, &self.what);
        Ask {
            method,
            pace: Pace::Digest,
            ..Ask::get(wish, url)
        }
    }

    fn uploads(&self) -> Url {
        self.endpoint
            .url(&format!("{}/blobs/uploads/", self.name.path()))
    }

    /// Mounts the blob, or opens an upload; `None` when it is mounted.
    fn begin(&self) -> Result<Option<Session>, Error> {
        for source in self.sources {
            let answer = match self.mount(source) {
                Ok(answer) => answer,
                // Who may not read there sends the bytes.
                Err(
                    Error::Denied { .. }
                    | Error::Unauthorized { .. }
                    | Error::NotFound { .. }
                    | Error::Http(HttpError::Status {
                        status: 400..=499, ..
                    }),
                ) => continue,
                Err(error) => return Err(error),
            };
            // A registry that does not mount opens an upload instead.
            return match answer.status {
                201 => Ok(None),
                _ => self.session(&answer, 0).map(Some),
            };
        }
        self.start().map(Some)
    }

    fn mount(&self, source: &RepositoryName) -> Result<Answer, Error> {
        let scopes = self.scopes.clone().and_pull(source.path());
        let url = self
            .uploads()
            .with_query("mount", &self.descriptor.digest.to_string())
            .with_query("from", source.path());
        let mut ask = self.ask(Method::POST, url);
        ask.wish.scopes = &scopes;
        ask.accept = &[201, 202];
        self.client.run(&ask)
    }

    fn start(&self) -> Result<Session, Error> {
        let answer = self.client.run(&Ask {
            accept: &[202],
            ..self.ask(Method::POST, self.uploads())
        })?;
        self.session(&answer, 0)
    }

    /// Where the upload goes on: the `Location` of the last answer, which carries the registry's own state.
    fn session(&self, answer: &Answer, offset: u64) -> Result<Session, Error> {
        let location = answer.header("location").unwrap_or_default();
        let url = if location.is_empty() {
            Err("an upload without `Location`".to_owned())
        } else {
            answer.url.join(location).map_err(|error| error.to_string())
        };
        let mut url = url.map_err(|found| HttpError::Protocol {
            host: answer.host(),
            what: self.what.clone(),
            found,
        })?;
        if answer.url.scheme == Scheme::Https && url.scheme == Scheme::Http {
            // A registry behind a proxy that ends TLS often does not know that it is behind one.
            if url.authority != answer.url.authority {
                return Err(HttpError::Insecure {
                    host: answer.host(),
                    to: format!("http://{}", url.authority),
                    what: self.what.clone(),
                }
                .into());
            }
            url.scheme = Scheme::Https;
        }
        let least = answer
            .header("oci-chunk-min-length")
            .and_then(|least| least.parse().ok());
        Ok(Session {
            url,
            offset,
            least: least.unwrap_or(0),
        })
    }

    /// Sends what is left, whole or in pieces, and closes the upload.
    fn send(&self, session: &mut Session, chunk: Option<u64>) -> Result<(), Error> {
        let size = self.descriptor.size;
        if let Some(chunk) = chunk {
            let chunk = chunk.max(session.least).max(1);
            while session.offset < size {
                self.send_chunk(session, chunk)?;
            }
        }
        let rest = self.content.part(session.offset, size);
        let url = session
            .url
            .with_query("digest", &self.descriptor.digest.to_string());
        let count = Count::new(session.offset, self.sent);
        let counted = |bytes| count.add(bytes);
        let answer = self.client.once(&Ask {
            headers: octets(),
            payload: rest.payload(&counted),
            accept: &[201, 204],
            ..self.ask(Method::PUT, url)
        })?;
        let stored = answer
            .header("docker-content-digest")
            .and_then(|digest| digest.parse().ok());
        match stored {
            Some(found) if found != self.descriptor.digest => Err(HttpError::Digest {
                host: answer.host(),
                what: self.what.clone(),
                expected: self.descriptor.digest,
                found,
            }
            .into()),
            _ => Ok(()),
        }
    }

    fn send_chunk(&self, session: &mut Session, chunk: u64) -> Result<(), Error> {
        let piece = self.content.part(session.offset, chunk);
        let end = session.offset + piece.len();
        let count = Count::new(session.offset, self.sent);
        let counted = |bytes| count.add(bytes);
        let mut ask = self.ask(Method::PATCH, session.url.clone());
        ask.headers = octets();
        let range = format!("{}-{}", session.offset, end.saturating_sub(1));
        ask.headers.push(("content-range", range));
        ask.payload = piece.payload(&counted);
        ask.accept = &[202, 204, 201];
        let answer = self.client.once(&ask)?;
        let least = session.least;
        *session = self.session(&answer, end)?;
        session.least = session.least.max(least);
        Ok(())
    }

    /// Asks how far an upload got; `None` when the registry forgot it.
    fn progress(&self, session: &Session) -> Result<Option<Session>, Error> {
        let asked = self.client.run(&Ask {
            accept: &[204, 200],
            ..self.ask(Method::GET, session.url.clone())
        });
        let answer = match asked {
            Ok(answer) => answer,
            Err(
                Error::NotFound { .. }
                | Error::Http(HttpError::Status {
                    status: 400..=499, ..
                }),
            ) => return Ok(None),
            Err(error) => return Err(error),
        };
        // `0-0` is what registries say for nothing and for one byte: to send that byte again is refused, so anew.
        let last = answer.header("range").and_then(|range| {
            range
                .trim_start_matches("bytes=")
                .split_once('-')?
                .1
                .parse()
                .ok()
        });
        let Some(last) = last.filter(|last| (1..self.descriptor.size).contains(last)) else {
            return Ok(None);
        };
        // Some registries say where only at the start.
        if answer.header("location").is_some() {
            return self.session(&answer, last + 1).map(Some);
        }
        Ok(Some(Session {
            url: session.url.clone(),
            offset: last + 1,
            least: session.least,
        }))
    }
}

fn octets() -> Vec<(&'static str, String)> {
    vec![("content-type", "application/octet-stream".to_owned())]
}

/// Turns bytes of one request into a place in the blob.
struct Count<'a> {
    at: Cell<u64>,
    tell: &'a dyn Fn(u64),
}

impl<'a> Count<'a> {
    fn new(offset: u64, tell: &'a dyn Fn(u64)) -> Self {
        let at = Cell::new(offset);
        Self { at, tell }
    }

    fn add(&self, bytes: u64) {
        self.at.set(self.at.get() + bytes);
        (self.tell)(self.at.get());
    }
}
