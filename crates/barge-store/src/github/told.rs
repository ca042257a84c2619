//! Progress of layers, while the blocks of a pack move.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use barge_image::Digest;

use super::pack::Contents;
use crate::registry::{Arrival, Progress, Transfer};

/// Tells of layers, although blocks are what moves.
pub(super) struct Told<'a> {
    layers: Vec<(Digest, u64, u64)>,
    reached: Mutex<BTreeMap<Digest, u64>>,
    progress: Progress<'a>,
}

impl<'a> Told<'a> {
    pub(super) fn new(contents: &Contents, progress: Progress<'a>) -> Self {
        let layers = contents.blobs.iter().filter(|blob| blob.diff_id.is_some());
        let told = layers.filter_map(|blob| {
            let (digest, size) = (blob.descriptor.digest, blob.descriptor.size);
            progress(Transfer::Started { digest, size });
            if blob.holder.is_some() {
                let how = Arrival::Present;
                progress(Transfer::Arrived { digest, how });
                return None;
            }
            Some((digest, blob.offset, size))
        });
        Self {
            layers: told.collect(),
            reached: Mutex::default(),
            progress,
        }
    }

    /// A block arrived.
    pub(super) fn sent(&self, offset: u64, length: u64) {
        let end = offset + length;
        for (digest, start, size) in &self.layers {
            let part = end.min(start + size).saturating_sub(offset.max(*start));
            if part == 0 {
                continue;
            }
            let position = {
                let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
                let position = reached.entry(*digest).or_default();
                *position += part;
                *position
            };
            let digest = *digest;
            (self.progress)(Transfer::Reached { digest, position });
            if position == *size {
                let how = Arrival::Moved;
                (self.progress)(Transfer::Arrived { digest, how });
            }
        }
    }
}
