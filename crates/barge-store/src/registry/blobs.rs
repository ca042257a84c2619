//! Blobs out of a registry (distribution-spec 1.1, "Pulling blobs"): checked as they stream.

use std::io::{self, Read};
use std::ops::Range;
use std::time::Duration;

use barge_image::{Descriptor, Digest, Hasher, RepositoryName};
use ureq::http::Method;

use super::Registry;
use super::authorization::Scopes;
use super::client::{Ask, Client};
use super::endpoint::Endpoint;
use super::error::Error;
use crate::http::{Answer, Download, Error as HttpError, Origin, Url};

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
                body: open(&self.client, endpoint, name, descriptor)?,
                hasher: Some(Hasher::new()),
            })
        })
    }

    /// Reads a small blob whose length is not known; `None` when it is not there.
    ///
    /// # Errors
    /// When it is larger than the limit, in bytes, or not what its digest says.
    pub fn document(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        let what = format!("blob {digest} of `{name}`");
        let scopes = Scopes::pull(name.path());
        let found = self.client.read(name.registry(), |endpoint| {
            let wish = Client::wish(endpoint, name.path(), &scopes, &what);
            let url = endpoint.url(&format!("{}/blobs/{digest}", name.path()));
            let patience = self.client.document_patience();
            self.client.run_and(&Ask::get(wish, url), |answer| {
                let host = answer.host();
                let bytes = answer.document(&what, limit, patience)?;
                let (expected, found) = (*digest, Digest::of(&bytes));
                if found == expected {
                    return Ok(bytes);
                }
                let what = what.clone();
                Err(HttpError::Digest {
                    host,
                    what,
                    expected,
                    found,
                }
                .into())
            })
        });
        match found {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
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

fn address(endpoint: &Endpoint, name: &RepositoryName, descriptor: &Descriptor) -> Url {
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
            let (expected, found) = (self.body.origin().descriptor.digest, hasher.finish());
            if expected != found {
                return Err(io::Error::other(self.body.origin().wrong_digest(found)));
            }
        }
        Ok(read)
    }
}

/// A blob of a repository, as bytes to download.
#[derive(Debug)]
pub(super) struct BlobOrigin<'a> {
    client: &'a Client,
    endpoint: Endpoint,
    name: RepositoryName,
    descriptor: Descriptor,
    scopes: Scopes,
    what: String,
}

/// The bytes of a blob, as many as there must be, over as many connections as it takes.
pub(super) type BlobBody<'a> = Download<BlobOrigin<'a>>;

pub(super) fn open<'a>(
    client: &'a Client,
    endpoint: &Endpoint,
    name: &RepositoryName,
    descriptor: &Descriptor,
) -> Result<BlobBody<'a>, Error> {
    Download::open(BlobOrigin {
        client,
        endpoint: endpoint.clone(),
        scopes: Scopes::pull(name.path()),
        what: what(name, descriptor),
        name: name.clone(),
        descriptor: descriptor.clone(),
    })
}

impl BlobOrigin<'_> {
    pub(super) fn wrong_digest(&self, found: Digest) -> Error {
        let (host, what) = (self.host().to_owned(), self.what.clone());
        let expected = self.descriptor.digest;
        HttpError::Digest {
            host,
            what,
            expected,
            found,
        }
        .into()
    }
}

impl Origin for BlobOrigin<'_> {
    type Error = Error;

    fn host(&self) -> &str {
        &self.endpoint.base.authority
    }

    fn what(&self) -> &str {
        &self.what
    }

    fn span(&self) -> Range<u64> {
        0..self.descriptor.size
    }

    fn whole(&self) -> u64 {
        self.descriptor.size
    }

    fn stall(&self) -> Duration {
        self.client.options.http.timeouts.stall
    }

    fn ask(&self, position: u64, patiently: bool) -> Result<Answer, Error> {
        let wish = Client::wish(&self.endpoint, self.name.path(), &self.scopes, &self.what);
        let url = address(&self.endpoint, &self.name, &self.descriptor);
        let mut ask = Ask::get(wish, url);
        // A compressed answer would have another length and digest.
        ask.headers.push(("accept-encoding", "identity".into()));
        if position > 0 {
            ask.headers.push(("range", format!("bytes={position}-")));
            ask.accept = &[200, 206];
        }
        if patiently {
            self.client.run(&ask)
        } else {
            self.client.once(&ask)
        }
    }

    fn pause(&self, failed: u32, error: &Error) -> bool {
        self.client.pause(&self.endpoint, failed, error)
    }
}
