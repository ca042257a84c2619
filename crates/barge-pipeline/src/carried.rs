//! Which images barge carried, whole, into or out of an engine with a containerd store.
//!
//! Before API 1.48 such an engine cannot say whether the blobs of an image are all there, and it takes an archive that
//! lacks some without a word. Only what barge itself sent or received may then be left out of the
//! next load. The notes belong to the user and the machine, not to a checkout, which runners wipe.

use std::fs;

use barge_engine::docker::Known;
use barge_image::blobs::write_file;
use barge_image::{Digest, Layout, Manifest};
use barge_store::Store;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::surroundings::Surroundings;

/// Manifests that are remembered of each engine; older ones only cost sending their layers again.
const REMEMBERED: usize = 256;

/// What is remembered of one engine.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    /// Manifests, the oldest first.
    manifests: Vec<Digest>,
}

/// What is known beyond what an engine tells: notes of earlier hand-offs, and the manifests of a store.
#[derive(Debug)]
pub(crate) struct Carried {
    notes: Option<Utf8PathBuf>,
    layout: Layout,
    id: Option<Digest>,
}

impl Carried {
    /// Over a store's layout, for an image that engines may also hold under this ID.
    pub(crate) fn over(surroundings: &Surroundings, store: &Store, id: Option<Digest>) -> Self {
        Self {
            notes: surroundings.state().map(|state| state.join("engines")),
            layout: store.layout().clone(),
            id,
        }
    }

    /// Remembers that an engine holds a manifest and all its blobs. That it fails only costs time later.
    pub(crate) fn note(&self, engine: &str, manifest: Digest) {
        let Some(path) = self.path(engine) else {
            return;
        };
        let mut note = self.read(engine);
        if note.manifests.last() == Some(&manifest) {
            return;
        }
        note.manifests.retain(|known| *known != manifest);
        note.manifests.push(manifest);
        let surplus = note.manifests.len().saturating_sub(REMEMBERED);
        note.manifests.drain(..surplus);
        let folder = path.parent().unwrap_or(Utf8Path::new("."));
        let written = fs::create_dir_all(folder).is_ok()
            && serde_json::to_vec(&note).is_ok_and(|bytes| write_file(&path, &bytes).is_ok());
        tracing::debug!(%path, written, "noted {manifest}");
    }

    fn read(&self, engine: &str) -> Note {
        let bytes = self.path(engine).and_then(|path| fs::read(path).ok());
        let note = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        note.unwrap_or_default()
    }

    fn path(&self, engine: &str) -> Option<Utf8PathBuf> {
        // An engine's name for itself must not lead out of the folder.
        let name = Digest::of(engine.as_bytes());
        let notes = self.notes.as_ref().filter(|_| !engine.is_empty())?;
        Some(notes.join(format!("{}.json", name.hex())))
    }
}

impl Known for Carried {
    fn id(&self) -> Option<Digest> {
        self.id
    }

    fn blobs(&self, manifest: &Digest) -> Option<Vec<Digest>> {
        let bytes = self.layout.document("manifest", manifest).ok()?;
        let manifest: Manifest = serde_json::from_slice(&bytes).ok()?;
        Some(manifest.layers.iter().map(|blob| blob.digest).collect())
    }

    fn carried(&self, engine: &str, manifest: &Digest) -> bool {
        self.read(engine).manifests.contains(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_by_engine_and_forgets_the_oldest() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let carried = Carried {
            notes: Some(root.join("engines")),
            layout: Layout::at(root),
            id: None,
        };
        let digest = |number: usize| Digest::of(&number.to_le_bytes());
        for number in 0..=REMEMBERED {
            carried.note("../../one", digest(number));
        }
        assert!(!carried.carried("../../one", &digest(0)));
        assert!(carried.carried("../../one", &digest(REMEMBERED)));
        assert!(!carried.carried("another", &digest(REMEMBERED)));
        assert_eq!(fs::read_dir(root).unwrap().count(), 1);
    }
}
