//! Reading packs by range through signed addresses, which end after a minute or some and are asked for anew then.

use std::io::{self, Read as _};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::error::Error;
use super::pack::{Contents, TRAILER_LENGTH, Trailer};
use super::place::Place;
use super::service::Listed;
use crate::http::{Answer, Download, Error as HttpError, Exchange, Origin, Question, Url};

/// How much of the end of a pack is read at once, in bytes: all of it but the layers, nearly always.
const TAIL: u64 = 64 << 10;

/// Reads packs.
#[derive(Debug)]
pub(super) struct Reader {
    exchange: Exchange,
}

/// A pack whose contents are known.
#[derive(Debug)]
pub(super) struct OpenPack {
    pub(super) artifact: Listed,
    pub(super) contents: Contents,
    tail: Vec<u8>,
}

impl OpenPack {
    /// Bytes that came with the contents.
    pub(super) fn at_hand(&self, range: &Range<u64>) -> Option<&[u8]> {
        let start = self.artifact.size - self.tail.len() as u64;
        let place = |at: u64| usize::try_from(at.checked_sub(start)?).ok();
        self.tail.get(place(range.start)?..place(range.end)?)
    }
}

impl Reader {
    pub(super) fn new(exchange: Exchange) -> Self {
        Self { exchange }
    }

    /// Reads the contents of a pack: its end, and what stands before if they are long.
    pub(super) fn open(&self, place: &Place, artifact: &Listed) -> Result<OpenPack, Error> {
        let broken = |reason: String| Error::Pack {
            name: artifact.name.clone(),
            reason,
        };
        if artifact.size < TRAILER_LENGTH {
            return Err(broken("it is too short".into()));
        }
        let tail = self.end(place, artifact, TAIL.min(artifact.size))?;
        let trailer = Trailer::parse(&tail, artifact.size).map_err(broken)?;
        let needed = artifact.size - trailer.contents.start;
        let tail = if needed > tail.len() as u64 {
            self.end(place, artifact, needed)?
        } else {
            tail
        };
        let start = artifact.size - tail.len() as u64;
        let at = |position: u64| usize::try_from(position - start).unwrap_or(usize::MAX);
        let range = at(trailer.contents.start)..at(trailer.contents.end);
        let contents = Contents::parse(tail.get(range).unwrap_or_default(), &trailer);
        Ok(OpenPack {
            artifact: artifact.clone(),
            contents: contents.map_err(broken)?,
            tail,
        })
    }

    fn end(&self, place: &Place, artifact: &Listed, length: u64) -> Result<Vec<u8>, Error> {
        let span = artifact.size - length..artifact.size;
        let what = format!("the contents of `{}`", artifact.name);
        let mut bytes = Vec::new();
        let mut download = self.download(place, artifact.clone(), span, &what)?;
        download.read_to_end(&mut bytes).map_err(told)?;
        Ok(bytes)
    }

    /// Downloads a part of an artifact.
    pub(super) fn download<'a>(
        &'a self,
        place: &Place,
        artifact: Listed,
        span: Range<u64>,
        what: &str,
    ) -> Result<Download<PackOrigin<'a>>, Error> {
        let url = place.signed_url(&artifact)?;
        Download::open(PackOrigin {
            exchange: &self.exchange,
            place: place.clone(),
            host: url.authority.clone(),
            url: Mutex::new(url),
            what: format!("{what} in `{}`", artifact.name),
            artifact,
            span,
        })
    }
}

/// A part of an artifact, as bytes to download.
#[derive(Debug)]
pub(super) struct PackOrigin<'a> {
    exchange: &'a Exchange,
    place: Place,
    artifact: Listed,
    span: Range<u64>,
    what: String,
    host: String,
    url: Mutex<Url>,
}

impl PackOrigin<'_> {
    fn ask_at(&self, url: &Url, position: u64, patiently: bool) -> Result<Answer, HttpError> {
        let mut question = Question::get(url, &self.what);
        let last = self.span.end.saturating_sub(1);
        question.headers = vec![
            ("accept-encoding", "identity".into()),
            ("range", format!("bytes={position}-{last}")),
        ];
        question.accept = &[200, 206];
        if patiently {
            self.exchange.run(&question, Ok)
        } else {
            self.exchange.once(&question)
        }
    }
}

impl Origin for PackOrigin<'_> {
    type Error = Error;

    fn host(&self) -> &str {
        &self.host
    }

    fn what(&self) -> &str {
        &self.what
    }

    fn span(&self) -> Range<u64> {
        self.span.clone()
    }

    fn whole(&self) -> u64 {
        self.artifact.size
    }

    fn stall(&self) -> Duration {
        self.exchange.stall()
    }

    fn ask(&self, position: u64, patiently: bool) -> Result<Answer, Error> {
        let url = self
            .url
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match self.ask_at(&url, position, patiently) {
            // So say addresses whose time is over.
            Err(HttpError::Status {
                status: 401 | 403 | 404 | 410,
                ..
            }) => {
                let fresh = self.place.signed_url(&self.artifact)?;
                self.url
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone_from(&fresh);
                Ok(self.ask_at(&fresh, position, patiently)?)
            }
            answer => Ok(answer?),
        }
    }

    fn pause(&self, failed: u32, error: &Error) -> bool {
        matches!(error, Error::Http(error) if self.exchange.pause(failed, error))
    }
}

/// The error inside an error.
pub(super) fn told(error: io::Error) -> Error {
    error
        .downcast::<Error>()
        .unwrap_or_else(|source| Error::Read {
            what: "the artifact".into(),
            source,
        })
}
