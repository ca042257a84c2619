//! Which image each name means in `index.json`, for other tools. barge itself reads names from records only.
//!
//! Entries that barge makes carry the digest of their record. A name belongs to the newest of its records: a run that ends
//! late never takes it back from a later one. Entries of other tools stay as they are.

use barge_image::{Descriptor, Digest, Record, Reference};
use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};

use super::{DirectoryStore, file};
use crate::error::Error;
use crate::remote::Wanted;

/// The annotation of an entry in `index.json` that leads to the record which made it.
const RECORD: &str = "dev.barge.record";

impl DirectoryStore {
    /// Lists the image of a record under its names, where no later record has them.
    pub(super) fn name(&self, digest: &Digest, record: &Record) -> Result<(), Error> {
        self.exclusively(|| {
            let Ok(mut manifests) = self.layout().index() else {
                return self.rebuild_index();
            };
            for reference in &record.references {
                let holder = manifests
                    .iter()
                    .position(|found| is_called(found, reference));
                let later = holder.and_then(|at| self.record_of(&manifests[at]));
                if later.is_some_and(|later| age(&later) > age(record)) {
                    continue;
                }
                holder.map(|at| manifests.remove(at));
                manifests.push(entry(digest, record, reference));
            }
            self.write_index(manifests)
        })
    }

    /// Gives the names of a record that is gone back to the newest that is left. One that has none any more costs nothing.
    pub(super) fn unname(&self, digest: &Digest) -> Result<(), Error> {
        let record = Some(digest.to_string());
        let manifests = self.layout().index();
        let is_listed = manifests.map_or(true, |manifests| {
            let mut entries = manifests.iter();
            entries.any(|entry| entry.annotations.get(RECORD) == record.as_ref())
        });
        if is_listed {
            self.renew_index()?;
        }
        Ok(())
    }

    /// Makes `index.json` anew from the pointers, keeping what other tools put there.
    pub(super) fn renew_index(&self) -> Result<(), Error> {
        self.exclusively(|| self.rebuild_index())
    }

    fn rebuild_index(&self) -> Result<(), Error> {
        let expected = self.expected_index()?;
        self.write_index(expected)
    }

    /// What `index.json` should hold.
    pub(super) fn expected_index(&self) -> Result<Vec<Descriptor>, Error> {
        let mut manifests = self.foreign_entries();
        let mut records = Vec::new();
        for pointer in self.list(&Wanted::default())?.pointers {
            let record = self.readable_record(&pointer.record);
            records.extend(record.map(|record| (pointer.record, record)));
        }
        records.sort_by_key(|(digest, record)| (age(record), *digest));
        for (digest, record) in &records {
            for reference in &record.references {
                manifests.retain(|found| !is_called(found, reference));
                manifests.push(entry(digest, record, reference));
            }
        }
        Ok(manifests)
    }

    /// Entries that other tools made: what they name is theirs to remove. None, when the file cannot be read.
    pub(super) fn foreign_entries(&self) -> Vec<Descriptor> {
        let mut manifests = self.layout().index().unwrap_or_default();
        manifests.retain(|found| !found.annotations.contains_key(RECORD));
        manifests
    }

    fn record_of(&self, entry: &Descriptor) -> Option<Record> {
        let digest = entry.annotations.get(RECORD)?.parse().ok()?;
        self.readable_record(&digest)
    }

    /// A record, if it is there and whole.
    pub(super) fn readable_record(&self, digest: &Digest) -> Option<Record> {
        let bytes = self.layout().document("hand-off record", digest).ok()?;
        Record::from_bytes(&bytes).ok()
    }

    fn write_index(&self, manifests: Vec<Descriptor>) -> Result<(), Error> {
        if self.layout().index().is_ok_and(|held| held == manifests) {
            return Ok(());
        }
        self.layout().write_index(manifests).map_err(self.failed())
    }

    /// Keeps other processes from changing `index.json` meanwhile. Blobs and pointers need no lock.
    fn exclusively<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let path = self.root().join("lock");
        let lock = std::fs::File::create(&path).map_err(file("lock", &path))?;
        flock(&lock, FlockOperation::LockExclusive)
            .map_err(|error| file("lock", &path)(error.into()))?;
        work()
    }
}

fn entry(digest: &Digest, record: &Record, reference: &Reference) -> Descriptor {
    let mut named = record.image.manifest.named(reference);
    named
        .annotations
        .insert(RECORD.to_owned(), digest.to_string());
    named
}

fn is_called(found: &Descriptor, reference: &Reference) -> bool {
    found
        .name()
        .is_some_and(|name| name == reference.to_string())
}

/// What decides which record is newer: run ids count up, attempts within a run, time elsewhere.
fn age(record: &Record) -> (Option<u64>, u32, Timestamp) {
    let run = &record.source.run;
    (run.id.parse().ok(), run.attempt, record.created)
}
