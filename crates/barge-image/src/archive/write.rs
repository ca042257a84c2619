//! The hybrid archive: an OCI layout and docker's `manifest.json` over the same blobs.
//!
//! It is the one form that Docker 20.10, both stores of later Dockers and Podman load with all names. Layers that the
//! engine already has may be left out: docker looks a layer up by its chain before it opens its file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};

use serde::Serialize;

use crate::annotation::{IMAGE_NAME, REF_NAME};
use crate::archive::Passing;
use crate::digest::{Digest, Hasher};
use crate::error::Error;
use crate::files::blob_path;
use crate::image::{Image, Layer, RawManifest};
use crate::manifest::{Descriptor, Index, Manifest};
use crate::media_type::MediaType;
use crate::reference::Reference;
use crate::tar::{Entry, Writer};

/// How layers stand in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerForm {
    /// Inflated: what overlay2 daemons load fastest, and the only form that all of them load.
    Plain,
    /// As they are stored: what containerd stores load fastest, with the manifest kept to the byte.
    AsStored,
}

/// Writes an image as a hybrid archive under these names. Layers in `omit` are left out.
///
/// Layers are hashed as they pass; one that is not what config or manifest say breaks the archive off with an error, so
/// that no engine sees its end.
///
/// # Errors
/// When a layer cannot be read or is not what it should be, or the sink fails (as [`Error::File`] on `archive`).
pub fn write(
    image: &Image,
    references: &[Reference],
    form: LayerForm,
    omit: &BTreeSet<Digest>,
    sink: impl Write,
    progress: &dyn Fn(Passing),
) -> Result<(), Error> {
    let mut archive = Archive {
        writer: Writer::new(sink),
        progress,
    };
    let (manifest, layers) = manifest(image, form)?;
    archive.document("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    archive.document(&blob_path(&image.config.digest()), image.config.bytes())?;
    let mut written = BTreeSet::new();
    for (layer, blob) in image.layers.iter().zip(&layers) {
        if written.insert(blob.digest) && !omit.contains(&layer.diff_id) {
            archive.layer(layer, blob, form)?;
        }
    }
    let descriptor = manifest.descriptor();
    archive.document(&blob_path(&descriptor.digest), &manifest.bytes)?;
    archive.document("index.json", &index(&descriptor, references)?)?;
    archive.document(
        "manifest.json",
        &docker_manifest(image, references, &layers)?,
    )?;
    archive
        .writer
        .finish()
        .map_err(sink_error)?
        .flush()
        .map_err(sink_error)
}

/// The manifest that [`write()`] puts into an archive of this form: what a containerd store takes for the image's ID.
///
/// # Errors
/// When a layer whose plain length nobody wrote down cannot be read.
pub fn written_manifest(image: &Image, form: LayerForm) -> Result<Descriptor, Error> {
    manifest(image, form).map(|(manifest, _)| manifest.descriptor())
}

/// The manifest to be written and the blobs it lists: the received one if it fits the form, else one of our own.
fn manifest(image: &Image, form: LayerForm) -> Result<(RawManifest, Vec<Descriptor>), Error> {
    let stored: Option<Vec<_>> = image
        .layers
        .iter()
        .map(|layer| layer.blob.clone())
        .collect();
    if let (Some(raw), Some(blobs)) = (&image.manifest, stored) {
        let fits = form == LayerForm::AsStored
            || blobs
                .iter()
                .zip(&image.layers)
                .all(|(b, l)| b.digest == l.diff_id);
        if fits {
            return Ok((raw.clone(), blobs));
        }
    }
    let plain = |layer: &Layer| {
        Ok(Descriptor::new(
            MediaType::LAYER,
            layer.diff_id,
            layer.plain_size()?,
        ))
    };
    let layers = image
        .layers
        .iter()
        .map(plain)
        .collect::<Result<Vec<_>, Error>>()?;
    let config = Descriptor::of(MediaType::CONFIG, image.config.bytes());
    let bytes = json(&Manifest::new(config, layers.clone()))?;
    Ok((
        RawManifest {
            media_type: MediaType::MANIFEST,
            bytes,
        },
        layers,
    ))
}

struct Archive<'a, W> {
    writer: Writer<W>,
    progress: &'a dyn Fn(Passing),
}

impl<W: Write> Archive<'_, W> {
    fn document(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        self.writer
            .file(&Entry::file(path, bytes.len() as u64), bytes)
            .map_err(sink_error)
    }

    fn layer(&mut self, layer: &Layer, blob: &Descriptor, form: LayerForm) -> Result<(), Error> {
        (self.progress)(Passing::Layer { size: blob.size });
        // A docker archive's layers are plain by nature; a stored blob without a manifest has no other digest.
        if form == LayerForm::AsStored && layer.blob.is_some() {
            let mut stored = Hashed {
                inner: layer.content.reader(),
                hasher: Hasher::new(),
            };
            self.content(blob, &mut stored)?;
            return stored.finish_as(&blob.digest);
        }
        let mut plain = layer.plain()?;
        self.content(blob, &mut plain)?;
        plain.finish()
    }

    fn content(&mut self, blob: &Descriptor, content: impl Read) -> Result<(), Error> {
        let entry = Entry::file(blob_path(&blob.digest), blob.size);
        let counted = Counted {
            inner: content,
            progress: self.progress,
        };
        self.writer.file(&entry, counted).map_err(sink_error)
    }
}

struct Hashed<R> {
    inner: R,
    hasher: Hasher,
}

impl<R> Hashed<R> {
    fn finish_as(self, expected: &Digest) -> Result<(), Error> {
        let found = self.hasher.finish();
        if found == *expected {
            return Ok(());
        }
        Err(Error::Digest {
            what: "a layer".into(),
            expected: *expected,
            found,
        })
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

struct Counted<'a, R> {
    inner: R,
    progress: &'a dyn Fn(Passing),
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        (self.progress)(Passing::Bytes(read as u64));
        Ok(read)
    }
}

fn index(manifest: &Descriptor, references: &[Reference]) -> Result<Vec<u8>, Error> {
    let named = |reference: &Reference| {
        let name = reference.to_string();
        // Both keys carry the full name: containerd reads the first, podman the second.
        let annotations = BTreeMap::from([
            (IMAGE_NAME.to_owned(), name.clone()),
            (REF_NAME.to_owned(), name),
        ]);
        Descriptor {
            annotations,
            ..manifest.clone()
        }
    };
    let manifests = if references.is_empty() {
        vec![manifest.clone()]
    } else {
        references.iter().map(named).collect()
    };
    json(&Index::new(manifests))
}

fn docker_manifest(
    image: &Image,
    references: &[Reference],
    layers: &[Descriptor],
) -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Entry {
        config: String,
        repo_tags: Vec<String>,
        layers: Vec<String>,
    }
    json(&[Entry {
        config: blob_path(&image.config.digest()),
        repo_tags: references.iter().map(ToString::to_string).collect(),
        layers: layers.iter().map(|blob| blob_path(&blob.digest)).collect(),
    }])
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(Error::document("document to be written", "archive"))
}

fn sink_error(source: io::Error) -> Error {
    Error::File {
        action: "write",
        path: "archive".into(),
        source,
    }
}
