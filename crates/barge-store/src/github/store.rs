//! The artifacts of a run, or of others, as a store.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use barge_image::record::Run;
use barge_image::{Descriptor, Digest, PackedLayer};
use jiff::Timestamp;

use super::api::Api;
use super::block_blob;
use super::error::Error;
use super::options::{GitHubOptions, Upload};
use super::pack::{Pack, TRAILER_LENGTH};
use super::reader::{OpenPack, Reader};
use super::service::{Created, Listed, Service};
use super::told::Told;
use crate::address::{OtherRuns, StoreAddress};
use crate::error::Error as StoreError;
use crate::http::{Exchange, HttpOptions, Timeouts};
use crate::parallel::for_each;
use crate::pointer::{Pointer, run_key};
use crate::registry::Progress;
use crate::remote::{Artifact, Remote, Wanted};

/// What the names of packs end with: an artifact that is not zipped is a file of its name.
const SUFFIX: &str = ".barge";

/// Artifacts of GitHub Actions.
#[derive(Debug)]
pub struct GitHubStore {
    address: StoreAddress,
    place: Place,
    reader: Reader,
    upload: Upload,
    /// For uploads, whose silences are longer.
    uploads: Exchange,
    latest_expiry: Option<Timestamp>,
    open: Mutex<BTreeMap<u64, Arc<OpenPack>>>,
}

/// Where artifacts are listed and signed addresses come from.
#[derive(Debug)]
pub(super) enum Place {
    Run(Service),
    Others(Api),
}

impl Place {
    fn list(&self, name: Option<&str>) -> Result<Vec<Listed>, Error> {
        match self {
            Self::Run(service) => service.list(name),
            Self::Others(api) => api.list(name),
        }
    }

    pub(super) fn signed_url(&self, artifact: &Listed) -> Result<crate::http::Url, Error> {
        match self {
            Self::Run(service) => service.signed_url(artifact),
            Self::Others(api) => api.signed_url(artifact),
        }
    }

    fn delete(&self, artifact: &Listed) -> Result<(), Error> {
        match self {
            Self::Run(service) => service.delete(&artifact.name),
            Self::Others(api) => api.delete(artifact),
        }
    }
}

impl GitHubStore {
    /// Prepares to use the artifacts of the run at hand, or of others; GitHub is not asked yet.
    ///
    /// # Errors
    /// When what is needed for that is not among the options, or a proxy or a file of certificates cannot be used.
    pub fn new(
        others: Option<&OtherRuns>,
        options: Result<GitHubOptions, Error>,
    ) -> Result<Self, StoreError> {
        let address = StoreAddress::GitHub(others.cloned());
        let made = options.and_then(|options| Self::with(address.clone(), others, options));
        made.map_err(failed(&address))
    }

    fn with(
        address: StoreAddress,
        others: Option<&OtherRuns>,
        options: GitHubOptions,
    ) -> Result<Self, Error> {
        let storage = options.http.retry;
        let asking = Exchange::new(options.http.clone(), options.retry.0)?;
        let place = match others {
            None => Place::Run(Service::new(asking, options.run.ok_or_else(no_token)?)),
            Some(others) => {
                let mut access = options.api.ok_or_else(no_api_token)?;
                access.repository.clone_from(&others.repository);
                Place::Others(Api::new(asking, access, others.run, options.origin))
            }
        };
        let patient = HttpOptions {
            timeouts: Timeouts {
                stall: options.upload.stall,
                digest: options.upload.stall,
                ..options.http.timeouts
            },
            ..options.http.clone()
        };
        Ok(Self {
            address,
            place,
            reader: Reader::new(Exchange::new(options.http, storage)?),
            upload: options.upload,
            uploads: Exchange::new(patient, storage)?,
            latest_expiry: options.latest_expiry,
            open: Mutex::default(),
        })
    }

    fn failed(&self) -> impl FnOnce(Error) -> StoreError {
        failed(&self.address)
    }

    fn opened(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<OpenPack>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a pack, once.
    fn open(&self, artifact: &Listed) -> Result<Arc<OpenPack>, Error> {
        if let Some(open) = self.opened().get(&artifact.id) {
            return Ok(Arc::clone(open));
        }
        let pack = self.reader.open(&self.place, artifact)?;
        let told = pack_name(&pack.contents.pointer);
        if told != artifact.name {
            return Err(Error::Pack {
                name: artifact.name.clone(),
                reason: format!("it says that it is `{told}`"),
            });
        }
        let pack = Arc::new(pack);
        self.opened().insert(artifact.id, Arc::clone(&pack));
        Ok(pack)
    }

    /// The packs that may be wanted, by their names.
    fn listed(&self, wanted: &Wanted) -> Result<Vec<Listed>, Error> {
        let exact = match (&wanted.artifact, &wanted.run) {
            (Some(artifact), Some(run)) => Some(name_of(artifact.as_str(), run)),
            _ => None,
        };
        let start = wanted.artifact.as_ref().map(|name| format!("{name}."));
        let mut found = self.place.list(exact.as_deref())?;
        found.retain(|artifact| {
            artifact.name.ends_with(SUFFIX)
                && start
                    .as_ref()
                    .is_none_or(|start| artifact.name.starts_with(start))
        });
        Ok(found)
    }

    fn open_all(&self, wanted: &Wanted) -> Result<Vec<Arc<OpenPack>>, Error> {
        let listed = self.listed(wanted)?;
        let packs = Mutex::new(Vec::new());
        for_each(&listed, |artifact, _| {
            match self.open(artifact) {
                Ok(pack) => packs
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(pack),
                // What nobody asked for by name may be anything.
                Err(error @ Error::Pack { .. }) if wanted.artifact.is_none() => {
                    tracing::warn!(%error, "passed over");
                }
                Err(error) => return Err(error),
            }
            Ok(())
        })?;
        Ok(packs.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// The pack of a record.
    fn pack_of(&self, record: &Digest) -> Result<Option<Arc<OpenPack>>, Error> {
        let is_it = |pack: &&Arc<OpenPack>| pack.contents.pointer.record == *record;
        if let Some(pack) = self.opened().values().find(is_it) {
            return Ok(Some(Arc::clone(pack)));
        }
        let packs = self.open_all(&Wanted::default())?;
        Ok(packs.iter().find(is_it).cloned())
    }

    fn read(
        &self,
        record: &Digest,
        digest: &Digest,
    ) -> Result<Option<Box<dyn Read + Send + '_>>, Error> {
        let Some(pack) = self.pack_of(record)? else {
            return Ok(None);
        };
        let Some(blob) = pack.contents.find(digest) else {
            return Ok(None);
        };
        let range = blob.offset..blob.offset + blob.descriptor.size;
        if range.is_empty() {
            return Ok(Some(Box::new(io::empty())));
        }
        if let Some(bytes) = pack.at_hand(&range) {
            return Ok(Some(Box::new(Cursor::new(bytes.to_vec()))));
        }
        let what = format!("blob {digest}");
        let download = self
            .reader
            .download(&self.place, pack.artifact.clone(), range, &what)?;
        Ok(Some(Box::new(download)))
    }

    fn service(&self) -> Result<&Service, Error> {
        match &self.place {
            Place::Run(service) => Ok(service),
            Place::Others(_) => Err(Error::ReadOnly),
        }
    }

    fn put(&self, artifact: &Artifact, progress: Progress<'_>) -> Result<(), StoreError> {
        let service = self.service().map_err(self.failed())?;
        let pack = Pack::of(artifact);
        let (pack, contents) = pack.map_err(|diff_id| StoreError::Vanished {
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

    fn expiry(&self, pointer: &Pointer) -> Option<Timestamp> {
        let latest = self.latest_expiry.unwrap_or(Timestamp::MAX);
        pointer.expires.map(|expires| expires.min(latest))
    }

    /// Sends the blocks, and hashes the whole meanwhile.
    fn send(&self, url: &crate::http::Url, pack: &Pack, told: &Told<'_>) -> Result<Digest, Error> {
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
        download
            .read_to_end(&mut bytes)
            .map_err(super::reader::told)?;
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
            .open(&found)
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

    fn remove_pack(&self, pointer: &Pointer) -> Result<(), Error> {
        let wanted = Wanted {
            artifact: Some(pointer.artifact.clone()),
            run: Some(pointer.run.clone()),
        };
        let packs = self.open_all(&wanted)?;
        let Some(pack) = packs.iter().find(|pack| pack.contents.pointer == *pointer) else {
            return Ok(());
        };
        self.place.delete(&pack.artifact)?;
        self.opened().remove(&pack.artifact.id);
        Ok(())
    }
}

impl Remote for GitHubStore {
    fn address(&self) -> &StoreAddress {
        &self.address
    }

    fn layers(&self, _diff_ids: &[Digest]) -> Result<BTreeMap<Digest, PackedLayer>, StoreError> {
        // Each pack is whole: artifacts expire and are removed one by one, and take what is in them along.
        Ok(BTreeMap::new())
    }

    fn publish(&self, artifact: &Artifact, progress: Progress<'_>) -> Result<(), StoreError> {
        self.put(artifact, progress)
    }

    fn pointers(&self, wanted: &Wanted) -> Result<Vec<Pointer>, StoreError> {
        let packs = self.open_all(wanted).map_err(self.failed())?;
        let pointers = packs.iter().map(|pack| pack.contents.pointer.clone());
        Ok(pointers.filter(|pointer| wanted.matches(pointer)).collect())
    }

    fn record(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let reader = self.read(digest, digest).map_err(self.failed())?;
        let Some(mut reader) = reader else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let read = reader.read_to_end(&mut bytes);
        read.map_err(super::reader::told).map_err(self.failed())?;
        Ok(Some(bytes))
    }

    fn blob(
        &self,
        record: &Digest,
        blob: &Descriptor,
    ) -> Result<Option<Box<dyn Read + Send + '_>>, StoreError> {
        self.read(record, &blob.digest).map_err(self.failed())
    }

    fn remove(&self, pointer: &Pointer) -> Result<(), StoreError> {
        self.remove_pack(pointer).map_err(self.failed())
    }
}

/// Whether an answer was wrong, rather than missing.
fn is_about_bytes(error: &Error) -> bool {
    use crate::http::Error as HttpError;
    matches!(
        error,
        Error::Http(
            HttpError::Size { .. }
                | HttpError::Protocol { .. }
                | HttpError::Status { status: 416, .. }
        )
    )
}

fn failed(address: &StoreAddress) -> impl FnOnce(Error) -> StoreError {
    let store = address.clone();
    move |source| StoreError::GitHub {
        store,
        source: Box::new(source),
    }
}

fn no_token() -> Error {
    Error::Variable {
        name: "ACTIONS_RUNTIME_TOKEN",
        reason: "and `ACTIONS_RESULTS_URL` are not set: this is no action of a run".into(),
    }
}

fn no_api_token() -> Error {
    Error::Variable {
        name: "GITHUB_TOKEN",
        reason: "is not set, and artifacts of other runs are read with it".into(),
    }
}

fn pack_name(pointer: &Pointer) -> String {
    name_of(pointer.artifact.as_str(), &pointer.run)
}

/// The attempt is in the name: names are used once in a run, whose attempts share them.
fn name_of(artifact: &str, run: &Run) -> String {
    format!("{artifact}.{}{SUFFIX}", run_key(run))
}
