//! Loading an image: what the engine lacks, under the very same names, checked afterwards.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use barge_image::archive::{LayerForm, written_manifest};
use barge_image::{Digest, Image, Layer, Reference};

use super::answers::{InspectedImage, Listed};
use super::archive::Progress;
use super::client::Docker;
use super::moved;
use crate::error::Error;

/// A containerd store may lose what was just sent to a removal or another load beside: an image is sent again after these.
/// Another store is at fault only if layers were left out, and then once.
const PAUSES: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(300),
    Duration::from_millis(1000),
];
/// Images that are looked at for layers that need not be sent again.
const CANDIDATES: usize = 64;

/// What is known about the images of an engine beyond what it tells itself.
pub trait Known: Send + Sync {
    /// Another ID under which engines hold the very image that is to be loaded.
    fn id(&self) -> Option<Digest>;

    /// The layer blobs of a manifest, if its bytes are at hand.
    fn blobs(&self, manifest: &Digest) -> Option<Vec<Digest>>;

    /// Whether barge itself carried this manifest, with every blob, into the engine that calls itself so, or out of it.
    fn carried(&self, engine: &str, manifest: &Digest) -> bool;
}

/// What a load will do to an engine; made before anything is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadPlan {
    /// The names that the image will have.
    pub references: Vec<Reference>,
    /// Names that another image has now, with that image's ID.
    pub moves: Vec<(Reference, Digest)>,
    /// Names that the image has already.
    kept: Vec<Reference>,
    /// The image itself, if the engine holds it already.
    present: Option<Digest>,
    /// The IDs that the image may have in this engine.
    ids: BTreeSet<Digest>,
    /// Layers that the engine holds already, by diff_id.
    pub(super) held: BTreeSet<Digest>,
}

impl LoadPlan {
    /// The layers that will be sent, and the lengths that they are expected to have, in bytes.
    #[must_use]
    pub fn layers_to_send(&self, image: &Image) -> Vec<Layer> {
        if self.present.is_some() {
            return Vec::new();
        }
        let mut seen = BTreeSet::new();
        let missing = image
            .layers
            .iter()
            .filter(|layer| !self.held.contains(&layer.diff_id) && seen.insert(layer.diff_id));
        missing.cloned().collect()
    }

    /// Whether all that is asked for is there already, under all names.
    fn is_done(&self) -> bool {
        self.present.is_some() && self.kept.len() == self.references.len()
    }
}

/// What a load did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The engine's ID of the image.
    pub id: Digest,
    /// Layers that were sent, of all.
    pub sent: usize,
}

impl Docker {
    /// Finds out what a load would do.
    ///
    /// # Errors
    /// When the daemon fails, or the image cannot be read.
    pub async fn plan_load(
        &self,
        image: &Image,
        references: &[Reference],
        known: &dyn Known,
    ) -> Result<LoadPlan, Error> {
        let mut plan = LoadPlan {
            references: references.to_vec(),
            moves: Vec::new(),
            kept: Vec::new(),
            present: None,
            ids: self.ids_of(image, known)?,
            held: BTreeSet::new(),
        };
        for reference in references {
            match self.inspect(reference).await? {
                Some(found) if is_same(&found, image, &plan.ids) => {
                    plan.present = Some(found.id);
                    plan.kept.push(reference.clone());
                }
                Some(found) => plan.moves.push((reference.clone(), found.id)),
                None => {}
            }
        }
        for id in &plan.ids {
            if plan.present.is_none() {
                let found = self.inspect_id(id).await?;
                let found = found.filter(|found| is_same(found, image, &plan.ids));
                plan.present = found.map(|found| found.id);
            }
        }
        if plan.present.is_none() {
            plan.held = self.held_layers(image, references, known).await?;
        }
        Ok(plan)
    }

    /// Carries a plan out. The image must be the one that the plan was made for.
    ///
    /// # Errors
    /// When the image cannot be read, the daemon refuses, or what it holds afterwards is not the image. Names are as they
    /// were before, then.
    pub async fn load(
        &self,
        image: Arc<Image>,
        plan: &LoadPlan,
        progress: Progress,
    ) -> Result<Loaded, Error> {
        let mut done = self.attempt(&image, plan, &progress).await;
        let may_lose = self.info().containerd_store;
        // Layers that were left out may be why; with all of them there is no such doubt.
        let is_partial = !plan.held.is_empty();
        let pauses = if may_lose { &PAUSES[..] } else { &PAUSES[..1] };
        for pause in pauses {
            match done {
                Err(error)
                    if plan.present.is_none() && (is_partial || may_lose) && error.is_engines() =>
                {
                    tracing::debug!(%error, "the load failed: sending every layer");
                    tokio::time::sleep(*pause).await;
                    let whole = LoadPlan {
                        held: BTreeSet::new(),
                        ..plan.clone()
                    };
                    done = self.attempt(&image, &whole, &progress).await;
                }
                done => return done,
            }
        }
        done
    }

    async fn attempt(
        &self,
        image: &Arc<Image>,
        plan: &LoadPlan,
        progress: &Progress,
    ) -> Result<Loaded, Error> {
        let kept = self.keep_moved(plan).await?;
        let done = async {
            let sent = match plan.present {
                Some(_) if plan.is_done() => 0,
                Some(id) => {
                    self.tag_all(&id, &plan.references).await?;
                    0
                }
                None => self.send_archive(image, plan, progress).await?,
            };
            let id = self.check_loaded(image, plan).await?;
            Ok(Loaded { id, sent })
        };
        let done = done.await;
        if done.is_err() {
            self.undo(plan).await;
        }
        self.untag_all(&kept).await;
        done
    }

    async fn untag_all(&self, references: &[Reference]) {
        for reference in references {
            if let Err(error) = self.untag(reference).await {
                tracing::debug!(%reference, %error, "could not remove");
            }
        }
    }

    /// Gives images whose names will move a name of their own meanwhile: a containerd store forgets an image with its last
    /// name, and a load that fails could not give the name back.
    async fn keep_moved(&self, plan: &LoadPlan) -> Result<Vec<Reference>, Error> {
        let mut kept = Vec::new();
        let moved = plan.moves.iter().map(|(_, id)| *id);
        let moving: BTreeSet<Digest> = moved.filter(|_| self.info().containerd_store).collect();
        if moving.is_empty() {
            return Ok(kept);
        }
        self.untag_all(&moved::left_behind(self.references().await?))
            .await;
        for id in moving {
            let Some(reference) = moved::name(&id) else {
                continue;
            };
            if let Err(error) = self.tag(&id, &reference).await {
                self.untag_all(&kept).await;
                return Err(error);
            }
            kept.push(reference);
        }
        Ok(kept)
    }

    /// The length of these layers in the archive that a load sends, in bytes; `None` when a layer's is not known.
    #[must_use]
    pub fn bytes_to_send(&self, layers: &[Layer]) -> Option<u64> {
        let length = |layer: &Layer| match self.form() {
            LayerForm::AsStored => Some(layer.content.len()),
            LayerForm::Plain => layer.noted_plain_size(),
        };
        layers.iter().map(length).sum()
    }

    /// The form in which this engine takes layers fastest.
    pub(super) fn form(&self) -> LayerForm {
        if self.info().containerd_store {
            LayerForm::AsStored
        } else {
            LayerForm::Plain
        }
    }

    fn ids_of(&self, image: &Image, known: &dyn Known) -> Result<BTreeSet<Digest>, Error> {
        if !self.info().containerd_store {
            return Ok(BTreeSet::from([image.config.digest()]));
        }
        let sent = written_manifest(image, self.form())?.digest;
        Ok(known.id().into_iter().chain([sent]).collect())
    }

    /// The layers that need not be sent, by diff_id.
    async fn held_layers(
        &self,
        image: &Image,
        references: &[Reference],
        known: &dyn Known,
    ) -> Result<BTreeSet<Digest>, Error> {
        let ids = candidates(self.list().await?, references).into_iter();
        if self.info().containerd_store {
            let held = self.held_blobs(ids, known).await?;
            let is_held = |layer: &&Layer| {
                let blob = layer.blob.as_ref();
                blob.is_some_and(|blob| held.contains(&blob.digest))
            };
            let layers = image.layers.iter().filter(is_held);
            return Ok(layers.map(|layer| layer.diff_id).collect());
        }
        let mut longest = 0;
        for id in ids {
            let Some(found) = self.inspect_id(&id).await? else {
                continue;
            };
            let pairs = found.diff_ids.iter().zip(&image.layers);
            let common = pairs
                .take_while(|(held, wanted)| **held == wanted.diff_id)
                .count();
            longest = longest.max(common);
        }
        let layers = image.layers.iter().take(longest);
        Ok(layers.map(|layer| layer.diff_id).collect())
    }

    /// Blobs that a containerd store holds for sure. It accepts an archive that lacks blobs and keeps a broken image, so
    /// that a layer it holds under another digest must be sent: only manifests count that it calls complete, or that barge
    /// itself carried there or took from there.
    async fn held_blobs(
        &self,
        ids: impl Iterator<Item = Digest>,
        known: &dyn Known,
    ) -> Result<BTreeSet<Digest>, Error> {
        let mut held = BTreeSet::new();
        for id in ids {
            let Some(blobs) = known.blobs(&id) else {
                continue;
            };
            let complete = match self.is_available(&id).await? {
                Some(told) => told,
                None => known.carried(&self.info().id, &id),
            };
            if complete {
                held.extend(blobs);
            }
        }
        Ok(held)
    }

    pub(super) async fn tag_all(&self, id: &Digest, references: &[Reference]) -> Result<(), Error> {
        for reference in references {
            self.tag(id, reference).await?;
        }
        Ok(())
    }

    /// Compares what every name means now with the image, and proves that it was unpacked.
    async fn check_loaded(&self, image: &Image, plan: &LoadPlan) -> Result<Digest, Error> {
        let mut id = image.config.digest();
        for reference in &plan.references {
            let loaded = self.inspect(reference).await?;
            let problem = match loaded {
                Some(found) if is_same(&found, image, &plan.ids) => {
                    id = found.id;
                    continue;
                }
                None => format!("`{reference}` is not there"),
                Some(found) if found.diff_ids.is_empty() => {
                    format!("`{reference}` has no layers: its content is not complete")
                }
                Some(found) => {
                    let wanted: Vec<_> = plan.ids.iter().map(ToString::to_string).collect();
                    let wanted = wanted.join(" or ");
                    format!("`{reference}` is {} instead of {wanted}", found.id)
                }
            };
            return Err(Error::Loaded { problem });
        }
        let proves_nothing_by_itself = self.info().containerd_store && !plan.is_done();
        if let Some(reference) = plan.references.first().filter(|_| proves_nothing_by_itself) {
            self.try_out(reference)
                .await
                .map_err(|error| Error::Loaded {
                    problem: format!("`{reference}` was not unpacked: {error}"),
                })?;
        }
        Ok(id)
    }

    /// Takes away the names that a failed load made, and gives back those that it moved. One that means a third image by now
    /// was moved by somebody else, perhaps by another load, and stays.
    async fn undo(&self, plan: &LoadPlan) {
        let changed = plan
            .references
            .iter()
            .filter(|reference| !plan.kept.contains(reference));
        for reference in changed {
            let before = plan.moves.iter().find(|(moved, _)| moved == reference);
            let now = self.inspect(reference).await.ok().flatten();
            let undone = match (before, now) {
                (_, Some(now)) if !plan.ids.contains(&now.id) => Ok(()),
                (Some((_, id)), _) => self.tag(id, reference).await,
                (None, Some(_)) => self.untag(reference).await,
                (None, None) => Ok(()),
            };
            if let Err(error) = undone {
                tracing::debug!(%reference, %error, "could not undo");
            }
        }
    }
}

/// The images that may hold layers of one with these names: those of the same repositories first, then as they are listed,
/// which is the newest first.
fn candidates(mut listed: Vec<Listed>, references: &[Reference]) -> Vec<Digest> {
    let is_related = |image: &Listed| {
        let mut names = image.references();
        names.any(|held| references.iter().any(|wanted| wanted.name() == held.name()))
    };
    listed.sort_by_cached_key(|image| !is_related(image));
    let ids = listed.into_iter().map(|image| image.id);
    ids.take(CANDIDATES).collect()
}

/// The ID tells all; layers that are not there show an image that only seems to be.
fn is_same(found: &InspectedImage, image: &Image, ids: &BTreeSet<Digest>) -> bool {
    let layers = image.layers.iter().map(|layer| &layer.diff_id);
    ids.contains(&found.id) && found.diff_ids.iter().eq(layers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn related_and_new_images_are_looked_at_first() {
        let number = |number: usize| Digest::of(number.to_string().as_bytes());
        let listed = |place: usize, name: &str| -> Listed {
            let image = serde_json::json!({"Id": number(place), "RepoTags": [name]});
            serde_json::from_value(image).unwrap()
        };
        let mut images: Vec<_> = (0..100).map(|place| listed(place, "other:1")).collect();
        images.push(listed(100, "ghcr.io/a/b:pr-1"));
        let wanted = ["ghcr.io/a/b:pr-2".parse().unwrap()];
        let found = candidates(images, &wanted);
        let newest = (0..CANDIDATES - 1).map(number);
        let expected: Vec<_> = std::iter::once(number(100)).chain(newest).collect();
        assert_eq!(found, expected);
    }
}
