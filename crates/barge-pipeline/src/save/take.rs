//! The ways by which layers come into the store, the shortest first.

use std::io;
use std::sync::Arc;

use barge_engine::blocking;
use barge_image::Digest;
use barge_image::archive::{Passing, ReceiveError, Received, receive};
use barge_store::Store;
use barge_store::directory::Taking;

use super::origin::{Asked, ask, in_files, not_exported, same_names};
use crate::built::Built;
use crate::error::Error;
use crate::observer::{Notice, Observer};
use crate::surroundings::Surroundings;

/// From this length on it is worth a word that an image could be read faster, in bytes.
const LARGE: u64 = 100_000_000;

/// The image, if the store can put it together without the engine's export.
async fn known(store: &Store, asked: &Asked) -> Result<Option<Received>, Error> {
    let (store, id) = (store.clone(), asked.image.id);
    let diff_ids = asked.image.diff_ids.clone();
    Ok(blocking(move || store.known_image(&id, &diff_ids)).await?)
}

/// Takes the layers of what was built into the store, by the shortest way.
pub(super) async fn take(
    surroundings: &Surroundings,
    built: &Built,
    store: &Store,
    asked: Option<&Asked>,
) -> Result<Received, Error> {
    let Some(asked) = asked else {
        return take_built(surroundings, built, store).await;
    };
    if let Some(received) = known(store, asked).await? {
        tracing::debug!(id = %asked.image.id, "the image is known to the store: no export is needed");
        return Ok(received);
    }
    match take_in_place(surroundings, built, store, asked).await? {
        Some(received) => Ok(received),
        None => take_export(surroundings, built, store, asked).await,
    }
}

/// From the layout that the builder left, or another file.
async fn take_built(
    surroundings: &Surroundings,
    built: &Built,
    store: &Store,
) -> Result<Received, Error> {
    let image = in_files(built)?.ok_or_else(not_exported)?;
    let (store, observer) = (store.clone(), Arc::clone(&surroundings.observer));
    let take = move || store.take_image(&image, &|taking| tell(&*observer, taking));
    Ok(blocking(take).await?)
}

/// From where a daemon on this machine keeps them, if this process may read there; `None` leaves the export.
async fn take_in_place(
    surroundings: &Surroundings,
    built: &Built,
    store: &Store,
    asked: &Asked,
) -> Result<Option<Received>, Error> {
    if surroundings.build.always_export {
        return Ok(None);
    }
    let image = match asked.engine.in_graph(&asked.image) {
        Ok(Some(image)) => image,
        Ok(None) => return Ok(None),
        Err(error) => {
            tracing::debug!(%error, "the daemon's data folder cannot be read");
            if error.kind() == io::ErrorKind::PermissionDenied && asked.image.size >= LARGE {
                surroundings.observer.notice(&Notice::MayNotRead);
            }
            return Ok(None);
        }
    };
    tracing::debug!("reading the layers where the daemon keeps them");
    let (store, observer) = (store.clone(), Arc::clone(&surroundings.observer));
    let take =
        move || store.take_layers(image.config(), &image, &|taking| tell(&*observer, taking));
    match blocking(take).await {
        Ok(received) => {
            // Names that moved meanwhile must not be recorded for what they meant before.
            ask(surroundings, built).await?;
            Ok(Some(received))
        }
        // Somebody may have removed the image meanwhile: the export says so, or does better.
        Err(error) => {
            tracing::debug!(%error, "the layers could not be read where the daemon keeps them");
            Ok(None)
        }
    }
}

/// From the engine's export, which is taken apart while it arrives.
async fn take_export(
    surroundings: &Surroundings,
    built: &Built,
    store: &Store,
    asked: &Asked,
) -> Result<Received, Error> {
    tell_of_platforms(surroundings, asked).await?;
    let export = asked.export(surroundings, built).await?;
    let (store, built, image) = (store.clone(), built.clone(), asked.image.clone());
    let observer = Arc::clone(&surroundings.observer);
    let take = move || {
        let tell = |passing| observer.notice(&Notice::Passing(passing));
        let origin = "the engine's export";
        let received = receive(export, origin, &mut store.sink(&image.diff_ids)?, &tell);
        let received = received.map_err(|error| match error {
            ReceiveError::Export(error) => Error::Image(error),
            ReceiveError::Sink(error) => Error::Store(error),
        })?;
        the_built_one(&built, &image.id, received)
    };
    blocking(take).await
}

/// A record is of one platform: what an engine holds beyond it stays there.
async fn tell_of_platforms(surroundings: &Surroundings, asked: &Asked) -> Result<(), Error> {
    let held = asked.engine.platforms(&asked.image.id).await?;
    if held.len() > 1 {
        let taken = &asked.image.platform;
        let names: Vec<_> = held.iter().map(ToString::to_string).collect();
        let text = format!(
            "the image is there for {}: only {taken} is saved",
            names.join(", ")
        );
        surroundings.observer.notice(&Notice::Warning(text));
    }
    Ok(())
}

/// Layers that are taken at once are told of when they are there.
fn tell(observer: &dyn Observer, taking: Taking) {
    let notices = match taking {
        Taking::Started { layers } => vec![Notice::Transfer {
            layers,
            bytes: None,
        }],
        Taking::Done { size } => vec![
            Notice::Passing(Passing::Layer { size }),
            Notice::Passing(Passing::Bytes(size)),
        ],
    };
    notices.iter().for_each(|notice| observer.notice(notice));
}

/// The one image of an export, which must be what was built, under the very names that were recorded.
fn the_built_one(
    built: &Built,
    id: &Digest,
    mut received: Vec<Received>,
) -> Result<Received, Error> {
    let (Some(image), true) = (received.pop(), received.is_empty()) else {
        let found = received
            .iter()
            .flat_map(|image| image.references.clone())
            .collect();
        return Err(Error::Names {
            expected: built.references.clone(),
            found,
        });
    };
    same_names(built, &image.references)?;
    let config = image.config.digest();
    // On a containerd store the ID is that of a manifest, or of an index over it.
    if config == *id || image.ids.contains(id) {
        return Ok(image);
    }
    Err(Error::Identity {
        expected: *id,
        found: config,
    })
}
