//! Loading what was handed over, under the same names, as the same image (R25 to R27).

use std::sync::Arc;
use std::time::Instant;

use barge_engine::Docker;
use barge_image::{Digest, Reference};
use barge_store::Store;
use serde::Serialize;

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

/// Loads the image of a record into the Docker engine.
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
    let docker = Docker::connect(surroundings.docker_host()?).await?;
    let plan = docker
        .plan_load(&image.identity(), &chosen.record.references)
        .await?;
    for (reference, from) in &plan.moves {
        let (reference, from) = (reference.clone(), *from);
        surroundings
            .observer
            .notice(&Notice::Moves { reference, from });
    }
    let observer = Arc::clone(&surroundings.observer);
    let progress = Box::new(move |bytes| observer.notice(&Notice::Bytes(bytes)));
    let layers = image.layers.len();
    let config = image.config.digest();
    let image = Arc::new(image);
    let loaded = match docker.load(Arc::clone(&image), &plan, progress).await {
        Ok(loaded) => loaded,
        // An engine that was handed damaged bytes has its own words for it; the store knows better.
        Err(error) => {
            let store = store.clone();
            let damage = blocking(move || store.damage(&image)).await;
            return Err(damage.map_or_else(|| error.into(), Error::Store));
        }
    };
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
