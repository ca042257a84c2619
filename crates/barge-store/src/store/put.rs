//! Putting: layers go into the folder, unless they are known, and what a record leads to where the store is.

use std::io;

use barge_image::archive::{Received, legacy_names};
use barge_image::image::LayerSource;
use barge_image::{
    Descriptor, Digest, Error as ImageError, Extent, Image, PackedLayer, RawConfig, Record,
};

use super::read::missing;
use super::{Kept, Store};
use crate::directory::{DirectorySink, DirectoryStore, KnownLayers, Tell, suits};
use crate::error::Error;
use crate::pointer::Pointer;
use crate::registry::Progress;
use crate::remote::{Artifact, ArtifactLayer, Remote, Wanted};

impl Store {
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
            let held = side.layers(diff_ids, self.until)?.into_values();
            held.filter(|packed| suits(self.packing, &packed.blob.media_type))
                .for_each(|packed| known.add(&packed));
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
            if let Some(remote) = &self.remote {
                // What it lost meanwhile was packed again, and is put where it belongs.
                remote.publish(&self.artifact(&kept.record)?, progress)?;
            }
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
        let Some(pointer) = self.home().pointers(&wanted)?.whole()?.pop() else {
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
                packed: PackedLayer {
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
}

fn absent() -> barge_image::Bring {
    Box::new(|| Err(io::ErrorKind::NotFound.into()))
}
