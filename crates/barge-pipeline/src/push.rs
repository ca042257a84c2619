//! Pushing what was handed over to its registries, under every name of the record.
//!
//! What is pushed is what the store holds, manifest and all: the very bytes that were verified, under a digest that was
//! known before. A build by itself pushes nothing, since nothing would stand between a bad image and its release tags.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use barge_engine::blocking;
use barge_image::archive::Passing;
use barge_image::{Digest, Image, Reference};
use barge_store::registry::{Arrival, Registry, RegistryOptions, Transfer};
use barge_store::{Store, StoreAddress};
use serde::{Deserialize, Serialize};

use crate::elapsed::seconds_since;
use crate::error::Error;
use crate::observer::Notice;
use crate::record::Chosen;
use crate::registry;
use crate::surroundings::Surroundings;

/// What pushing left in registries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pushed {
    /// The record of the image.
    pub record: Digest,
    /// The digest of its manifest, the same under every name.
    pub digest: Digest,
    /// The names, each with the digest.
    pub references: Vec<Reference>,
    /// How many blobs had to be sent; the others were there, or in another repository of the registry.
    pub sent_blobs: usize,
    /// How many blobs it takes in all names together.
    pub blobs: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Pushes the image of a record under all its names, or under none.
///
/// # Errors
/// When the record is of something that may not be published, the store fails, or a registry refuses.
pub async fn push(
    surroundings: &Surroundings,
    store: &Store,
    chosen: &Chosen,
) -> Result<Pushed, Error> {
    let workspace = surroundings.workspace();
    workspace.forget(&workspace.pushed())?;
    if !chosen.record.publish {
        return Err(Error::Unpublished {
            event: chosen.record.source.event.clone(),
        });
    }
    let options = RegistryOptions {
        // A mirror may be behind what was just pushed.
        mirrors: std::collections::BTreeMap::new(),
        ..registry::options(surroundings)?
    };
    let (store, chosen) = (store.clone(), chosen.clone());
    let observer = Arc::clone(&surroundings.observer);
    let work = move || -> Result<Pushed, Error> {
        let started = Instant::now();
        let image = store.image(&chosen.digest, &chosen.record)?;
        observer.notice(&Notice::Transfer {
            layers: image.layers.len(),
            bytes: Some(image.stored_size()),
        });
        let tally = Tally::default();
        let tell = |transfer| {
            if let Some(size) = tally.note(transfer) {
                observer.notice(&Notice::Passing(Passing::Bytes(size)));
            }
        };
        let digest = send(options, &store, &image, &tell)?;
        let names = image.references.iter();
        Ok(Pushed {
            record: chosen.digest,
            digest,
            references: names.map(|name| name.pinned(digest)).collect(),
            sent_blobs: tally.sent.into_inner(),
            blobs: tally.all.into_inner(),
            seconds: seconds_since(started),
        })
    };
    let pushed = blocking(work).await?;
    workspace.leave(&workspace.pushed(), &pushed)?;
    Ok(pushed)
}

fn send(
    options: RegistryOptions,
    store: &Store,
    image: &Image,
    tell: &(dyn Fn(Transfer) + Sync),
) -> Result<Digest, Error> {
    // A store in the same registry has every blob already: it is mounted from there, and never comes here.
    let sources = match store.address() {
        StoreAddress::Registry(name) => vec![name.clone()],
        _ => Vec::new(),
    };
    let registry = Registry::new(options)?;
    let pushed = registry.push(image, &image.references, &sources, tell)?;
    Ok(pushed.digest)
}

/// Counts blobs, which pass on several threads.
#[derive(Debug, Default)]
struct Tally {
    all: AtomicUsize,
    sent: AtomicUsize,
}

impl Tally {
    /// Notes a transfer; gives the length of a blob that sets out, in bytes.
    fn note(&self, transfer: Transfer) -> Option<u64> {
        match transfer {
            Transfer::Started { size, .. } => {
                self.all.fetch_add(1, Ordering::Relaxed);
                Some(size)
            }
            Transfer::Arrived {
                how: Arrival::Moved,
                ..
            } => {
                self.sent.fetch_add(1, Ordering::Relaxed);
                None
            }
            _ => None,
        }
    }
}
