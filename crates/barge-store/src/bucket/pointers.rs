//! Pointers in a bucket: made only if they are not there, which the bucket itself sees to.

use std::sync::{Mutex, PoisonError};

use object_store::PutMode;
use object_store::path::Path;

use super::error::Error;
use super::keys::Keys;
use super::objects::Objects;
use crate::parallel::for_each;
use crate::pointer::Pointer;
use crate::remote::Wanted;

const POINTER_LIMIT: u64 = 64 << 10;

/// What came of making a pointer.
#[derive(Debug)]
pub(super) enum Made {
    /// It leads where it was to lead.
    Done,
    /// It was there and leads elsewhere.
    Held(Pointer),
    /// It was said to be there, and is not.
    Unclear,
}

#[derive(Debug)]
pub(super) struct Pointers<'a> {
    pub(super) objects: &'a Objects,
    pub(super) keys: &'a Keys,
}

impl Pointers<'_> {
    fn key(&self, pointer: &Pointer) -> Path {
        self.keys.pointers(&Wanted {
            artifact: Some(pointer.artifact.clone()),
            run: Some(pointer.run.clone()),
        })
    }

    /// Reads what a pointer's place holds.
    pub(super) fn held(&self, pointer: &Pointer) -> Result<Option<Pointer>, Error> {
        self.read(&self.key(pointer))
    }

    /// Makes a pointer, and reads it back.
    pub(super) fn make(&self, pointer: &Pointer) -> Result<Made, Error> {
        let key = self.key(pointer);
        let bytes = serde_json::to_vec(pointer).map_err(|source| Error::Document {
            key: key.to_string(),
            source,
        })?;
        match self.objects.put(&key, bytes, PutMode::Create) {
            Ok(()) => {}
            // It may be this one, of an attempt whose answer was lost.
            Err(error) if error.is_taken() => {}
            Err(error) => return Err(error),
        }
        Ok(match self.read(&key)? {
            Some(held) if held.record == pointer.record => Made::Done,
            Some(held) => Made::Held(held),
            None => Made::Unclear,
        })
    }

    /// The pointers that are wanted, and why others there are none.
    pub(super) fn list(&self, wanted: &Wanted) -> Result<(Vec<Pointer>, Vec<Error>), Error> {
        let prefix = self.keys.pointers(wanted);
        let keys: Vec<Path> = if wanted.artifact.is_some() && wanted.run.is_some() {
            vec![prefix]
        } else {
            let listed = self.objects.list(&prefix)?;
            listed.into_iter().map(|meta| meta.location).collect()
        };
        let found = Mutex::new((Vec::new(), Vec::new()));
        for_each(&keys, |key, _| {
            let read = self.read(key);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            match read {
                Ok(pointer) => found
                    .0
                    .extend(pointer.filter(|pointer| wanted.matches(pointer))),
                Err(error @ (Error::Pointer { .. } | Error::TooLarge { .. })) => {
                    found.1.push(error);
                }
                Err(error) => return Err(error),
            }
            Ok(())
        })?;
        Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Removes a pointer if it leads where it is said to lead.
    pub(super) fn remove(&self, pointer: &Pointer) -> Result<(), Error> {
        match self.held(pointer)? {
            Some(held) if held.record == pointer.record => self.objects.delete(&self.key(pointer)),
            _ => Ok(()),
        }
    }

    fn read(&self, key: &Path) -> Result<Option<Pointer>, Error> {
        let Some(bytes) = self.objects.document(key, POINTER_LIMIT)? else {
            return Ok(None);
        };
        let pointer = serde_json::from_slice(&bytes).map_err(|source| Error::Pointer {
            key: key.to_string(),
            source,
        })?;
        Ok(Some(pointer))
    }
}
