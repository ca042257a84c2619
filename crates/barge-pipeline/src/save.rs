//! Saving by the names that the build recorded, with what is asked before and compared after (R17 to R20).

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use barge_engine::Docker;
use barge_engine::docker::BodyReader;
use barge_image::archive::{LayerForm, Passing, ReceiveError, Received, receive, write};
use barge_image::blobs::{PARTIAL_PREFIX, partial};
use barge_image::record::{Record, RecordedImage, SCHEMA};
use barge_image::{Digest, Image, Layout, Reference, Selection};
use barge_store::DirectoryStore;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::build::{Built, Home};
use crate::carried::Carried;
use crate::engine;
use crate::error::Error;
use crate::observer::{Notice, Observer};
use crate::surroundings::Surroundings;

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

/// Saves what was built into the store and points to it.
///
/// # Errors
/// When a name is gone or moved, the export is not the image that was built, or the store fails.
pub async fn save(
    surroundings: &Surroundings,
    built: &Built,
    store: &Utf8Path,
) -> Result<Saved, Error> {
    let started = Instant::now();
    let export = export(surroundings, built).await?;
    let (engine, stream) = export.map(|export| (export.engine, export.stream)).unzip();
    let (built, root, now) = (built.clone(), store.to_owned(), surroundings.now);
    let observer = Arc::clone(&surroundings.observer);
    let work = move || {
        let store = DirectoryStore::create(&root)?;
        let image = put(&store, &built, stream, &*observer)?;
        let record = Record {
            schema: SCHEMA.into(),
            artifact: built.artifact()?,
            references: built.references.clone(),
            image,
            source: built.source.clone(),
            build: built.facts.clone(),
            tool: concat!("barge ", env!("CARGO_PKG_VERSION")).into(),
            created: now,
        };
        let digest = store.put_record(&record)?;
        let stored_size = store.image_of(&record)?.stored_size();
        Ok::<_, Error>((digest, record, stored_size))
    };
    let (digest, record, stored_size) = blocking(work).await?;
    if let (Some(engine), Some(id)) = (engine, record.image.engine_id) {
        Carried::over(surroundings, store, None).note(&engine.info().id, id);
    }
    let saved = Saved {
        digest,
        record,
        stored_size,
        seconds: seconds(started.elapsed()),
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
    let export = export(surroundings, built).await?;
    let export = export.map(|export| export.stream);
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
        seconds: seconds(started.elapsed()),
    })
}

/// What an engine gives out.
struct Export {
    engine: Docker,
    stream: BodyReader,
}

/// Asks the engine for exactly the recorded names, after looking at each.
async fn export(surroundings: &Surroundings, built: &Built) -> Result<Option<Export>, Error> {
    let home = &built.home;
    let (Some(engine), Some(id)) = (engine::of(surroundings, home).await?, home.engine_id()) else {
        return Ok(None);
    };
    let mut transfer = Notice::Transfer {
        layers: 0,
        bytes: None,
    };
    for reference in &built.references {
        let found = engine.require_same(reference, id).await?;
        transfer = Notice::Transfer {
            layers: found.diff_ids.len(),
            bytes: Some(found.size),
        };
    }
    surroundings.observer.notice(&transfer);
    let stream = engine.export(&built.references).await?;
    Ok(Some(Export { engine, stream }))
}

fn put(
    store: &DirectoryStore,
    built: &Built,
    export: Option<BodyReader>,
    observer: &dyn Observer,
) -> Result<RecordedImage, Error> {
    let mut engine_id = None;
    let (manifest, image) = match (&built.home, export) {
        (Home::Layout { path, manifest }, _) => {
            let image = Layout::at(path).image(&manifest.digest, built.references.clone())?;
            (store.put_image(&image)?, image.config)
        }
        (Home::Docker { id } | Home::Podman { id }, Some(export)) => {
            let tell = |passing| observer.notice(&Notice::Passing(passing));
            let origin = "the engine's export";
            let received = receive(export, origin, &mut store.layer_sink(), &tell);
            let received = received.map_err(|error| match error {
                ReceiveError::Export(error) => Error::Image(error),
                ReceiveError::Sink(error) => Error::Store(error),
            })?;
            let received = the_built_one(built, id, received)?;
            engine_id = Some(*id).filter(|id| *id != received.config.digest());
            (store.put_received(&received)?, received.config)
        }
        (_, None) => return Err(not_exported()),
    };
    let size = manifest_sizes(store, &manifest.digest)?;
    let config = image.parsed();
    let layers = config.rootfs.diff_ids.len();
    Ok(RecordedImage {
        config: image.digest(),
        manifest,
        engine_id,
        platform: config.platform(),
        layers,
        size,
    })
}

fn not_exported() -> Error {
    Error::Setting("the image was not exported".into())
}

/// The length of the plain layers, in bytes.
fn manifest_sizes(store: &DirectoryStore, manifest: &Digest) -> Result<u64, Error> {
    let image = Layout::at(store.root()).image(manifest, Vec::new())?;
    image
        .layers
        .iter()
        .map(|layer| layer.plain_size().map_err(Error::from))
        .sum()
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
    match (&built.home, export) {
        (Home::Layout { path, manifest }, _) => {
            let image = Layout::at(path).image(&manifest.digest, built.references.clone())?;
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
        (_, None) => return Err(not_exported()),
        (_, Some(export)) => {
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
    let image = barge_image::open(path, &Selection::default())?;
    same_names(built, &image.references)?;
    if let Some(id) = built.home.engine_id() {
        let is_manifest = image
            .manifest
            .as_ref()
            .is_some_and(|manifest| manifest.descriptor().digest == *id);
        let found = image.config.digest();
        if found != *id && !is_manifest {
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

pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

pub(crate) fn seconds(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 1000.0).round() / 1000.0
}
