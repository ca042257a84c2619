//! Reading: records and images by digest, each byte compared with its digest on the way.

use std::io;
use std::sync::Arc;

use barge_image::record::{ArtifactName, Run};
use barge_image::{Descriptor, Digest, Error as ImageError, Extent, Image, Layer, Layout, Record};

use super::Store;
use crate::directory::{DirectoryStore, copy_blob, hash};
use crate::error::Error;
use crate::parallel;
use crate::pointer::Pointer;
use crate::remote::{Listing, Remote, Wanted};

impl Store {
    /// Reads everything that a pointer leads to, and compares it.
    ///
    /// # Errors
    /// What is missing or not what it should be.
    pub fn check(&self, pointer: &Pointer) -> Result<(), Error> {
        let record = self.record(&pointer.record)?;
        if !pointer.is_of(&record) {
            return Err(Error::misled(pointer, &record));
        }
        let image = self.image(&pointer.record, &record)?;
        fetch_ahead(&image.layers);
        image.verify().map_err(self.failed())
    }

    /// Reads a record by its digest.
    ///
    /// # Errors
    /// When it is not there, was changed, or is of another version.
    pub fn record(&self, digest: &Digest) -> Result<Record, Error> {
        let Some(bytes) = self.home().record(digest)? else {
            let held = self.list(&Wanted::default())?.pointers;
            let held = held.iter().map(|pointer| pointer.record.to_string());
            return Err(Error::NoSuchArtifact {
                store: self.address().clone(),
                wanted: digest.to_string(),
                held: held.collect(),
            });
        };
        let found = Digest::of(&bytes);
        if found != *digest {
            return Err(self.failed()(ImageError::Digest {
                what: "the hand-off record".into(),
                expected: *digest,
                found,
            }));
        }
        // A signature would be checked here: over these very bytes, before a word of them is believed.
        Record::from_bytes(&bytes).map_err(|source| Error::Record {
            store: self.address().clone(),
            digest: *digest,
            source,
        })
    }

    /// Finds an artifact by name. Without a run it must be the only one of that name: the newest is never guessed.
    ///
    /// # Errors
    /// When there is none, or more than one and no run was named.
    pub fn find(&self, name: &ArtifactName, run: Option<&Run>) -> Result<Pointer, Error> {
        let wanted = Wanted {
            artifact: Some(name.clone()),
            run: run.cloned(),
        };
        let mut found = self.list(&wanted)?.whole()?;
        match found.len() {
            1 => Ok(found.swap_remove(0)),
            0 => {
                let wanted =
                    run.map_or_else(|| name.to_string(), |run| format!("{name} of run {run}"));
                Err(Error::NoSuchArtifact {
                    store: self.address().clone(),
                    held: self.home().names()?,
                    wanted,
                })
            }
            _ => Err(Error::Ambiguous {
                name: name.clone(),
                runs: found.into_iter().map(|pointer| pointer.run).collect(),
            }),
        }
    }

    /// The pointers that are wanted, sorted by name, run and attempt.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(&self, wanted: &Wanted) -> Result<Listing, Error> {
        let mut listing = self.home().pointers(wanted)?;
        listing
            .pointers
            .sort_by(|a, b| (&a.artifact, &a.run).cmp(&(&b.artifact, &b.run)));
        Ok(listing)
    }

    /// Opens the image of a record and compares it with the record. Of a store elsewhere, manifest and config are fetched,
    /// and each layer when it is first read.
    ///
    /// # Errors
    /// When something is missing, or is not what the record says.
    pub fn image(&self, digest: &Digest, record: &Record) -> Result<Image, Error> {
        let image = match &self.remote {
            None => self
                .local
                .layout()
                .image(&record.image.manifest.digest, record.references.clone())
                .map_err(self.failed())?,
            Some(remote) => self.remote_image(remote, *digest, record)?,
        };
        self.same_config(&image, record)?;
        Ok(image)
    }

    fn remote_image(
        &self,
        remote: &Arc<dyn Remote>,
        digest: Digest,
        record: &Record,
    ) -> Result<Image, Error> {
        let local = DirectoryStore::create(self.local.root())?;
        let layout = local.layout();
        let manifest = &record.image.manifest;
        fetch(&**remote, layout, &digest, manifest)?;
        let bytes = layout.document("manifest", &manifest.digest);
        let parsed = bytes.and_then(|bytes| {
            let parsed = serde_json::from_slice::<barge_image::Manifest>(&bytes);
            parsed.map_err(|source| ImageError::Document {
                what: "manifest",
                path: layout.root().to_owned(),
                source,
            })
        });
        fetch(
            &**remote,
            layout,
            &digest,
            &parsed.map_err(self.failed())?.config,
        )?;
        let layer = |_: &Digest, blob: &Descriptor| {
            let (remote, layout, blob) = (Arc::clone(remote), layout.clone(), blob.clone());
            let size = blob.size;
            let bring = move || {
                fetch(&*remote, &layout, &digest, &blob).map_err(io::Error::other)?;
                std::fs::File::open(layout.blobs().path(&blob.digest))
            };
            Ok(Extent::deferred(size, Box::new(bring)))
        };
        layout
            .image_with(&manifest.digest, record.references.clone(), layer)
            .map_err(self.failed())
    }

    /// Looks for a layer whose bytes were changed where they lie, after something went wrong with the image. Reads all of it.
    #[must_use]
    pub fn damage(&self, image: &Image) -> Option<Error> {
        let changed = |layer: &Layer| {
            let expected = layer.blob.as_ref()?.digest;
            let found = hash(&mut layer.content.reader()).ok()?;
            let what = format!("layer {}", layer.diff_id);
            (found != expected).then_some(ImageError::Digest {
                what,
                expected,
                found,
            })
        };
        let changed = image.layers.iter().find_map(changed)?;
        Some(self.failed()(changed))
    }

    pub(super) fn same_config(&self, image: &Image, record: &Record) -> Result<(), Error> {
        let (expected, found) = (record.image.config, image.config.digest());
        if found == expected {
            return Ok(());
        }
        Err(self.failed()(ImageError::Digest {
            what: "the config".into(),
            expected,
            found,
        }))
    }
}

/// Brings layers, several at once and the first ones first. Who reads a layer meanwhile waits for it; what fails here fails
/// again, and is told, when it is read.
pub fn fetch_ahead(layers: &[Layer]) {
    let fetched = parallel::for_each(layers, |layer, _| layer.content.bring());
    if let Err(error) = fetched {
        tracing::debug!(%error, "fetching ahead failed");
    }
}

/// Brings a blob into the layout, unless it is there.
fn fetch(
    remote: &dyn Remote,
    layout: &Layout,
    record: &Digest,
    descriptor: &Descriptor,
) -> Result<(), Error> {
    if layout.blobs().keep(&descriptor.digest, descriptor.size) {
        return Ok(());
    }
    let failed = |source| Error::content(remote.address(), source);
    let what = format!("blob {}", descriptor.digest);
    let mut content = remote
        .blob(record, descriptor)?
        .ok_or_else(|| failed(missing(layout, &what)))?;
    copy_blob(layout.blobs(), &mut content, descriptor).map_err(failed)
}

pub(super) fn missing(layout: &Layout, what: &str) -> ImageError {
    ImageError::Missing {
        path: layout.root().to_owned(),
        what: what.to_owned(),
    }
}
