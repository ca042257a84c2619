//! Notes of layers: `layers/DIFF_ID` says which blob holds a layer.

use barge_image::blobs::write_file;
use barge_image::{Digest, PackedLayer};
use camino::Utf8PathBuf;

use super::{DirectoryStore, read};
use crate::error::Error;

impl DirectoryStore {
    /// The blob that holds a layer, if there is one, marked as young: it will be relied on.
    pub(super) fn packed(&self, diff_id: &Digest) -> Result<Option<PackedLayer>, Error> {
        let noted = self.noted(diff_id)?;
        Ok(noted.filter(|layer| {
            self.layout()
                .blobs()
                .keep(&layer.blob.digest, layer.blob.size)
        }))
    }

    /// What is noted of a layer. A note that cannot be understood only costs packing the layer again.
    pub(super) fn noted(&self, diff_id: &Digest) -> Result<Option<PackedLayer>, Error> {
        let bytes = read(&self.note_path(diff_id))?;
        let layer = bytes.and_then(|bytes| serde_json::from_slice::<PackedLayer>(&bytes).ok());
        Ok(layer.filter(|layer| layer.diff_id == *diff_id))
    }

    pub(super) fn note(&self, layer: &PackedLayer) -> Result<(), Error> {
        let path = self.note_path(&layer.diff_id);
        let bytes =
            serde_json::to_vec(layer).map_err(|error| super::file("write", &path)(error.into()))?;
        write_file(&path, &bytes).map_err(self.failed())
    }

    pub(super) fn note_path(&self, diff_id: &Digest) -> Utf8PathBuf {
        self.layers().join(diff_id.hex())
    }
}
