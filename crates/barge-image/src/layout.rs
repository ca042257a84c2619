//! An OCI image layout in a folder that barge writes (OCI image-spec, image-layout): `oci-layout`, `index.json`, blobs.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::blobs::{Blobs, write_file};
use crate::config::RawConfig;
use crate::digest::Digest;
use crate::error::Error;
use crate::extent::Extent;
use crate::image::{Image, Layer, RawManifest};
use crate::manifest::{Descriptor, Index, Manifest};
use crate::media_type::MediaType;
use crate::pack::PackedLayer;
use crate::reference::Reference;

/// A layout folder. Writers of one layout must not run at once; readers may, at any time.
#[derive(Debug, Clone)]
pub struct Layout {
    root: Utf8PathBuf,
    blobs: Blobs,
}

impl Layout {
    /// Opens a layout, making what is not there yet.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn create(root: &Utf8Path) -> Result<Self, Error> {
        let layout = Self::at(root);
        layout.blobs.create()?;
        let marker = root.join("oci-layout");
        if !marker.exists() {
            write_file(&marker, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        }
        if !root.join("index.json").exists() {
            layout.write_index(Vec::new())?;
        }
        Ok(layout)
    }

    /// A layout that may or may not be there, without touching the disk.
    #[must_use]
    pub fn at(root: &Utf8Path) -> Self {
        Self {
            root: root.to_owned(),
            blobs: Blobs::of_layout(root),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Its blobs.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// The manifests that `index.json` lists; none when there is no such file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn index(&self) -> Result<Vec<Descriptor>, Error> {
        let path = self.root.join("index.json");
        match fs::read(&path) {
            Ok(bytes) => {
                let index: Index =
                    serde_json::from_slice(&bytes).map_err(Error::document("index", &path))?;
                Ok(index.manifests)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::file("read", path)(error)),
        }
    }

    /// Replaces the list of manifests.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write_index(&self, manifests: Vec<Descriptor>) -> Result<(), Error> {
        let path = self.root.join("index.json");
        let bytes =
            serde_json::to_vec(&Index::new(manifests)).map_err(Error::document("index", &path))?;
        write_file(&path, &bytes)
    }

    /// Lists an image under its names, each of which moves from the image that had it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn name(&self, manifest: &Descriptor, references: &[Reference]) -> Result<(), Error> {
        let mut manifests = self.index()?;
        for reference in references {
            let name = reference.to_string();
            manifests.retain(|found| found.name() != Some(&name));
            manifests.push(manifest.named(reference));
        }
        self.write_index(manifests)
    }

    /// Stores config and manifest of an image whose layers are blobs already, and returns the manifest's descriptor.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn put_image(
        &self,
        config: &RawConfig,
        layers: &[PackedLayer],
    ) -> Result<Descriptor, Error> {
        self.blobs.put(config.bytes())?;
        let blobs = layers.iter().map(|layer| layer.blob.clone()).collect();
        let manifest = Manifest::new(Descriptor::of(MediaType::CONFIG, config.bytes()), blobs);
        let bytes =
            serde_json::to_vec(&manifest).map_err(Error::document("manifest", &self.root))?;
        self.blobs.put(&bytes)?;
        let platform = Some(config.parsed().platform());
        Ok(Descriptor {
            platform,
            ..Descriptor::of(MediaType::MANIFEST, &bytes)
        })
    }

    /// Stores config and manifest of an image as they were received, when its layers are blobs already.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn put_raw_image(
        &self,
        config: &RawConfig,
        manifest: &RawManifest,
    ) -> Result<Descriptor, Error> {
        self.blobs.put(config.bytes())?;
        self.blobs.put(&manifest.bytes)?;
        Ok(Descriptor {
            platform: Some(config.parsed().platform()),
            ..manifest.descriptor()
        })
    }

    /// Opens the image of a manifest. Documents are compared with their digests, layers when they are read.
    ///
    /// # Errors
    /// When something is missing or broken.
    pub fn image(&self, manifest: &Digest, references: Vec<Reference>) -> Result<Image, Error> {
        self.image_with(manifest, references, |_, blob| self.layer(blob))
    }

    /// The bytes of a layer's blob, which must have the length that its descriptor states.
    ///
    /// # Errors
    /// When it is missing or of another length.
    pub fn layer(&self, blob: &Descriptor) -> Result<Extent, Error> {
        let content = self.blobs.open(&blob.digest)?;
        let content = content.ok_or_else(|| self.missing(&format!("layer {}", blob.digest)))?;
        blob.expect_size(content.len())?;
        Ok(content)
    }

    /// As [`Self::image`], with layers that come from where the caller says, by diff_id and blob.
    ///
    /// # Errors
    /// As [`Self::image`].
    pub fn image_with(
        &self,
        manifest: &Digest,
        references: Vec<Reference>,
        layer: impl Fn(&Digest, &Descriptor) -> Result<Extent, Error>,
    ) -> Result<Image, Error> {
        let bytes = self.document("manifest", manifest)?;
        let parsed: Manifest =
            serde_json::from_slice(&bytes).map_err(Error::document("manifest", &self.root))?;
        let config = self.document("config", &parsed.config.digest)?;
        let config = RawConfig::parse(config).map_err(Error::document("config", &self.root))?;
        let diff_ids = config.parsed().rootfs.diff_ids.clone();
        if diff_ids.len() != parsed.layers.len() {
            return Err(Error::LayerCount {
                layers: parsed.layers.len(),
                diff_ids: diff_ids.len(),
            });
        }
        let layers = diff_ids
            .into_iter()
            .zip(parsed.layers)
            .map(|(diff_id, blob)| {
                let content = layer(&diff_id, &blob)?;
                Ok(Layer {
                    diff_id,
                    blob: Some(blob),
                    content,
                })
            });
        let layers = layers.collect::<Result<_, Error>>()?;
        let media_type = if parsed.media_type == MediaType::default() {
            MediaType::MANIFEST
        } else {
            parsed.media_type
        };
        Ok(Image {
            references,
            config,
            manifest: Some(RawManifest { media_type, bytes }),
            layers,
        })
    }

    /// A small blob that must be there and have its digest.
    ///
    /// # Errors
    /// When it is missing, too large or changed.
    pub fn document(&self, what: &'static str, digest: &Digest) -> Result<Vec<u8>, Error> {
        let extent = self
            .blobs
            .open(digest)?
            .ok_or_else(|| self.missing(&format!("{what} {digest}")))?;
        let bytes = extent.document(what, &self.blobs.path(digest))?;
        let found = Digest::of(&bytes);
        if found == *digest {
            return Ok(bytes);
        }
        Err(Error::Digest {
            what: format!("the {what}"),
            expected: *digest,
            found,
        })
    }

    fn missing(&self, what: &str) -> Error {
        Error::Missing {
            path: self.root.clone(),
            what: what.to_owned(),
        }
    }
}
