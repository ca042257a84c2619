//! Deciding what goes, and removing it.

use std::collections::BTreeMap;

use barge_image::Digest;
use jiff::{SignedDuration, Timestamp};

use super::budget::Budget;
use super::mark::Marks;
use crate::error::Error;
use crate::pointer::Pointer;
use crate::remote::{HeldBlob, Housekeeping, Remote, Wanted};

/// What to collect.
#[derive(Debug, Clone, Copy)]
pub struct Collect {
    /// The time.
    pub now: Timestamp,
    /// Blobs that were put or relied on more recently stay, whoever names them; so do artifacts, whatever the budget.
    pub grace: SignedDuration,
    /// How much may stay.
    pub budget: Budget,
    /// Only tell what would go.
    pub dry_run: bool,
}

/// What a collection removed, or would have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Artifacts that were over their time.
    pub expired: Vec<Pointer>,
    /// Older artifacts for which the budget had no room.
    pub over_budget: Vec<Pointer>,
    /// Artifacts whose records are gone or were changed: nothing can be kept for them.
    pub broken: Vec<Pointer>,
    /// Blobs that nothing leads to.
    pub blobs: Vec<HeldBlob>,
    /// Blobs that nothing leads to either, too young to go.
    pub young: usize,
    /// Blobs that artifacts need.
    pub needed: usize,
}

impl Collect {
    /// What is younger is left alone.
    fn before(&self) -> Timestamp {
        let before = self.now.saturating_sub(self.grace);
        before.unwrap_or(Timestamp::MIN)
    }
}

/// Collects. A store without housekeeping of its own only loses expired artifacts.
///
/// # Errors
/// When nobody here knows what an artifact needs, since its pointer is broken or its record of another version
/// ([`Error::OtherVersion`]), and no blob is removed then; or when the store fails. What was removed until then is gone.
pub fn collect(store: &dyn Remote, what: &Collect) -> Result<Collected, Error> {
    let housekeeping = store.housekeeping();
    let held = housekeeping.map_or_else(|| Ok(Vec::new()), Housekeeping::blobs)?;
    let mut collected = Collected::default();
    let (expired, kept) = by_time(store, what)?;
    let (over_budget, mut kept) = what.budget.divide(store, kept, what.before())?;
    let mut removed = Ok(());
    if !what.dry_run {
        removed = remove(store, &expired).and(remove(store, &over_budget));
        // What could not be removed keeps its blobs.
        kept = store.pointers(&Wanted::default())?.whole()?;
    }
    if let Some(housekeeping) = housekeeping {
        let needed = mark(store, housekeeping, kept, &mut collected)?;
        sweep(housekeeping, held, &needed, what, &mut collected)?;
    }
    if removed.is_err() {
        // On a full disk a pointer goes but not its name in `index.json`: now there is room.
        remove(store, &expired)?;
        remove(store, &over_budget)?;
    }
    collected.expired = expired;
    collected.over_budget = over_budget;
    Ok(collected)
}

/// Pointers that are over their time, and the others.
fn by_time(store: &dyn Remote, what: &Collect) -> Result<(Vec<Pointer>, Vec<Pointer>), Error> {
    let pointers = store.pointers(&Wanted::default())?.whole()?;
    if store.expires_by_itself() {
        return Ok((Vec::new(), pointers));
    }
    let is_over = |pointer: &Pointer| pointer.expires.is_some_and(|expires| expires <= what.now);
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
) -> Result<BTreeMap<Digest, u64>, Error> {
    let mut marks = Marks::of(store);
    for pointer in pointers {
        if !marks.artifact(&pointer)? {
            collected.broken.push(pointer);
        }
    }
    let mut roots = housekeeping.roots()?.into_iter();
    roots.try_for_each(|root| marks.root(&root))?;
    Ok(marks.into_seen())
}

fn sweep(
    housekeeping: &dyn Housekeeping,
    held: Vec<HeldBlob>,
    needed: &BTreeMap<Digest, u64>,
    what: &Collect,
    collected: &mut Collected,
) -> Result<(), Error> {
    let before = what.before();
    for blob in held {
        if needed.contains_key(&blob.digest) {
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
