//! Loading what was handed over, under the same names, as the same image.

use std::sync::Arc;
use std::time::Instant;

use barge_engine::blocking;
use barge_image::{Digest, Image, Reference, Selection, open};
use barge_store::{Store, fetch_ahead};
use camino::Utf8Path;
use serde::Serialize;

use crate::adopt::names;
use crate::carried::Carried;
use crate::elapsed::seconds_since;
use crate::engine;
use crate::error::Error;
use crate::observer::Notice;
use crate::record::Chosen;
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
    let (opening, of) = (store.clone(), chosen.clone());
    let image = blocking(move || opening.image(&of.digest, &of.record)).await?;
    let known = Carried::over(surroundings, store, chosen.record.image.engine_id);
    let (image, references) = (Arc::new(image), &chosen.record.references);
    let loaded = into_engine(surroundings, &image, references, &known).await;
    match loaded {
        Ok(loaded) => Ok(loaded),
        // An engine that was handed damaged bytes has its own words for it; the store knows better.
        Err(error) => {
            let store = store.clone();
            let damage = blocking(move || store.damage(&image)).await;
            Err(damage.map_or(error, Error::Store))
        }
    }
}

/// Loads an image of an archive or a layout into the engine: under these names, or under its own if there are none.
///
/// # Errors
/// When the file holds no image or several, the image has no name, the engine fails, or what it holds afterwards is not
/// the image.
pub async fn load_file(
    surroundings: &Surroundings,
    store: &Store,
    path: &Utf8Path,
    selection: Selection,
    references: &[Reference],
) -> Result<Loaded, Error> {
    let file = path.to_owned();
    let image = blocking(move || open(&file, &selection)).await?;
    let references = names(&image, path, references)?;
    let known = Carried::over(surroundings, store, None);
    into_engine(surroundings, &Arc::new(image), &references, &known).await
}

/// Sends the engine what it lacks of an image, and tells before a name moves.
async fn into_engine(
    surroundings: &Surroundings,
    image: &Arc<Image>,
    references: &[Reference],
    known: &Carried,
) -> Result<Loaded, Error> {
    let started = Instant::now();
    let docker = engine::holding(surroundings).await?;
    let plan = docker.plan_load(image, references, known).await?;
    for (reference, from) in &plan.moves {
        let (reference, from) = (reference.clone(), *from);
        surroundings
            .observer
            .notice(&Notice::Moves { reference, from });
    }
    let observer = Arc::clone(&surroundings.observer);
    let to_send = plan.layers_to_send(image);
    observer.notice(&Notice::Transfer {
        layers: to_send.len(),
        bytes: docker.bytes_to_send(&to_send),
    });
    let progress = Arc::new(move |passing| observer.notice(&Notice::Passing(passing)));
    let ahead = tokio::task::spawn_blocking(move || fetch_ahead(&to_send));
    let loaded = docker.load(Arc::clone(image), &plan, progress).await?;
    // All layers are there by now; nobody waits for anything here.
    drop(ahead.await);
    if docker.info().containerd_store {
        known.note(&docker.info().id, loaded.id);
    }
    Ok(Loaded {
        references: references.to_vec(),
        config: image.config.digest(),
        id: loaded.id,
        engine: docker.name(),
        sent_layers: loaded.sent,
        layers: image.layers.len(),
        seconds: seconds_since(started),
    })
}
