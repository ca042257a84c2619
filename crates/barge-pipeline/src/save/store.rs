//! Into the store.

use std::sync::Arc;
use std::time::Instant;

use barge_engine::blocking;
use barge_image::Digest;
use barge_image::archive::Received;
use barge_image::record::{Record, RecordedImage, SCHEMA};
use barge_store::registry::Transfer;
use barge_store::{Lifetime, Store};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::origin::ask;
use super::take::take;
use crate::built::Built;
use crate::carried::Carried;
use crate::elapsed::seconds_since;
use crate::error::Error;
use crate::observer::Notice;
use crate::surroundings::Surroundings;

/// What saving left in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// The digest of the record: the one value that the next job needs.
    pub digest: Digest,
    /// The record.
    pub record: Record,
    /// The length of the image in the store, in bytes.
    pub stored_size: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Saves what was built into the store and points to it. It is kept as long as the settings say, if `lifetime` does not.
///
/// # Errors
/// When a name is gone or moved, the export is not the image that was built, or the store fails.
pub async fn save(
    surroundings: &Surroundings,
    built: &Built,
    store: &Store,
    lifetime: Option<Lifetime>,
) -> Result<Saved, Error> {
    let started = Instant::now();
    let by_settings = crate::store::lifetime(&surroundings.store.retention, &built.source);
    let expires = lifetime.unwrap_or(by_settings).from(surroundings.now);
    let store = &store.until(expires);
    let asked = ask(surroundings, built).await?;
    let received = take(surroundings, built, store, asked.as_ref()).await?;
    let engine = asked.map(|asked| asked.engine.info().id.clone());
    let (built, home, now) = (built.clone(), store.clone(), surroundings.now);
    let observer = Arc::clone(&surroundings.observer);
    let work = move || {
        let store = home;
        let image = recorded(&store, &built, &received)?;
        let record = record(&built, image, now, expires)?;
        let tell = |transfer: Transfer| {
            if let Transfer::Started { size, .. } = transfer {
                observer.notice(&Notice::Transfer {
                    layers: 1,
                    bytes: Some(size),
                });
            }
        };
        let kept = store.put_record(&record, &tell)?;
        let stored_size = store.image(&kept.digest, &kept.record)?.stored_size();
        Ok::<_, Error>((kept, stored_size))
    };
    let (kept, stored_size) = blocking(work).await?;
    if let (Some(engine), Some(id)) = (engine, kept.record.image.engine_id) {
        Carried::over(surroundings, store, None).note(&engine, id);
    }
    let saved = Saved {
        digest: kept.digest,
        record: kept.record,
        stored_size,
        seconds: seconds_since(started),
    };
    let workspace = surroundings.workspace();
    workspace.leave(&workspace.saved(), &saved)?;
    Ok(saved)
}

fn record(
    built: &Built,
    image: RecordedImage,
    created: Timestamp,
    expires: Option<Timestamp>,
) -> Result<Record, Error> {
    let record = Record {
        schema: SCHEMA.into(),
        artifact: built.artifact()?,
        references: built.references.clone(),
        image,
        source: built.source.clone(),
        build: built.facts.clone(),
        publish: built.publish,
        tool: concat!("barge ", env!("CARGO_PKG_VERSION")).into(),
        created,
        expires,
    };
    Ok(record.fitted())
}

fn recorded(store: &Store, built: &Built, received: &Received) -> Result<RecordedImage, Error> {
    let config = received.config.parsed();
    let digest = received.config.digest();
    Ok(RecordedImage {
        config: digest,
        manifest: store.put_received(received)?,
        engine_id: built.home.engine_id().copied().filter(|id| *id != digest),
        platform: config.platform(),
        layers: received.layers.len(),
        size: received.layers.iter().map(|layer| layer.plain_size).sum(),
    })
}
