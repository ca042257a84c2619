//! A store as its users see it: a folder, or a folder that stands in front of a store elsewhere.
//!
//! Saving packs into the folder only what neither side holds, and publishes it; reading brings from elsewhere only what is
//! read. Everything that comes is compared with its digest on the way.

use std::io;
use std::sync::Arc;

use barge_image::archive::Received;
use barge_image::archive::legacy_names;
use barge_image::image::LayerSource;
use barge_image::record::{ArtifactName, Run};
use barge_image::{
    Descriptor, Digest, Error as ImageError, Extent, Image, Layer, Layout, RawConfig, Record,
};
use camino::Utf8Path;

use crate::address::StoreAddress;
use crate::directory::{DirectorySink, DirectoryStore, KnownLayers, Tell, copy_blob, hash};
use crate::error::Error;
use crate::parallel;
use crate::pointer::Pointer;
use crate::registry::Progress;
use crate::remote::{Artifact, ArtifactLayer, Remote, RemoteOptions, Wanted, connect};

/// A store.
#[derive(Debug, Clone)]
pub struct Store {
    /// Where layers are packed, and where bytes of a remote store are kept.
    local: DirectoryStore,
    remote: Option<Arc<dyn Remote>>,
}

/// A record that is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its digest, the one value that the next job needs.
    pub digest: Digest,
    /// What it says.
    pub record: Record,
}

impl Store {
    /// Opens the store at an address. Bytes of one that is elsewhere are kept in the folder `cache`.
    ///
    /// # Errors
    /// When something that is needed to reach it is not set.
    pub fn open(
        address: &StoreAddress,
        cache: &Utf8Path,
        options: &RemoteOptions,
    ) -> Result<Self, Error> {
        Ok(match (address, connect(address, options)?) {
            (StoreAddress::Directory(root), None) => Self::directory(root),
            (_, remote) => Self {
                local: DirectoryStore::at(cache),
                remote,
            },
        })
    }

    /// A store in a folder, which may not be there yet.
    #[must_use]
    pub fn directory(root: &Utf8Path) -> Self {
        Self {
            local: DirectoryStore::at(root),
            remote: None,
        }
    }

    /// A folder in front of a store elsewhere.
    #[must_use]
    pub fn in_front_of(remote: Arc<dyn Remote>, cache: &Utf8Path) -> Self {
        Self {
            local: DirectoryStore::at(cache),
            remote: Some(remote),
        }
    }

    /// The same store elsewhere, behind a cache of its own: what that is asked for is fetched anew.
    #[must_use]
    pub fn behind(&self, cache: &Utf8Path) -> Self {
        Self {
            local: DirectoryStore::at(cache),
            remote: self.remote.clone(),
        }
    }

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

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> &StoreAddress {
        self.home().address()
    }

    /// The folder, if the store is one.
    #[must_use]
    pub fn folder(&self) -> Option<&DirectoryStore> {
        self.remote.is_none().then_some(&self.local)
    }

    /// The layout in which manifests and layers are kept on this machine, as far as they are.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        self.local.layout()
    }

    /// The folder in front of a store elsewhere. Nothing in it is needed: it may be collected like a store without artifacts.
    #[must_use]
    pub fn cache(&self) -> Option<&DirectoryStore> {
        self.remote.is_some().then_some(&self.local)
    }

    /// Where artifacts are: elsewhere, or in the folder itself.
    #[must_use]
    pub fn home(&self) -> &dyn Remote {
        self.remote.as_deref().unwrap_or(&self.local)
    }

    /// An image that the store can put together without asking an engine for a byte: its config is here, and all its
    /// layers are known.
    ///
    /// # Errors
    /// When the store fails.
    pub fn known_image(
        &self,
        config: &Digest,
        diff_ids: &[Digest],
    ) -> Result<Option<Received>, Error> {
        let bytes = self.local.layout().document("config", config).ok();
        let config = bytes.and_then(|bytes| RawConfig::parse(bytes).ok());
        // A document of another kind that has this digest is no config of this image.
        let config = config.filter(|config| config.parsed().rootfs.diff_ids == diff_ids);
        let Some(config) = config else {
            return Ok(None);
        };
        let known = self.known(diff_ids)?;
        let layers = diff_ids.iter().map(|diff_id| known.get(diff_id).cloned());
        let layers = layers.collect::<Option<Vec<_>>>();
        Ok(layers.map(|layers| Received {
            references: Vec::new(),
            config,
            layers,
            manifest: None,
            ids: Vec::new(),
        }))
    }

    /// Takes layers of an image with these diff_ids as they arrive; those that are known are only hashed.
    ///
    /// # Errors
    /// When the store fails.
    pub fn sink(&self, diff_ids: &[Digest]) -> Result<DirectorySink, Error> {
        DirectoryStore::create(self.local.root())?;
        let mut known = self.known(diff_ids)?;
        for (name, diff_id) in legacy_names(diff_ids) {
            known.call(&diff_id, name);
        }
        Ok(self.local.sink(known))
    }

    /// Takes config and manifest of an image whose layers went into the sink.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn put_received(&self, received: &Received) -> Result<Descriptor, Error> {
        self.local.put_received(received)
    }

    /// Takes the layers of an open image. A layer that is compressed stays as it is.
    ///
    /// # Errors
    /// When the store fails, or a layer is not what its image says.
    pub fn take_image(&self, image: &Image, tell: Tell<'_>) -> Result<Received, Error> {
        let mut received = self.take_layers(&image.config, image, tell)?;
        received.references.clone_from(&image.references);
        received.manifest.clone_from(&image.manifest);
        Ok(received)
    }

    /// Takes the layers of an image with this config from where they lie; those that are known are not read.
    ///
    /// # Errors
    /// As [`Self::take_image`].
    pub fn take_layers(
        &self,
        config: &RawConfig,
        source: &dyn LayerSource,
        tell: Tell<'_>,
    ) -> Result<Received, Error> {
        DirectoryStore::create(self.local.root())?;
        let diff_ids = &config.parsed().rootfs.diff_ids;
        let known = self.known(diff_ids)?;
        Ok(Received {
            references: Vec::new(),
            layers: self.local.take_layers(diff_ids, source, &known, tell)?,
            config: config.clone(),
            manifest: None,
            ids: Vec::new(),
        })
    }

    fn known(&self, diff_ids: &[Digest]) -> Result<KnownLayers, Error> {
        let mut known = KnownLayers::default();
        // What lies elsewhere already comes last, so that it wins: it need not be sent.
        let sides = [Some(&self.local as &dyn Remote), self.remote.as_deref()];
        for side in sides.into_iter().flatten() {
            for packed in side.layers(diff_ids)?.into_values() {
                known.add(&packed);
            }
        }
        Ok(known)
    }

    /// Keeps a record, whose image was put before, and makes the pointer to it; then reads both back.
    ///
    /// The same run may do so again, for instance after it was killed: what it kept the first time is the answer then.
    ///
    /// # Errors
    /// [`Error::Taken`] when the same run kept a record of another image under this name; or when the store fails.
    pub fn put_record(&self, record: &Record, progress: Progress<'_>) -> Result<Kept, Error> {
        if let Some(kept) = self.kept_before(record)? {
            return Ok(kept);
        }
        let artifact = self.artifact(record)?;
        let pointer = &artifact.pointer;
        match self.home().publish(&artifact, progress) {
            // Another process of the same run was quicker.
            Err(Error::Taken { .. }) if let Some(kept) = self.kept_before(record)? => {
                return Ok(kept);
            }
            published => published?,
        }
        let found = self.find(&pointer.artifact, Some(&pointer.run))?;
        let digest = found.record;
        if digest != pointer.record {
            return Err(Error::ReadBack {
                store: self.address().clone(),
                expected: pointer.record,
                found: digest,
            });
        }
        let record = self.record(&digest)?;
        Ok(Kept { digest, record })
    }

    fn kept_before(&self, record: &Record) -> Result<Option<Kept>, Error> {
        let wanted = Wanted {
            artifact: Some(record.artifact.clone()),
            run: Some(record.source.run.clone()),
        };
        let Some(pointer) = self.home().pointers(&wanted)?.pop() else {
            return Ok(None);
        };
        match self.record(&pointer.record) {
            Ok(held) if held.is_same_hand_off(record) => Ok(Some(Kept {
                digest: pointer.record,
                record: held,
            })),
            Ok(_) => Err(Error::taken(
                &pointer,
                record.digest().map_err(self.failed())?,
            )),
            Err(error) => Err(error),
        }
    }

    /// What a record leads to, as far as it is here.
    fn artifact(&self, record: &Record) -> Result<Artifact, Error> {
        let bytes = record.to_bytes().map_err(self.failed())?;
        let layout = self.local.layout();
        let bring = |_: &Digest, blob: &Descriptor| match layout.layer(blob) {
            Err(ImageError::Missing { .. }) if self.remote.is_some() => {
                Ok(Extent::deferred(blob.size, absent()))
            }
            found => found,
        };
        let image = layout
            .image_with(
                &record.image.manifest.digest,
                record.references.clone(),
                bring,
            )
            .map_err(self.failed())?;
        self.same_config(&image, record)?;
        let manifest = image
            .manifest
            .clone()
            .ok_or_else(|| self.failed()(missing(layout, "the manifest")))?;
        let layers = image.layers.iter().map(|layer| {
            let blob = layer.blob.clone();
            let blob = blob.ok_or_else(|| self.failed()(missing(layout, "a layer's blob")))?;
            let has_bytes = layout.blobs().size(&blob.digest) == Some(blob.size);
            Ok(ArtifactLayer {
                packed: barge_image::PackedLayer {
                    diff_id: layer.diff_id,
                    plain_size: layer.noted_plain_size().unwrap_or(blob.size),
                    blob,
                },
                content: has_bytes.then(|| layer.content.clone()),
            })
        });
        Ok(Artifact {
            layers: layers.collect::<Result<_, Error>>()?,
            pointer: Pointer {
                artifact: record.artifact.clone(),
                run: record.source.run.clone(),
                record: Digest::of(&bytes),
                expires: record.expires,
            },
            record: bytes,
            references: image.references,
            manifest,
            config: image.config,
        })
    }

    /// Reads a record by its digest.
    ///
    /// # Errors
    /// When it is not there, was changed, or is of another version.
    pub fn record(&self, digest: &Digest) -> Result<Record, Error> {
        let Some(bytes) = self.home().record(digest)? else {
            let held = self.list(&Wanted::default())?;
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

    /// Finds an artifact by name. Without a run it must be the only one of that name: the newest is never guessed (R25).
    ///
    /// # Errors
    /// When there is none, or more than one and no run was named.
    pub fn find(&self, name: &ArtifactName, run: Option<&Run>) -> Result<Pointer, Error> {
        let wanted = Wanted {
            artifact: Some(name.clone()),
            run: run.cloned(),
        };
        let mut found = self.list(&wanted)?;
        match found.len() {
            1 => Ok(found.swap_remove(0)),
            0 => {
                let wanted =
                    run.map_or_else(|| name.to_string(), |run| format!("{name} of run {run}"));
                let held = self.list(&Wanted::default())?;
                let held = held.iter().map(ToString::to_string);
                Err(Error::NoSuchArtifact {
                    store: self.address().clone(),
                    wanted,
                    held: held.collect(),
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
    pub fn list(&self, wanted: &Wanted) -> Result<Vec<Pointer>, Error> {
        let mut pointers = self.home().pointers(wanted)?;
        pointers.sort_by(|a, b| (&a.artifact, &a.run).cmp(&(&b.artifact, &b.run)));
        Ok(pointers)
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

    fn same_config(&self, image: &Image, record: &Record) -> Result<(), Error> {
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

    fn failed(&self) -> impl FnOnce(ImageError) -> Error + use<> {
        let store = self.address().clone();
        move |source| Error::content(&store, source)
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

fn missing(layout: &Layout, what: &str) -> ImageError {
    ImageError::Missing {
        path: layout.root().to_owned(),
        what: what.to_owned(),
    }
}

fn absent() -> barge_image::Bring {
    Box::new(|| Err(io::ErrorKind::NotFound.into()))
}
