//! Layers that earlier artifacts of the repository hold: a pack leans on them instead of holding them once more.
//!
//! An artifact is never changed, and its number is never used again, so that a layer's place in it stays true as long as the
//! artifact is there. A pack leans only on what GitHub keeps at least as long as the pack is wanted, and only on artifacts of
//! the repository's own commits, not on those of forks. Whoever reads such a pack needs the REST API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use barge_image::{Digest, PackedLayer};
use jiff::Timestamp;

use super::error::Error;
use super::pack::{Holder, PackedBlob};
use super::place::Place;
use super::reader::OpenPack;
use super::service::Listed;
use super::store::{GitHubStore, SUFFIX, no_api_token};
use crate::error::Error as StoreError;
use crate::remote::Artifact;

/// How many of the newest packs are looked into. A layer that is not found there is sent once more.
const RECENT: usize = 8;

impl GitHubStore {
    /// The layers that will be there until then. Where that cannot be found out, there are none.
    pub(super) fn earlier_layers(
        &self,
        diff_ids: &[Digest],
        until: Option<Timestamp>,
    ) -> BTreeMap<Digest, PackedLayer> {
        let (Some(repository), Some(until)) = (&self.repository, until) else {
            return BTreeMap::new();
        };
        let until = until.min(self.latest_expiry.unwrap_or(Timestamp::MAX));
        let is_wanted = |artifact: &Listed| {
            artifact.name.ends_with(SUFFIX) && artifact.expires.is_some_and(|at| at >= until)
        };
        let recent = repository.newest(is_wanted, RECENT);
        let recent = recent.unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot see which layers earlier runs stored; all of them are sent");
            Vec::new()
        });
        let mut search = Search {
            store: self,
            until,
            wanted: diff_ids.iter().copied().collect(),
            kept: BTreeMap::new(),
            found: BTreeMap::new(),
        };
        for artifact in recent {
            if search.wanted.is_empty() {
                break;
            }
            match self.open(&Place::Others(repository.clone()), &artifact) {
                Ok(pack) => search.look_into(&pack),
                Err(error) => tracing::debug!(%error, "passed over"),
            }
        }
        search.found
    }

    /// Those of an artifact's layers that earlier packs hold and still are there.
    pub(super) fn still_held(
        &self,
        artifact: &Artifact,
    ) -> Result<BTreeMap<Digest, PackedBlob>, StoreError> {
        let found = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let layers = artifact.layers.iter();
        let mut held: BTreeMap<_, _> = layers
            .filter_map(|layer| {
                let digest = layer.packed.blob.digest;
                Some((digest, found.get(&digest)?.clone()))
            })
            .collect();
        drop(found);
        let holders: BTreeSet<_> = held
            .values()
            .filter_map(|blob| blob.holder.clone())
            .collect();
        for holder in holders {
            if self.find(&holder).map_err(self.failed())?.is_none() {
                held.retain(|_, blob| blob.holder.as_ref() != Some(&holder));
            }
        }
        Ok(held)
    }

    /// An artifact that holds layers of others, as it is listed now.
    fn find(&self, holder: &Holder) -> Result<Option<Listed>, Error> {
        let repository = self.repository.as_ref().ok_or_else(no_api_token)?;
        let found = repository.get(holder.id)?;
        Ok(found.filter(|found| found.name == holder.name && found.size == holder.size))
    }

    /// Where the bytes of a layer are that another artifact holds.
    pub(super) fn holder(&self, holder: &Holder) -> Result<(Place, Listed), Error> {
        let repository = self.repository.clone().ok_or_else(|| Error::Variable {
            name: "GITHUB_TOKEN",
            reason: format!(
                "is not set, and a layer lies in `{}`, an artifact of an earlier run",
                holder.name
            ),
        })?;
        Ok((Place::Others(repository), holder.listed()))
    }

    /// The packs that lean on an artifact, as far as they can be seen from here.
    pub(super) fn leaning_on(&self, artifact: &Listed) -> Result<Vec<String>, Error> {
        let place = self.repository.clone().map(Place::Others);
        let place = place.as_ref().unwrap_or(&self.place);
        let mut listed = place.list(None)?;
        // Nobody leans on what comes later.
        listed.retain(|other| other.id > artifact.id && other.name.ends_with(SUFFIX));
        let mut leaning = Vec::new();
        for other in listed {
            let Ok(pack) = self.open(place, &other) else {
                continue;
            };
            let mut holders = pack
                .contents
                .blobs
                .iter()
                .filter_map(|blob| blob.holder.as_ref());
            if holders.any(|holder| holder.id == artifact.id) {
                leaning.push(other.name);
            }
        }
        Ok(leaning)
    }
}

/// A search for layers in one pack after the other.
struct Search<'a> {
    store: &'a GitHubStore,
    until: Timestamp,
    wanted: BTreeSet<Digest>,
    /// Whether artifacts that are leant on will be there until then.
    kept: BTreeMap<u64, bool>,
    found: BTreeMap<Digest, PackedLayer>,
}

impl Search<'_> {
    fn look_into(&mut self, pack: &OpenPack) {
        for blob in &pack.contents.blobs {
            let wanted = blob.diff_id.filter(|diff_id| self.wanted.contains(diff_id));
            let layer =
                wanted.and_then(|diff_id| PackedLayer::described(diff_id, blob.descriptor.clone()));
            if let Some(layer) = layer {
                self.take(layer, blob, &pack.artifact);
            }
        }
    }

    fn take(&mut self, layer: PackedLayer, blob: &PackedBlob, pack: &Listed) {
        let holder = match &blob.holder {
            // Never by way of another one, which may go before.
            Some(holder) if self.is_kept(holder) => holder.clone(),
            Some(_) => return,
            None => Holder::of(pack),
        };
        let held = PackedBlob {
            holder: Some(holder),
            ..blob.clone()
        };
        let store = &self.store.held;
        store
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(layer.blob.digest, held);
        self.wanted.remove(&layer.diff_id);
        self.found.insert(layer.diff_id, layer);
    }

    fn is_kept(&mut self, holder: &Holder) -> bool {
        let (store, until) = (self.store, self.until);
        *self.kept.entry(holder.id).or_insert_with(|| {
            let found = store.find(holder).ok().flatten();
            found.is_some_and(|found| found.expires.is_some_and(|expires| expires >= until))
        })
    }
}
