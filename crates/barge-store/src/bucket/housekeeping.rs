//! Finding and removing what no pointer of a bucket leads to.
//!
//! Who relies on a blob writes that down first and then looks whether the blob is still there; who removes a blob looks
//! at what is written down last. What remains is the moment between that look and the removal, which a grace of hours
//! makes as good as none, and a publication that lost a blob in it ends in an error, not in a broken pointer.

use std::collections::BTreeMap;

use barge_image::Digest;
use jiff::Timestamp;
use object_store::ObjectMeta;

use super::error::Error;
use super::keys::digest_of;
use super::store::BucketStore;
use crate::error::Error as StoreError;
use crate::parallel::for_each;
use crate::remote::{HeldBlob, Housekeeping};

impl BucketStore {
    fn reliances(&self) -> Result<BTreeMap<Digest, Timestamp>, Error> {
        let listed = self.objects.list(&self.keys.relied())?;
        let times = listed.iter();
        Ok(times
            .filter_map(|meta| Some((digest_of(&meta.location)?, time_of(meta))))
            .collect())
    }

    fn held_blobs(&self) -> Result<Vec<HeldBlob>, Error> {
        let relied = self.reliances()?;
        let listed = self.objects.list(&self.keys.blobs())?;
        let held = listed.iter().filter_map(|meta| {
            let digest = digest_of(&meta.location)?;
            let put = time_of(meta);
            Some(HeldBlob {
                digest,
                size: meta.size,
                touched: relied.get(&digest).map_or(put, |relied| put.max(*relied)),
            })
        });
        Ok(held.collect())
    }

    fn discard_blob(&self, seen: &HeldBlob) -> Result<bool, Error> {
        let (blob, reliance) = (
            self.keys.blob(&seen.digest),
            self.keys.reliance(&seen.digest),
        );
        let touched = [self.objects.head(&blob)?, self.objects.head(&reliance)?];
        let touched = touched.iter().flatten().map(time_of).max();
        if touched.is_some_and(|touched| touched > seen.touched) {
            return Ok(false);
        }
        self.objects.delete(&blob)?;
        self.objects.delete(&reliance)?;
        Ok(true)
    }

    /// Removes notes and reliances of blobs that are gone.
    fn tidy_notes(&self, before: Timestamp) -> Result<(), Error> {
        let old = |meta: &ObjectMeta| (time_of(meta) < before).then(|| digest_of(&meta.location));
        let notes = self.objects.list(&self.keys.layers())?;
        let notes: Vec<Digest> = notes.iter().filter_map(old).flatten().collect();
        for_each(&notes, |diff_id, _| {
            let note = self.note(diff_id)?;
            let is_held = match &note {
                Some(note) => self
                    .objects
                    .head(&self.keys.blob(&note.blob.digest))?
                    .is_some(),
                None => false,
            };
            if is_held {
                return Ok(());
            }
            self.objects.delete(&self.keys.layer(diff_id))
        })?;
        let relied = self.objects.list(&self.keys.relied())?;
        let relied: Vec<Digest> = relied.iter().filter_map(old).flatten().collect();
        for_each(&relied, |digest, _| {
            match self.objects.head(&self.keys.blob(digest))? {
                Some(_) => Ok(()),
                None => self.objects.delete(&self.keys.reliance(digest)),
            }
        })
    }
}

impl Housekeeping for BucketStore {
    fn blobs(&self) -> Result<Vec<HeldBlob>, StoreError> {
        self.held_blobs().map_err(self.failed())
    }

    fn discard(&self, seen: &HeldBlob) -> Result<bool, StoreError> {
        self.discard_blob(seen).map_err(self.failed())
    }

    fn tidy(&self, before: Timestamp) -> Result<(), StoreError> {
        self.tidy_notes(before).map_err(self.failed())
    }
}

/// When an object was put, by the bucket's own clock.
fn time_of(meta: &ObjectMeta) -> Timestamp {
    Timestamp::from_millisecond(meta.last_modified.timestamp_millis()).unwrap_or_default()
}
