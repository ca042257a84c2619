//! Saving by the names that the build recorded, with what is asked before and compared after (R17 to R20).

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Instant;

use barge_engine::Docker;
use barge_engine::docker::{BodyReader, InspectedImage};
use barge_image::archive::{LayerForm, Passing, ReceiveError, Received, receive, write};
use barge_image::blobs::{PARTIAL_PREFIX, partial};
use barge_image::record::{Record, RecordedImage, SCHEMA};
use barge_image::{Digest, Image, Layout, Reference, Selection, listed, open};
use barge_store::directory::Taking;
use barge_store::registry::Transfer;
use barge_store::{Lifetime, Store};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::blocking::blocking;
use crate::built::{Built, Home};
use crate::carried::Carried;
use crate::elapsed::seconds_since;
use crate::engine;
use crate::error::Error;
use crate::observer::{Notice, Observer};
use crate::surroundings::Surroundings;

/// From this length on it is worth a word that an image could be read faster, in bytes.
const LARGE: u64 = 100_000_000;

/// What saving left in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// The digest of the record: the one value that the next job needs.
    pub digest: Digest,
    /// The record.
    pub record: Record,
    /// The length of the image in the store, in bytes.
    pub stored_size: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// What saving left in an archive.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Archived {
    /// The archive.
    pub path: Utf8PathBuf,
    /// The names in it.
    pub references: Vec<Reference>,
    /// The config digest.
    pub config: Digest,
    /// The length of the archive, in bytes.
    pub size: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Saves what was built into the store and points to it. It is kept as long as the settings say, if `lifetime` does not.
///
/// # Errors
/// When a name is gone or moved, the export is not the image that was built, or the store fails.
pub async fn save(
    surroundings: &Surroundings,
    built: &Built,
    store: &Store,
    lifetime: Option<Lifetime>,
) -> Result<Saved, Error> {
    let started = Instant::now();
    let by_settings = crate::store::lifetime(&surroundings.store.retention, &built.source);
    let expires = lifetime.unwrap_or(by_settings).from(surroundings.now);
    let store = &store.until(expires);
    let asked = ask(surroundings, built).await?;
    let received = take(surroundings, built, store, asked.as_ref()).await?;
    let engine = asked.map(|asked| asked.engine.info().id.clone());
    let (built, home, now) = (built.clone(), store.clone(), surroundings.now);
    let observer = Arc::clone(&surroundings.observer);
    let work = move || {
        let store = home;
        let image = recorded(&store, &built, &received)?;
        let record = Record {
            schema: SCHEMA.into(),
            artifact: built.artifact()?,
            references: built.references.clone(),
            image,
            source: built.source.clone(),
            build: built.facts.clone(),
            tool: concat!("barge ", env!("CARGO_PKG_VERSION")).into(),
            created: now,
            expires,
        }
        .fitted();
        let tell = |transfer: Transfer| {
            if let Transfer::Started { size, .. } = transfer {
                observer.notice(&Notice::Transfer {
                    layers: 1,
                    bytes: Some(size),
                });
            }
        };
        let kept = store.put_record(&record, &tell)?;
        let stored_size = store.image(&kept.digest, &kept.record)?.stored_size();
        Ok::<_, Error>((kept, stored_size))
    };
    let (kept, stored_size) = blocking(work).await?;
    if let (Some(engine), Some(id)) = (engine, kept.record.image.engine_id) {
        Carried::over(surroundings, store, None).note(&engine, id);
    }
    let saved = Saved {
        digest: kept.digest,
        record: kept.record,
        stored_size,
        seconds: seconds_since(started),
    };
    let workspace = surroundings.workspace();
    workspace.leave(&workspace.saved(), &saved)?;
    Ok(saved)
}

/// Saves what was built into an archive that every engine loads.
///
/// # Errors
/// As [`save`]; nothing is left under the archive's name then.
pub async fn archive(
    surroundings: &Surroundings,
    built: &Built,
    path: &Utf8Path,
) -> Result<Archived, Error> {
    let started = Instant::now();
    let export = match ask(surroundings, built).await? {
        Some(asked) => Some(asked.export(surroundings, built).await?),
        None => None,
    };
    let (built, path) = (built.clone(), path.to_owned());
    let observer = Arc::clone(&surroundings.observer);
    let work = move || {
        let partial = partial_file(&path)?;
        write_archive(&built, export, &partial, &observer)?;
        let temporary = Utf8Path::from_path(partial.path()).unwrap_or(&path);
        let image = check_archive(&built, temporary)?;
        let size = keep(partial, &path)?;
        let config = image.config.digest();
        Ok::<_, Error>((path, config, size, built.references))
    };
    let (path, config, size, references) = blocking(work).await?;
    Ok(Archived {
        path,
        references,
        config,
        size,
        seconds: seconds_since(started),
    })
}

/// An engine that was asked, and holds what was built.
struct Asked {
    engine: Docker,
    image: InspectedImage,
}

/// Looks at each of the recorded names in the engine, if the image is in one.
async fn ask(surroundings: &Surroundings, built: &Built) -> Result<Option<Asked>, Error> {
    let home = &built.home;
    let (Some(engine), Some(id)) = (engine::of(surroundings, home).await?, home.engine_id()) else {
        return Ok(None);
    };
    let mut last = None;
    for reference in &built.references {
        last = Some(engine.require_same(reference, id).await?);
    }
    Ok(last.map(|image| Asked { engine, image }))
}

impl Asked {
    /// Asks for exactly the recorded names.
    async fn export(
        &self,
        surroundings: &Surroundings,
        built: &Built,
    ) -> Result<BodyReader, Error> {
        surroundings.observer.notice(&Notice::Transfer {
            layers: self.image.diff_ids.len(),
            bytes: Some(self.image.size),
        });
        Ok(self.engine.export(&built.references).await?)
    }
}

/// The image, if the store can put it together without the engine's export.
async fn known(store: &Store, asked: &Asked) -> Result<Option<Received>, Error> {
    let (store, id) = (store.clone(), asked.image.id);
    let diff_ids = asked.image.diff_ids.clone();
    Ok(blocking(move || store.known_image(&id, &diff_ids)).await?)
}

/// Takes the layers of what was built into the store, by the shortest way.
async fn take(
    surroundings: &Surroundings,
    built: &Built,
    store: &Store,
    asked: Option<&Asked>,
) -> Result<Received, Error> {
    let Some(asked) = asked else {
        return take_built(surroundings, built, store).await;
    };
    if let Some(received) = known(store, asked).await? {
        tracing::debug!(id = %asked.image.id, "the image is known to the store: no export is needed");
        return Ok(received);
    }
    match take_in_place(surroundings, built, store, asked).await? {
        Some(received) => Ok(received),
        None => take_export(surroundings, built, store, asked).await,
    }
}

/// The image, if it lies in files.
fn in_files(built: &Built) -> Result<Option<Image>, Error> {
    Ok(match &built.home {
        Home::Layout { path, manifest } => {
            Some(Layout::at(path).image(&manifest.digest, built.references.clone())?)
        }
        Home::File { path, name, config } => {
            let (name, platform) = (name.clone(), None);
            let image = open(path, &Selection { name, platform })?;
            same_image(config, &image)?;
            Some(image)
        }
        Home::Docker { .. } | Home::Podman { .. } => None,
    })
}

fn same_image(expected: &Digest, image: &Image) -> Result<(), Error> {
    let found = image.config.digest();
    if found == *expected {
        return Ok(());
    }
    let expected = *expected;
    Err(Error::Identity { expected, found })
}

/// From the layout that the builder left, or another file.
async fn take_built(
    surroundings: &Surroundings,
    built: &Built,
    store: &Store,
) -> Result<Received, Error> {
    let image = in_files(built)?.ok_or_else(not_exported)?;
    let (store, observer) = (store.clone(), Arc::clone(&surroundings.observer));
    let take = move || store.take_image(&image, &|taking| tell(&*observer, taking));
    Ok(blocking(take).await?)
}

/// From where a daemon on this machine keeps them, if this process may read there; `None` leaves the export.
async fn take_in_place(
    surroundings: &Surroundings,
    built: &Built,
    store: &Store,
    asked: &Asked,
) -> Result<Option<Received>, Error> {
    if surroundings.build.always_export {
        return Ok(None);
    }
    let image = match asked.engine.in_graph(&asked.image) {
        Ok(Some(image)) => image,
        Ok(None) => return Ok(None),
        Err(error) => {
            tracing::debug!(%error, "the daemon's data folder cannot be read");
            if error.kind() == io::ErrorKind::PermissionDenied && asked.image.size >= LARGE {
                surroundings.observer.notice(&Notice::MayNotRead);
            }
            return Ok(None);
        }
    };
    tracing::debug!("reading the layers where the daemon keeps them");
    let (store, observer) = (store.clone(), Arc::clone(&surroundings.observer));
    let take =
        move || store.take_layers(image.config(), &image, &|taking| tell(&*observer, taking));
    match blocking(take).await {
        Ok(received) => {
            // Names that moved meanwhile must not be recorded for what they meant before.
            ask(surroundings, built).await?;
            Ok(Some(received))
        }
        // Somebody may have removed the image meanwhile: the export says so, or does better.
        Err(error) => {
            tracing::debug!(%error, "the layers could not be read where the daemon keeps them");
            Ok(None)
        }
    }
}

/// From the engine's export, which is taken apart while it arrives.
async fn take_export(
    surroundings: &Surroundings,
    built: &Built,
    store: &Store,
    asked: &Asked,
) -> Result<Received, Error> {
    tell_of_platforms(surroundings, asked).await?;
    let export = asked.export(surroundings, built).await?;
    let (store, built, image) = (store.clone(), built.clone(), asked.image.clone());
    let observer = Arc::clone(&surroundings.observer);
    let take = move || {
        let tell = |passing| observer.notice(&Notice::Passing(passing));
        let origin = "the engine's export";
        let received = receive(export, origin, &mut store.sink(&image.diff_ids)?, &tell);
        let received = received.map_err(|error| match error {
            ReceiveError::Export(error) => Error::Image(error),
            ReceiveError::Sink(error) => Error::Store(error),
        })?;
        the_built_one(&built, &image.id, received)
    };
    blocking(take).await
}

/// A record is of one platform: what an engine holds beyond it stays there.
async fn tell_of_platforms(surroundings: &Surroundings, asked: &Asked) -> Result<(), Error> {
    let held = asked.engine.platforms(&asked.image.id).await?;
    if held.len() > 1 {
        let taken = &asked.image.platform;
        let names: Vec<_> = held.iter().map(ToString::to_string).collect();
        let text = format!(
            "the image is there for {}: only {taken} is saved",
            names.join(", ")
        );
        surroundings.observer.notice(&Notice::Warning(text));
    }
    Ok(())
}

/// Layers that are taken at once are told of when they are there.
fn tell(observer: &dyn Observer, taking: Taking) {
    let notices = match taking {
        Taking::Started { layers } => vec![Notice::Transfer {
            layers,
            bytes: None,
        }],
        Taking::Done { size } => vec![
            Notice::Passing(Passing::Layer { size }),
            Notice::Passing(Passing::Bytes(size)),
        ],
    };
    notices.iter().for_each(|notice| observer.notice(notice));
}

fn recorded(store: &Store, built: &Built, received: &Received) -> Result<RecordedImage, Error> {
    let config = received.config.parsed();
    let digest = received.config.digest();
    Ok(RecordedImage {
        config: digest,
        manifest: store.put_received(received)?,
        engine_id: built.home.engine_id().copied().filter(|id| *id != digest),
        platform: config.platform(),
        layers: received.layers.len(),
        size: received.layers.iter().map(|layer| layer.plain_size).sum(),
    })
}

fn not_exported() -> Error {
    Error::Setting("the image was not exported".into())
}

/// The one image of an export, which must be what was built, under the very names that were recorded.
fn the_built_one(
    built: &Built,
    id: &Digest,
    mut received: Vec<Received>,
) -> Result<Received, Error> {
    let (Some(image), true) = (received.pop(), received.is_empty()) else {
        let found = received
            .iter()
            .flat_map(|image| image.references.clone())
            .collect();
        return Err(Error::Names {
            expected: built.references.clone(),
            found,
        });
    };
    same_names(built, &image.references)?;
    let config = image.config.digest();
    // On a containerd store the ID is that of a manifest, or of an index over it.
    if config == *id || image.ids.contains(id) {
        return Ok(image);
    }
    Err(Error::Identity {
        expected: *id,
        found: config,
    })
}

fn same_names(built: &Built, found: &[Reference]) -> Result<(), Error> {
    let sorted = |references: &[Reference]| {
        let mut sorted = references.to_vec();
        sorted.sort();
        sorted
    };
    if sorted(&built.references) == sorted(found) {
        return Ok(());
    }
    Err(Error::Names {
        expected: built.references.clone(),
        found: found.to_vec(),
    })
}

fn partial_file(path: &Utf8Path) -> Result<tempfile::NamedTempFile, Error> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_str().is_empty())
        .unwrap_or(Utf8Path::new("."));
    let file = partial(folder, PARTIAL_PREFIX);
    file.map_err(|source| Error::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

fn write_archive(
    built: &Built,
    export: Option<BodyReader>,
    file: &tempfile::NamedTempFile,
    observer: &Arc<dyn Observer>,
) -> Result<(), Error> {
    let failed = |source| Error::File {
        action: "write",
        path: "the archive".into(),
        source,
    };
    let mut sink = io::BufWriter::with_capacity(1 << 20, file.as_file());
    match (in_files(built)?, export) {
        (Some(image), _) => {
            let count = |passing| observer.notice(&Notice::Passing(passing));
            write(
                &image,
                &built.references,
                LayerForm::Plain,
                &std::collections::BTreeSet::new(),
                &mut sink,
                &count,
            )?;
        }
        (None, None) => return Err(not_exported()),
        (None, Some(export)) => {
            let mut stream = Watched {
                inner: export,
                observer: Arc::clone(observer),
            };
            io::copy(&mut stream, &mut sink).map_err(failed)?;
        }
    }
    let file = sink
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)
}

/// Reads an archive back: names, identity, every layer.
fn check_archive(built: &Built, path: &Utf8Path) -> Result<Image, Error> {
    let image = open(path, &Selection::default())?;
    same_names(built, &image.references)?;
    if let Some(id) = built.home.engine_id() {
        let is_manifest = image
            .manifest
            .as_ref()
            .is_some_and(|manifest| manifest.descriptor().digest == *id);
        let found = image.config.digest();
        // Docker's own builder leaves an index over manifest and attestation.
        let is_index = || Ok::<_, Error>(listed(path)?.iter().eq([id]));
        if found != *id && !is_manifest && !is_index()? {
            return Err(Error::Identity {
                expected: *id,
                found,
            });
        }
    }
    image.verify()?;
    Ok(image)
}

fn keep(partial: tempfile::NamedTempFile, path: &Utf8Path) -> Result<u64, Error> {
    let failed = |source| Error::File {
        action: "write",
        path: path.to_owned(),
        source,
    };
    let file = partial.persist(path).map_err(|error| failed(error.error))?;
    Ok(file.metadata().map_err(failed)?.len())
}

/// Tells of bytes as they pass.
struct Watched<R> {
    inner: R,
    observer: Arc<dyn Observer>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let passing = Passing::Bytes(read as u64);
        self.observer.notice(&Notice::Passing(passing));
        Ok(read)
    }
}
