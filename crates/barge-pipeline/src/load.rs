//! Loading what was handed over, under the same names, as the same image (R25 to R27).

use std::sync::Arc;
use std::time::Instant;

use barge_image::{Digest, Reference};
use barge_store::{Store, fetch_ahead};
use serde::Serialize;

use crate::carried::Carried;
use crate::engine;
use crate::error::Error;
use crate::observer::Notice;
use crate::record::Chosen;
use crate::save::{blocking, seconds};
use crate::surroundings::Surroundings;

/// What a load left in the engine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loaded {
    /// The names that the image has now.
    pub references: Vec<Reference>,
    /// The config digest.
    pub config: Digest,
    /// The engine's ID.
    pub id: Digest,
    /// The engine.
    pub engine: String,
    /// Layers that were sent.
    pub sent_layers: usize,
    /// Layers of the image.
    pub layers: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Loads the image of a record into the engine.
///
/// # Errors
/// When the store or the engine fails, or what the engine holds afterwards is not the image.
pub async fn load(
    surroundings: &Surroundings,
    store: &Store,
    chosen: &Chosen,
) -> Result<Loaded, Error> {
    let started = Instant::now();
    let (opening, of) = (store.clone(), chosen.clone());
    let image = blocking(move || opening.image(&of.digest, &of.record)).await?;
    let docker = engine::holding(surroundings).await?;
    let known = Carried::over(surroundings, store, chosen.record.image.engine_id);
    let plan = docker
        .plan_load(&image, &chosen.record.references, &known)
        .await?;
    for (reference, from) in &plan.moves {
        let (reference, from) = (reference.clone(), *from);
        surroundings
            .observer
            .notice(&Notice::Moves { reference, from });
    }
    let observer = Arc::clone(&surroundings.observer);
    let to_send = plan.layers_to_send(&image);
    observer.notice(&Notice::Transfer {
        layers: to_send.len(),
        bytes: docker.bytes_to_send(&to_send),
    });
    let progress = Arc::new(move |passing| observer.notice(&Notice::Passing(passing)));
    let layers = image.layers.len();
    let config = image.config.digest();
    let image = Arc::new(image);
    let ahead = tokio::task::spawn_blocking(move || fetch_ahead(&to_send));
    let loaded = docker.load(Arc::clone(&image), &plan, progress).await;
    let loaded = match loaded {
        Ok(loaded) => loaded,
        // An engine that was handed damaged bytes has its own words for it; the store knows better.
        Err(error) => {
            let store = store.clone();
            let damage = blocking(move || store.damage(&image)).await;
            return Err(damage.map_or_else(|| error.into(), Error::Store));
        }
    };
    // All layers are there by now; nobody waits for anything here.
    drop(ahead.await);
    if docker.info().containerd_store {
        known.note(&docker.info().id, loaded.id);
    }
    Ok(Loaded {
        references: chosen.record.references.clone(),
        config,
        id: loaded.id,
        engine: docker.name(),
        sent_layers: loaded.sent,
        layers,
        seconds: seconds(started.elapsed()),
    })
}
