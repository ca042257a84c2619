//! Removing what nobody needs any more: expired artifacts, then blobs that no artifact leads to (mark and sweep).
//!
//! Safe beside writers, without a lock on the store: blobs are listed before pointers are read, so that a blob put
//! meanwhile is not on the list; and one that a writer relies on is marked as used, which a sweep respects until the grace
//! period is over. A save must be done within the grace period.

use std::collections::BTreeSet;

use barge_image::DOCUMENT_LIMIT;
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
    let (expired, mut kept) = by_time(store, what)?;
    let mut removed = Ok(());
    if !what.dry_run {
        removed = remove(store, &expired);
        // What could not be removed keeps its blobs.
        kept = store.pointers(&Wanted::default())?;
    }
    if let Some(housekeeping) = housekeeping {
        let needed = mark(store, housekeeping, kept, &mut collected)?;
        sweep(housekeeping, held, &needed, what, &mut collected)?;
    }
    if removed.is_err() {
        // On a full disk a pointer goes but not its name in `index.json`: now there is room.
        remove(store, &expired)?;
    }
    collected.expired = expired;
    Ok(collected)
}

/// Pointers that are over their time, and the others.
fn by_time(store: &dyn Remote, what: &Collect) -> Result<(Vec<Pointer>, Vec<Pointer>), Error> {
    let is_over = |pointer: &Pointer| pointer.expires.is_some_and(|expires| expires <= what.now);
    let pointers = store.pointers(&Wanted::default())?;
    Ok(pointers.into_iter().partition(is_over))
}

/// Removes as many as possible, and gives the first error.
fn remove(store: &dyn Remote, pointers: &[Pointer]) -> Result<(), Error> {
    let removed = pointers.iter().map(|pointer| store.remove(pointer));
    removed.fold(Ok(()), Result::and)
}

/// The blobs that pointers and other roots lead to.
fn mark(
    store: &dyn Remote,
    housekeeping: &dyn Housekeeping,
    pointers: Vec<Pointer>,
    collected: &mut Collected,
) -> Result<BTreeSet<Digest>, Error> {
    let seen = BTreeSet::new();
    let mut marks = Marks { store, seen };
    for pointer in pointers {
        if !marks.record(&pointer.record)? {
            collected.broken.push(pointer);
        }
    }
    for root in housekeeping.roots()? {
        let manifest = Descriptor::new(MediaType::MANIFEST, root, DOCUMENT_LIMIT);
        marks.manifest(&root, &manifest)?;
    }
    Ok(marks.seen)
}

fn sweep(
    housekeeping: &dyn Housekeeping,
    held: Vec<HeldBlob>,
    needed: &BTreeSet<Digest>,
    what: &Collect,
    collected: &mut Collected,
) -> Result<(), Error> {
    let before = what.now.saturating_sub(what.grace);
    let before = before.unwrap_or(Timestamp::MIN);
    for blob in held {
        if needed.contains(&blob.digest) {
            collected.needed += 1;
        } else if blob.touched <= before && (what.dry_run || housekeeping.discard(&blob)?) {
            collected.blobs.push(blob);
        } else {
            collected.young += 1;
        }
    }
    if what.dry_run {
        return Ok(());
    }
    housekeeping.tidy(before)
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
