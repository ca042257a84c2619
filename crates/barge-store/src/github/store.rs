//! The artifacts of a run, or of others, as a store.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use barge_image::record::Run;
use barge_image::{Descriptor, Digest, PackedLayer};
use jiff::Timestamp;

use super::api::Api;
use super::error::Error;
use super::options::{GitHubOptions, Origin, Upload};
use super::pack::PackedBlob;
use super::place::Place;
use super::reader::{OpenPack, Reader};
use super::service::{Listed, Service};
use crate::address::{OtherRuns, StoreAddress};
use crate::error::Error as StoreError;
use crate::http::{Exchange, HttpOptions, Timeouts};
use crate::parallel::for_each;
use crate::pointer::{Pointer, run_key};
use crate::registry::Progress;
use crate::remote::{Artifact, Listing, Remote, Wanted};

/// What the names of packs end with: an artifact that is not zipped is a file of its name.
pub(super) const SUFFIX: &str = ".barge";

/// Artifacts of GitHub Actions.
#[derive(Debug)]
pub struct GitHubStore {
    pub(super) address: StoreAddress,
    pub(super) place: Place,
    /// All runs of the repository, if there is a token for the REST API.
    pub(super) repository: Option<Api>,
    pub(super) reader: Reader,
    pub(super) upload: Upload,
    /// For uploads, whose silences are longer.
    pub(super) uploads: Exchange,
    pub(super) latest_expiry: Option<Timestamp>,
    pub(super) now: Option<Timestamp>,
    open: Mutex<BTreeMap<u64, Arc<OpenPack>>>,
    /// Layers that were found in earlier packs, by the digests of their blobs.
    pub(super) held: Mutex<BTreeMap<Digest, PackedBlob>>,
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
        let asking = || Exchange::new(options.http.clone(), options.retry.0);
        let mut api = options.api;
        if let (Some(api), Some(others)) = (&mut api, others) {
            api.repository.clone_from(&others.repository);
        }
        let place = match others {
            None => Place::Run(Service::new(asking()?, options.run.ok_or_else(no_token)?)),
            Some(others) => {
                let access = api.clone().ok_or_else(no_api_token)?;
                Place::Others(Api::new(asking()?, access, others.run, options.origin))
            }
        };
        let api = api.filter(|api| !api.repository.is_empty());
        let repository =
            api.map(|access| Ok::<_, Error>(Api::new(asking()?, access, None, Origin::default())));
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
            repository: repository.transpose()?,
            reader: Reader::new(Exchange::new(options.http, storage)?),
            upload: options.upload,
            uploads: Exchange::new(patient, storage)?,
            latest_expiry: options.latest_expiry,
            now: options.now,
            open: Mutex::default(),
            held: Mutex::default(),
        })
    }

    pub(super) fn failed(&self) -> impl FnOnce(Error) -> StoreError {
        failed(&self.address)
    }

    fn opened(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<OpenPack>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a pack, once.
    pub(super) fn open(&self, place: &Place, artifact: &Listed) -> Result<Arc<OpenPack>, Error> {
        if let Some(open) = self.opened().get(&artifact.id) {
            return Ok(Arc::clone(open));
        }
        let pack = self.reader.open(place, artifact)?;
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

    /// The packs that may be wanted, by their names, the newest first.
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
        found.sort_by_key(|artifact| Reverse(artifact.id));
        Ok(found)
    }

    fn open_all(&self, wanted: &Wanted) -> Result<Vec<Arc<OpenPack>>, Error> {
        self.open_until(wanted, |_| false)
    }

    /// Opens the packs that may be wanted, until one is the last that matters: each costs two requests of the hour's share.
    fn open_until(
        &self,
        wanted: &Wanted,
        is_last: impl Fn(&OpenPack) -> bool + Sync,
    ) -> Result<Vec<Arc<OpenPack>>, Error> {
        let listed = self.listed(wanted)?;
        let packs = Mutex::new(Vec::new());
        for_each(&listed, |artifact, stop| {
            match self.open(&self.place, artifact) {
                Ok(pack) => {
                    if is_last(&pack) {
                        stop.store(true, Ordering::Relaxed);
                    }
                    let mut packs = packs.lock().unwrap_or_else(PoisonError::into_inner);
                    packs.push(pack);
                }
                // It went after it was listed, and nobody asked for this one.
                Err(error) if wanted.run.is_none() && error.is_gone() => {
                    tracing::debug!(%error, "passed over");
                }
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
        let is_it = |pack: &OpenPack| pack.contents.pointer.record == *record;
        if let Some(pack) = self.opened().values().find(|pack| is_it(pack)) {
            return Ok(Some(Arc::clone(pack)));
        }
        let packs = self.open_until(&Wanted::default(), is_it)?;
        Ok(packs.into_iter().find(|pack| is_it(pack)))
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
        if let Some(bytes) = pack.at_hand(&range).filter(|_| blob.holder.is_none()) {
            return Ok(Some(Box::new(Cursor::new(bytes.to_vec()))));
        }
        let (place, artifact) = match &blob.holder {
            Some(holder) => self.holder(holder)?,
            None => (self.place.clone(), pack.artifact.clone()),
        };
        let what = format!("blob {digest}");
        let download = self.reader.download(&place, artifact, range, &what)?;
        Ok(Some(Box::new(download)))
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
        let by = self.leaning_on(&pack.artifact)?;
        if !by.is_empty() {
            let name = pack.artifact.name.clone();
            return Err(Error::Needed { name, by });
        }
        self.place.delete(&pack.artifact)?;
        self.opened().remove(&pack.artifact.id);
        Ok(())
    }
}

impl Remote for GitHubStore {
    fn address(&self) -> &StoreAddress {
        &self.address
    }

    fn layers(
        &self,
        diff_ids: &[Digest],
        until: Option<Timestamp>,
    ) -> Result<BTreeMap<Digest, PackedLayer>, StoreError> {
        Ok(self.earlier_layers(diff_ids, until))
    }

    fn publish(&self, artifact: &Artifact, progress: Progress<'_>) -> Result<(), StoreError> {
        self.put(artifact, progress)
    }

    fn pointers(&self, wanted: &Wanted) -> Result<Listing, StoreError> {
        let packs = self.open_all(wanted).map_err(self.failed())?;
        let pointers = packs.iter().map(|pack| pack.contents.pointer.clone());
        Ok(pointers.filter(|pointer| wanted.matches(pointer)).collect())
    }

    fn names(&self) -> Result<Vec<String>, StoreError> {
        let listed = self.listed(&Wanted::default()).map_err(self.failed())?;
        Ok(listed.iter().filter_map(|pack| told(&pack.name)).collect())
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

    fn expires_by_itself(&self) -> bool {
        true
    }
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

pub(super) fn no_api_token() -> Error {
    Error::Variable {
        name: "GITHUB_TOKEN",
        reason: "is not set, and artifacts of other runs are read with it".into(),
    }
}

pub(super) fn pack_name(pointer: &Pointer) -> String {
    name_of(pointer.artifact.as_str(), &pointer.run)
}

/// What a pack's name says, in words.
fn told(name: &str) -> Option<String> {
    let (artifact, key) = name.strip_suffix(SUFFIX)?.rsplit_once('.')?;
    let (run, attempt) = key.rsplit_once('-')?;
    Some(format!("{artifact} of run {run} attempt {attempt}"))
}

/// The attempt is in the name: names are used once in a run, whose attempts share them.
fn name_of(artifact: &str, run: &Run) -> String {
    format!("{artifact}.{}{SUFFIX}", run_key(run))
}
