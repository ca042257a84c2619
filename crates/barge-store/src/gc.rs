//! Removing what nobody needs any more: expired artifacts, then blobs that no artifact leads to (mark and sweep).
//!
//! Safe beside writers, without a lock on the store: blobs are listed before pointers are read, so that a blob put
//! meanwhile is not on the list; and one that a writer relies on is marked as used, which a sweep respects until the grace
//! period is over. A save must be done within the grace period.

use std::collections::BTreeSet;

use barge_image::image::DOCUMENT_LIMIT;
use barge_image::{Descriptor, Digest, Document, MediaType, Record};
use jiff::{SignedDuration, Timestamp};

use crate::error::Error;
use crate::pointer::Pointer;
use crate::remote::{HeldBlob, Housekeeping, Remote, Wanted};

/// What to collect.
#[derive(Debug, Clone, Copy)]
pub struct Collect {
    /// The time.
    pub now: Timestamp,
    /// Blobs that were put or relied on more recently stay, whoever names them.
    pub grace: SignedDuration,
    /// Only tell what would go.
    pub dry_run: bool,
}

/// What a collection removed, or would have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Artifacts that were over their time.
    pub expired: Vec<Pointer>,
    /// Artifacts whose records are gone or broken: nothing can be kept for them.
    pub broken: Vec<Pointer>,
    /// Blobs that nothing leads to.
    pub blobs: Vec<HeldBlob>,
    /// Blobs that nothing leads to either, too young to go.
    pub young: usize,
    /// Blobs that artifacts need.
    pub needed: usize,
}

/// Collects. A store without housekeeping of its own only loses expired artifacts.
///
/// # Errors
/// When the store fails. What was removed until then is gone.
pub fn collect(store: &dyn Remote, what: &Collect) -> Result<Collected, Error> {
    let housekeeping = store.housekeeping();
    let held = housekeeping.map_or_else(|| Ok(Vec::new()), Housekeeping::blobs)?;
    let mut collected = Collected::default();
    let (expired, kept): (Vec<_>, Vec<_>) = store
        .pointers(&Wanted::default())?
        .into_iter()
        .partition(|pointer| pointer.expires.is_some_and(|expires| expires <= what.now));
    if !what.dry_run {
        expired
            .iter()
            .try_for_each(|pointer| store.remove(pointer))?;
    }
    collected.expired = expired;
    let Some(housekeeping) = housekeeping else {
        return Ok(collected);
    };
    let mut marks = Marks {
        store,
        seen: BTreeSet::new(),
    };
    for pointer in kept {
        if !marks.record(&pointer.record)? {
            collected.broken.push(pointer);
        }
    }
    for root in housekeeping.roots()? {
        marks.manifest(
            &root,
            &Descriptor::new(MediaType::MANIFEST, root, DOCUMENT_LIMIT),
        )?;
    }
    let before = what
        .now
        .saturating_sub(what.grace)
        .unwrap_or(Timestamp::MIN);
    let (needed, rest): (Vec<_>, Vec<_>) = held
        .into_iter()
        .partition(|blob| marks.seen.contains(&blob.digest));
    collected.needed = needed.len();
    for blob in rest {
        if blob.touched > before || !(what.dry_run || housekeeping.discard(&blob)?) {
            collected.young += 1;
        } else {
            collected.blobs.push(blob);
        }
    }
    if !what.dry_run {
        housekeeping.tidy(before)?;
    }
    Ok(collected)
}

/// What artifacts lead to.
struct Marks<'a> {
    store: &'a dyn Remote,
    seen: BTreeSet<Digest>,
}

impl Marks<'_> {
    /// Marks all that a record leads to; false when there is no such record that can be read.
    fn record(&mut self, digest: &Digest) -> Result<bool, Error> {
        self.seen.insert(*digest);
        let bytes = self.store.record(digest)?;
        let bytes = bytes.filter(|bytes| Digest::of(bytes) == *digest);
        let Some(record) = bytes.and_then(|bytes| Record::from_bytes(&bytes).ok()) else {
            return Ok(false);
        };
        self.seen.insert(record.image.config);
        self.manifest(digest, &record.image.manifest)?;
        Ok(true)
    }

    /// Marks a manifest or index and all that it names. What is missing or broken leads nowhere.
    fn manifest(&mut self, record: &Digest, descriptor: &Descriptor) -> Result<(), Error> {
        if !self.seen.insert(descriptor.digest) {
            return Ok(());
        }
        let Some(content) = self.store.blob(record, descriptor)? else {
            return Ok(());
        };
        let mut bytes = Vec::new();
        let limit = descriptor.size.min(DOCUMENT_LIMIT);
        std::io::Read::read_to_end(&mut std::io::Read::take(content, limit), &mut bytes).map_err(
            |source| Error::Read {
                store: self.store.address().clone(),
                what: format!("manifest {}", descriptor.digest),
                source,
            },
        )?;
        match Document::parse(&bytes) {
            Ok(Document::Manifest(manifest)) => {
                self.seen.insert(manifest.config.digest);
                self.seen
                    .extend(manifest.layers.iter().map(|layer| layer.digest));
                Ok(())
            }
            Ok(Document::Index(index)) => {
                let mut nested = index.manifests.iter();
                nested.try_for_each(|descriptor| self.manifest(record, descriptor))
            }
            Err(_) => Ok(()),
        }
    }
}
