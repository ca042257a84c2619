//! Whole images into a registry, under any number of names.

use std::collections::BTreeSet;
use std::io;

use barge_image::{
    Compression, Descriptor, Digest, Error as ImageError, Hasher, Image, Layer, Manifest,
    MediaType, RawManifest, Reference, RepositoryName,
};

use super::Registry;
use super::error::Error;
use super::manifests::Target;
use super::progress::{Progress, Transfer};
use super::upload::{Content, Upload};
use crate::parallel::for_each;

pub(super) struct Blob<'a> {
    pub(super) descriptor: Descriptor,
    pub(super) content: Content<'a>,
}

impl Registry {
    /// Puts an image under names: all of them, or, if one is refused, none. The manifest of the image is put as it is; an
    /// image without one, out of a docker archive, gets one over its layers as they lie. Blobs that a registry lacks in one
    /// repository are mounted from the image's other ones there and from `sources`, where they have them.
    ///
    /// # Errors
    /// When a registry refuses, or the image cannot be read. Blobs that were put until then stay; no name does, unless the
    /// error says so.
    pub fn push(
        &self,
        image: &Image,
        references: &[Reference],
        sources: &[RepositoryName],
        progress: Progress<'_>,
    ) -> Result<Descriptor, Error> {
        let (manifest, blobs) = parts(image)?;
        let mut done: Vec<RepositoryName> = Vec::new();
        for reference in references {
            let name = reference.name();
            if done.contains(name) {
                continue;
            }
            let own = image.references.iter().map(Reference::name);
            let known = done.iter().chain(sources).chain(own);
            let mut seen = BTreeSet::from([name]);
            let sources = known.filter(|source| source.registry() == name.registry());
            let sources: Vec<_> = sources
                .filter(|source| seen.insert(source))
                .cloned()
                .collect();
            for_each(&blobs, |blob, _| self.put(name, blob, &sources, progress))
                .map_err(Error::push(reference))?;
            // A repository that takes no manifest is found out before any name moves.
            let target = Target::Digest(manifest.descriptor().digest);
            self.put_at(name, &target, &manifest)
                .map_err(Error::push(reference))?;
            done.push(name.clone());
        }
        self.name(references, &manifest)?;
        Ok(manifest.descriptor())
    }

    /// Moves names to a manifest that is there already; if one is refused, those that moved are moved back.
    fn name(&self, references: &[Reference], manifest: &RawManifest) -> Result<(), Error> {
        let mut moved: Vec<(&Reference, Option<RawManifest>)> = Vec::new();
        for reference in references {
            let before = self.named_before(reference);
            let named = before.and_then(|before| {
                moved.push((reference, before));
                self.name_one(reference, manifest)
            });
            let Err(error) = named else { continue };
            let left = moved.iter().rev().filter(|(reference, before)| {
                let back = self.name_back(reference, before.as_ref(), manifest);
                back.is_err()
            });
            let left = left.map(|(reference, _)| (*reference).clone()).collect();
            return Err(Error::Push {
                reference: reference.clone(),
                left,
                source: Box::new(error),
            });
        }
        Ok(())
    }

    fn named_before(&self, reference: &Reference) -> Result<Option<RawManifest>, Error> {
        match self.manifest(reference) {
            Ok(manifest) => Ok(Some(manifest)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Names a manifest, and reads back what the name stands for then.
    fn name_one(&self, reference: &Reference, manifest: &RawManifest) -> Result<(), Error> {
        let expected = self.put_manifest(reference, manifest)?.digest;
        let found = self.head(reference)?.map(|found| found.digest);
        if found == Some(expected) {
            return Ok(());
        }
        Err(Error::Unconfirmed {
            reference: reference.clone(),
            expected,
            found,
        })
    }

    /// Gives a name back to what it stood for, unless somebody else has moved it meanwhile.
    fn name_back(
        &self,
        reference: &Reference,
        before: Option<&RawManifest>,
        pushed: &RawManifest,
    ) -> Result<(), Error> {
        let pushed = pushed.descriptor().digest;
        let now = self.head(reference)?.map(|now| now.digest);
        match before {
            _ if now != Some(pushed) => Ok(()),
            Some(before) if before.descriptor().digest == pushed => Ok(()),
            Some(before) => self.put_manifest(reference, before).map(drop),
            None => self.delete_tag(reference),
        }
    }

    /// Puts bytes in memory as a blob.
    ///
    /// # Errors
    /// When the registry refuses.
    pub fn put_blob(
        &self,
        name: &RepositoryName,
        media_type: MediaType,
        bytes: &[u8],
    ) -> Result<Descriptor, Error> {
        let descriptor = Descriptor::of(media_type, bytes);
        let content = Content::Bytes(bytes);
        let blob = Blob {
            descriptor,
            content,
        };
        self.put(name, &blob, &[], &|_| ())?;
        Ok(blob.descriptor)
    }

    pub(super) fn put(
        &self,
        name: &RepositoryName,
        blob: &Blob<'_>,
        sources: &[RepositoryName],
        progress: Progress<'_>,
    ) -> Result<(), Error> {
        let (digest, size) = (blob.descriptor.digest, blob.descriptor.size);
        progress(Transfer::Started { digest, size });
        let endpoint = self.client.home(name.registry());
        let sent = |position| progress(Transfer::Reached { digest, position });
        let upload = Upload::new(
            &self.client,
            &endpoint,
            name,
            &blob.descriptor,
            &blob.content,
            sources,
            &sent,
        );
        let how = upload.run()?;
        progress(Transfer::Arrived { digest, how });
        Ok(())
    }
}

/// The manifest of an image, and the blobs that it names.
fn parts(image: &Image) -> Result<(RawManifest, Vec<Blob<'_>>), Error> {
    let layers = image.layers.iter().map(described);
    let layers = layers.collect::<Result<Vec<_>, Error>>()?;
    let manifest = match &image.manifest {
        Some(manifest) => manifest.clone(),
        None => made(image, &layers)?,
    };
    let mut blobs = Vec::new();
    let config = image.config.bytes();
    blobs.push(Blob {
        descriptor: Descriptor::of(MediaType::CONFIG, config),
        content: Content::Bytes(config),
    });
    let mut seen: BTreeSet<Digest> = BTreeSet::new();
    for (layer, descriptor) in image.layers.iter().zip(layers) {
        if layer.content.len() != descriptor.size {
            return Err(Error::Image(ImageError::Size {
                what: format!("layer {}", descriptor.digest),
                expected: descriptor.size,
                found: layer.content.len(),
            }));
        }
        if seen.insert(descriptor.digest) {
            let content = Content::File(layer.content.clone());
            blobs.push(Blob {
                descriptor,
                content,
            });
        }
    }
    Ok((manifest, blobs))
}

/// The blob of a layer; one that no manifest describes is hashed.
fn described(layer: &Layer) -> Result<Descriptor, Error> {
    if let Some(blob) = &layer.blob {
        return Ok(blob.clone());
    }
    let (digest, media_type) = match layer.compression()? {
        Compression::None => (layer.diff_id, MediaType::LAYER),
        Compression::Gzip => (hash(layer)?, MediaType::LAYER_GZIP),
        Compression::Zstd => (hash(layer)?, MediaType::LAYER_ZSTD),
    };
    Ok(Descriptor::new(media_type, digest, layer.content.len()))
}

fn hash(layer: &Layer) -> Result<Digest, Error> {
    struct Sink(Hasher);
    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut sink = Sink(Hasher::new());
    io::copy(&mut layer.content.reader(), &mut sink).map_err(|source| Error::Read {
        what: format!("layer {}", layer.diff_id),
        source,
    })?;
    Ok(sink.0.finish())
}

fn made(image: &Image, layers: &[Descriptor]) -> Result<RawManifest, Error> {
    let config = Descriptor::of(MediaType::CONFIG, image.config.bytes());
    let manifest = Manifest::new(config, layers.to_vec());
    let bytes = serde_json::to_vec(&manifest).map_err(|source| {
        Error::Image(ImageError::Document {
            what: "manifest",
            path: "the new image".into(),
            source,
        })
    })?;
    let media_type = MediaType::MANIFEST;
    Ok(RawManifest { media_type, bytes })
}
