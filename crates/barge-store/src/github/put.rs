//! Putting a pack: claim its name, send its blocks, make it visible, read its end back.

use std::io::{self, Read as _};
use std::thread;

use barge_image::Digest;
use jiff::Timestamp;

use super::block_blob;
use super::error::Error;
use super::pack::{Pack, TRAILER_LENGTH};
use super::place::Place;
use super::reader::told;
use super::service::{Created, Listed, Service};
use super::store::{GitHubStore, pack_name};
use super::told::Told;
use crate::error::Error as StoreError;
use crate::http::{Error as HttpError, Url};
use crate::pointer::Pointer;
use crate::registry::Progress;
use crate::remote::Artifact;

impl GitHubStore {
    fn service(&self) -> Result<&Service, Error> {
        match &self.place {
            Place::Run(service) => Ok(service),
            Place::Others(_) => Err(Error::ReadOnly),
        }
    }

    pub(super) fn put(
        &self,
        artifact: &Artifact,
        progress: Progress<'_>,
    ) -> Result<(), StoreError> {
        let service = self.service().map_err(self.failed())?;
        let held = self.still_held(artifact)?;
        let (pack, contents) =
            Pack::of(artifact, &held).map_err(|diff_id| StoreError::Vanished {
                store: self.address.clone(),
                diff_id,
            })?;
        let pointer = &artifact.pointer;
        let name = pack_name(pointer);
        let expires = self.expiry(pointer);
        match service.create(&name, expires).map_err(self.failed())? {
            Created::Taken => self.compare(service, &name, pointer),
            Created::At(url) => {
                let told = Told::new(&contents, progress);
                let digest = self
                    .send(&url, &pack, &told)
                    .and_then(|digest| self.finish(service, &name, &pack, &digest));
                digest.map_err(self.failed())
            }
        }
    }

    /// When GitHub may remove the pack. Where packs lean on earlier ones it is kept for twice as long as its pointer asks,
    /// so that those of the first half of that time may lean on it to their own end.
    fn expiry(&self, pointer: &Pointer) -> Option<Timestamp> {
        let latest = self.latest_expiry.unwrap_or(Timestamp::MAX);
        let expires = pointer.expires?;
        let lifetime = self.now.map(|now| expires.duration_since(now));
        let lifetime = lifetime.filter(|_| self.repository.is_some());
        let doubled = lifetime.and_then(|lifetime| expires.checked_add(lifetime).ok());
        Some(doubled.unwrap_or(expires).min(latest))
    }

    /// Sends the blocks, and hashes the whole meanwhile.
    fn send(&self, url: &Url, pack: &Pack, told: &Told<'_>) -> Result<Digest, Error> {
        thread::scope(|scope| {
            let digest = scope.spawn(|| pack.digest());
            let sent = |offset, length| told.sent(offset, length);
            block_blob::put(&self.uploads, url, pack, self.upload, &sent)?;
            let digest = digest
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("hashing")));
            digest.map_err(|source| Error::Read {
                what: "what is to be stored".into(),
                source,
            })
        })
    }

    /// Makes the artifact visible, and reads its end back.
    fn finish(
        &self,
        service: &Service,
        name: &str,
        pack: &Pack,
        digest: &Digest,
    ) -> Result<(), Error> {
        let finalized = service.finalize(name, pack.len(), digest);
        let stored = service
            .list(Some(name))?
            .into_iter()
            .max_by_key(|found| found.id);
        let Some(stored) = stored else {
            finalized?;
            return Err(Error::NotDone {
                what: format!("list `{name}` after it was finished"),
            });
        };
        let found = self.end_of(&stored, pack.len());
        let said = |size: u64, digest: Option<&Digest>| match digest {
            Some(digest) => format!("{size} bytes, {digest}"),
            None => format!("{size} bytes"),
        };
        let is_digest = stored.digest.is_none_or(|found| found == *digest);
        let trailer = pack.trailer().map_err(|source| Error::Read {
            what: "what was stored".into(),
            source,
        })?;
        match found {
            Ok(end) if end == trailer && stored.size == pack.len() && is_digest => Ok(()),
            Err(error) if !is_about_bytes(&error) => Err(error),
            _ => {
                // A pointer to something broken must not stay.
                service.delete(name)?;
                Err(Error::Changed {
                    name: name.to_owned(),
                    expected: said(pack.len(), Some(digest)),
                    found: said(stored.size, stored.digest.as_ref()),
                })
            }
        }
    }

    fn end_of(&self, artifact: &Listed, length: u64) -> Result<Vec<u8>, Error> {
        let span = length - TRAILER_LENGTH..length;
        let what = format!("the end of `{}`", artifact.name);
        let artifact = Listed {
            size: length,
            ..artifact.clone()
        };
        let mut bytes = Vec::new();
        let mut download = self.reader.download(&self.place, artifact, span, &what)?;
        download.read_to_end(&mut bytes).map_err(told)?;
        Ok(bytes)
    }

    /// The name is used: by this record or another one?
    fn compare(&self, service: &Service, name: &str, pointer: &Pointer) -> Result<(), StoreError> {
        let found = service.list(Some(name)).map_err(self.failed())?;
        let Some(found) = found.into_iter().max_by_key(|found| found.id) else {
            let name = name.to_owned();
            return Err(self.failed()(Error::Unfinished { name }));
        };
        let held = self
            .open(&self.place, &found)
            .map_err(self.failed())?
            .contents
            .pointer
            .record;
        if held == pointer.record {
            return Ok(());
        }
        Err(StoreError::Taken {
            name: pointer.artifact.clone(),
            run: pointer.run.clone(),
            held,
            wanted: pointer.record,
        })
    }
}

/// Whether an answer was wrong, rather than missing.
fn is_about_bytes(error: &Error) -> bool {
    matches!(
        error,
        Error::Http(
            HttpError::Size { .. }
                | HttpError::Protocol { .. }
                | HttpError::Status { status: 416, .. }
        )
    )
}
