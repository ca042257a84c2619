//! A repository of a registry as a store of artifacts.
//!
//! An artifact is a real image under the tag `NAME.RUN-ATTEMPT`, which any engine can pull, and a hand-off record that
//! refers to it (distribution-spec 1.1, "referrers") under the tag `NAME.RUN-ATTEMPT.record`. That second tag is the
//! pointer. Registries cannot make a tag only if it is not there: barge looks before and reads back after, so two
//! writers of one name, run and attempt may both succeed, and the later one is kept. The record's digest, which the jobs
//! hand on, still says which artifact was meant.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::{Mutex, PoisonError};

use barge_image::media_type::DocumentKind;
use barge_image::record::{RECORD_LIMIT, Run};
use barge_image::{
    Descriptor, Digest, Manifest, MediaType, PackedLayer, RawConfig, RawManifest, Reference,
    RepositoryName,
};
use jiff::Timestamp;

use super::error::Error;
use super::manifests::Target;
use super::progress::Progress;
use super::push::Blob;
use super::record::RecordManifest;
use super::upload::Content;
use super::{Registry, RegistryOptions};
use crate::address::StoreAddress;
use crate::error::Error as StoreError;
use crate::parallel::for_each;
use crate::pointer::Pointer;
use crate::remote::{Artifact, Listing, Remote, Wanted};

/// What the tag of a record ends with.
const RECORD_SUFFIX: &str = ".record";
/// The longest tag (distribution-spec 1.1, "Pulling manifests").
const TAG_LIMIT: usize = 128;
/// How much of a digest stands for what was cut off a name.
const CUT_DIGITS: usize = 16;
/// How many of the newest artifacts are asked which layers they have. A layer that is not found there is packed again,
/// which gives the same blob, and that is not sent again.
const RECENT: usize = 8;

/// A repository that holds artifacts.
#[derive(Debug)]
pub struct RegistryStore {
    registry: Registry,
    name: RepositoryName,
    address: StoreAddress,
    known: Mutex<Option<BTreeMap<Digest, Descriptor>>>,
}

impl RegistryStore {
    /// Prepares to use a repository; the registry is not asked yet.
    ///
    /// # Errors
    /// When a proxy or a file of certificates cannot be used.
    pub fn new(name: RepositoryName, mut options: RegistryOptions) -> Result<Self, StoreError> {
        // A mirror may be behind, and a pointer that is not seen is a pointer made twice.
        options.mirrors.remove(name.registry());
        let address = StoreAddress::Registry(name.clone());
        let registry = Registry::new(options).map_err(failed(&address))?;
        Ok(Self {
            registry,
            name,
            address,
            known: Mutex::new(None),
        })
    }

    fn failed(&self) -> impl FnOnce(Error) -> StoreError {
        failed(&self.address)
    }

    fn tagged(&self, tag: &str) -> Result<Reference, Error> {
        let tag = tag.parse().map_err(|_| Error::Tag(tag.to_owned()))?;
        Ok(self.name.with_tag(tag))
    }

    /// The record's manifest under a tag; `None` when there is none, or something else.
    fn record_at(&self, tag: &str) -> Result<Option<(Descriptor, RecordManifest)>, Error> {
        match self.registry.manifest(&self.tagged(tag)?) {
            Ok(found) => {
                let parsed = serde_json::from_slice(&found.bytes).ok();
                let parsed = parsed.filter(RecordManifest::is_one);
                Ok(parsed.map(|parsed| (found.descriptor(), parsed)))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the pointer is there already.
    fn is_made(&self, pointer: &Pointer) -> Result<bool, StoreError> {
        let found = self.record_at(&record_tag(pointer));
        let found = found.map_err(self.failed())?;
        let held = found.and_then(|(_, manifest)| manifest.record().map(|held| held.digest));
        match held {
            None => Ok(false),
            Some(held) if held == pointer.record => Ok(true),
            Some(held) => Err(StoreError::Taken {
                name: pointer.artifact.clone(),
                run: pointer.run.clone(),
                held,
                wanted: pointer.record,
            }),
        }
    }

    fn put_blobs(&self, artifact: &Artifact, progress: Progress<'_>) -> Result<(), StoreError> {
        let config = artifact.config.bytes();
        let config = Blob {
            descriptor: Descriptor::of(MediaType::CONFIG, config),
            content: Content::Bytes(config),
        };
        let layers = artifact.layers.iter();
        let layers = layers.filter_map(|layer| {
            Some(Blob {
                descriptor: layer.packed.blob.clone(),
                content: Content::File(layer.content.clone()?),
            })
        });
        let blobs: Vec<Blob<'_>> = std::iter::once(config).chain(layers).collect();
        for_each(&blobs, |blob, _| {
            self.registry.put(&self.name, blob, &[], progress)
        })
        .map_err(self.failed())?;
        let relied = artifact.layers.iter();
        let relied: Vec<_> = relied.filter(|layer| layer.content.is_none()).collect();
        for_each(&relied, |layer, _| {
            let found = self.registry.has_blob(&self.name, &layer.packed.blob);
            match found.map_err(self.failed())? {
                true => Ok(()),
                false => Err(StoreError::Vanished {
                    store: self.address.clone(),
                    diff_id: layer.packed.diff_id,
                }),
            }
        })
    }

    /// Puts the image under its tag, the record with the image as its subject, and last the record's tag.
    fn put_manifests(&self, artifact: &Artifact) -> Result<(), Error> {
        let pointer = &artifact.pointer;
        let image = self.tagged(&image_tag(pointer))?;
        let subject = self.registry.put_manifest(&image, &artifact.manifest)?;
        let empty = self
            .registry
            .put_blob(&self.name, MediaType::EMPTY, b"{}")?;
        let record = self
            .registry
            .put_blob(&self.name, MediaType::RECORD, &artifact.record)?;
        let manifest = RecordManifest::new(empty, record, subject.clone(), pointer);
        let manifest = manifest.to_raw()?;
        self.registry
            .attach(&self.name, &subject, &MediaType::RECORD, &manifest)?;
        let tag = self.tagged(&record_tag(pointer))?;
        self.registry.put_manifest(&tag, &manifest)?;
        Ok(())
    }

    /// The tags of pointers, as far as tags can tell whether they are wanted.
    fn record_tags(&self, wanted: &Wanted) -> Result<Vec<String>, Error> {
        let tags = match self.registry.tags(&self.name) {
            Ok(tags) => tags,
            // A repository comes into being with its first blob.
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let start = wanted.artifact.as_ref().map(|name| {
            let start = format!("{name}.");
            start[..start.len().min(TAG_LIMIT / 2)].to_owned()
        });
        let tags = tags.iter().map(ToString::to_string);
        Ok(tags
            .filter(|tag| tag.ends_with(RECORD_SUFFIX))
            .filter(|tag| start.as_ref().is_none_or(|start| tag.starts_with(start)))
            .collect())
    }

    fn records(&self, tags: &[String]) -> Result<Vec<(Descriptor, RecordManifest)>, Error> {
        let found = Mutex::new(Vec::new());
        for_each(tags, |tag, _| {
            let record = self.record_at(tag)?;
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.extend(record);
            Ok::<_, Error>(())
        })?;
        Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// The layers of the newest artifacts.
    fn recent_layers(&self) -> Result<BTreeMap<Digest, Descriptor>, Error> {
        let mut tags = self.record_tags(&Wanted::default())?;
        tags.sort_by_key(|tag| std::cmp::Reverse(run_of(tag)));
        tags.truncate(RECENT);
        let mut images: Vec<Digest> = self
            .records(&tags)?
            .into_iter()
            .filter_map(|(_, record)| Some(record.subject?.digest))
            .collect();
        images.sort_unstable();
        images.dedup();
        let layers = Mutex::new(BTreeMap::new());
        for_each(&images, |image, _| {
            let found = self.image_layers(image)?;
            let mut layers = layers.lock().unwrap_or_else(PoisonError::into_inner);
            layers.extend(found);
            Ok::<_, Error>(())
        })?;
        Ok(layers.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// The layers of one image by diff_id; none when it is no image of one platform, or gone by now.
    fn image_layers(&self, image: &Digest) -> Result<Vec<(Digest, Descriptor)>, Error> {
        let manifest = match self
            .registry
            .fetch_manifest(&self.name, &Target::Digest(*image))
        {
            Ok(manifest) => manifest,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&manifest.bytes) else {
            return Ok(Vec::new());
        };
        let config = self.registry.document(
            &self.name,
            &manifest.config.digest,
            barge_image::DOCUMENT_LIMIT,
        )?;
        let config = config.and_then(|bytes| RawConfig::parse(bytes).ok());
        let diff_ids = config.map(|config| config.parsed().rootfs.diff_ids.clone());
        let diff_ids = diff_ids.filter(|diff_ids| diff_ids.len() == manifest.layers.len());
        let diff_ids = diff_ids.unwrap_or_default();
        Ok(diff_ids.into_iter().zip(manifest.layers).collect())
    }

    /// Those of the layers whose blobs are there.
    fn present(&self, layers: &[PackedLayer]) -> Result<BTreeMap<Digest, PackedLayer>, Error> {
        let present = Mutex::new(BTreeMap::new());
        for_each(layers, |layer, _| {
            if self.registry.has_blob(&self.name, &layer.blob)? {
                let mut present = present.lock().unwrap_or_else(PoisonError::into_inner);
                present.insert(layer.diff_id, layer.clone());
            }
            Ok::<_, Error>(())
        })?;
        Ok(present.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn lists_image(&self, image: &Digest) -> Result<bool, Error> {
        let tags = self.record_tags(&Wanted::default())?;
        let records = self.records(&tags)?;
        Ok(records.iter().any(|(_, record)| {
            record
                .subject
                .as_ref()
                .is_some_and(|subject| subject.digest == *image)
        }))
    }

    fn remove_all(&self, pointer: &Pointer) -> Result<(), Error> {
        let Some((manifest, record)) = self.record_at(&record_tag(pointer))? else {
            return Ok(());
        };
        if record
            .record()
            .is_none_or(|held| held.digest != pointer.record)
        {
            return Ok(());
        }
        self.registry
            .delete_manifest(&self.name, &manifest.digest)?;
        let Some(subject) = record.subject else {
            return Ok(());
        };
        self.registry
            .detach(&self.name, &subject, &manifest.digest)?;
        if self.lists_image(&subject.digest)? {
            return Ok(());
        }
        self.registry.delete_manifest(&self.name, &subject.digest)
    }
}

impl Remote for RegistryStore {
    fn address(&self) -> &StoreAddress {
        &self.address
    }

    fn layers(
        &self,
        diff_ids: &[Digest],
        _until: Option<Timestamp>,
    ) -> Result<BTreeMap<Digest, PackedLayer>, StoreError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match &mut *known {
            Some(known) => known,
            empty => empty.insert(self.recent_layers().map_err(self.failed())?),
        };
        let named = diff_ids.iter().filter_map(|diff_id| {
            let blob = known.get(diff_id)?.clone();
            PackedLayer::described(*diff_id, blob)
        });
        // A manifest may outlive a layer that it names.
        let named: Vec<_> = named.collect();
        self.present(&named).map_err(self.failed())
    }

    fn publish(&self, artifact: &Artifact, progress: Progress<'_>) -> Result<(), StoreError> {
        let pointer = &artifact.pointer;
        let is_again = self.is_made(pointer)?;
        self.put_blobs(artifact, progress)?;
        // Somebody else may have been faster.
        if !is_again && self.is_made(pointer)? {
            return Ok(());
        }
        self.put_manifests(artifact).map_err(self.failed())?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if self.is_made(pointer)? {
            return Ok(());
        }
        Err(StoreError::Unconfirmed {
            store: self.address.clone(),
            record: pointer.record,
        })
    }

    fn pointers(&self, wanted: &Wanted) -> Result<Listing, StoreError> {
        let tags = match (&wanted.artifact, &wanted.run) {
            (Some(artifact), Some(run)) => {
                vec![format!("{}{RECORD_SUFFIX}", tag(artifact.as_str(), run))]
            }
            _ => self.record_tags(wanted).map_err(self.failed())?,
        };
        let records = self.records(&tags).map_err(self.failed())?;
        let pointers = records.iter().filter_map(|(_, record)| record.pointer());
        Ok(pointers.filter(|pointer| wanted.matches(pointer)).collect())
    }

    fn record(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let limit = RECORD_LIMIT as u64;
        self.registry
            .document(&self.name, digest, limit)
            .map_err(self.failed())
    }

    fn blob(
        &self,
        _record: &Digest,
        blob: &Descriptor,
    ) -> Result<Option<Box<dyn Read + Send + '_>>, StoreError> {
        let is_manifest = matches!(
            blob.media_type.kind(),
            DocumentKind::Manifest | DocumentKind::Index
        );
        let found: Result<Box<dyn Read + Send + '_>, Error> = if is_manifest {
            let manifest = self
                .registry
                .fetch_manifest(&self.name, &Target::Digest(blob.digest));
            manifest.map(|RawManifest { bytes, .. }| Box::new(Cursor::new(bytes)) as _)
        } else {
            let stream = self.registry.blob(&self.name, blob);
            stream.map(|stream| Box::new(stream) as _)
        };
        match found {
            Ok(reader) => Ok(Some(reader)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(self.failed()(error)),
        }
    }

    fn remove(&self, pointer: &Pointer) -> Result<(), StoreError> {
        self.remove_all(pointer).map_err(self.failed())
    }
}

fn failed(address: &StoreAddress) -> impl FnOnce(Error) -> StoreError {
    let store = address.clone();
    move |source| StoreError::Registry {
        store,
        source: Box::new(source),
    }
}

fn image_tag(pointer: &Pointer) -> String {
    tag(pointer.artifact.as_str(), &pointer.run)
}

fn record_tag(pointer: &Pointer) -> String {
    format!("{}{RECORD_SUFFIX}", image_tag(pointer))
}

/// `NAME.RUN-ATTEMPT`; of a name too long for a tag the end gives way to a digest of the whole.
fn tag(artifact: &str, run: &Run) -> String {
    let key = crate::pointer::run_key(run);
    let whole = format!("{artifact}.{key}");
    let limit = TAG_LIMIT - RECORD_SUFFIX.len();
    if whole.len() <= limit {
        return whole;
    }
    let digest = Digest::of(whole.as_bytes()).hex();
    let kept = limit - CUT_DIGITS - 1;
    format!("{}_{}", &whole[..kept], &digest[..CUT_DIGITS])
}

/// What orders tags by age: CI systems count their runs up.
fn run_of(tag: &str) -> (u64, u64) {
    let number = |text: &str| text.parse().unwrap_or(0);
    let key = tag.strip_suffix(RECORD_SUFFIX).unwrap_or(tag);
    let key = key.rsplit_once('.').map_or(key, |(_, key)| key);
    let (run, attempt) = key.rsplit_once('-').unwrap_or((key, ""));
    (number(run), number(attempt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_hold_names_and_runs() {
        let run = Run {
            id: "12/3".into(),
            attempt: 2,
        };
        assert_eq!(tag("image-pr-7", &run), "image-pr-7.12_3-2");
        assert_eq!(run_of("a.b.123-4.record"), (123, 4));
        let long = tag(&"x".repeat(128), &run);
        let other = Run {
            attempt: 3,
            ..run.clone()
        };
        assert_ne!(long, tag(&"x".repeat(128), &other));
        assert!(long.len() + RECORD_SUFFIX.len() <= TAG_LIMIT);
        assert!(
            format!("{long}{RECORD_SUFFIX}")
                .parse::<barge_image::Tag>()
                .is_ok()
        );
    }
}
