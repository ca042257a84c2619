//! Saving into an archive that every engine loads.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Instant;

use barge_engine::blocking;
use barge_engine::docker::BodyReader;
use barge_image::archive::{LayerForm, Passing, write};
use barge_image::blobs::{PARTIAL_PREFIX, partial};
use barge_image::{Digest, Image, Reference, Selection, listed, open};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::origin::{ask, in_files, not_exported, same_names};
use crate::built::Built;
use crate::elapsed::seconds_since;
use crate::error::Error;
use crate::observer::{Notice, Observer};
use crate::surroundings::Surroundings;

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

/// Saves what was built into an archive that every engine loads.
///
/// # Errors
/// As [`super::save`]; nothing is left under the archive's name then.
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
                &BTreeSet::new(),
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
