//! The layer pass: one reading of a layer that indexes its files and examines those that somebody is interested in.
//!
//! [`read`] takes a [`Source`] and an [`Interest`] and gives a [`LayerIndex`]. A plain tar in a file is not read through:
//! only headers and interesting contents are, at their positions. A compressed or streamed layer is read once, and
//! contents are examined as they pass; nothing is unpacked to disk, except single files too large for memory.
//! [`crate::rootfs`] puts the indexes of an image's layers on top of each other.

mod content;
mod directory;
mod encoding;
mod hard_link;
mod index;
mod pass;
pub mod path;
mod read;

#[cfg(test)]
mod tests;

pub use content::Content;
pub use directory::read_directory;
pub use index::{EntryId, EntryKind, EntryView, LayerIndex, Unreadable};
pub use read::{Options, Source, read, verify};

/// Decides which files of a layer are examined, and examines them.
pub trait Interest: Sync {
    /// What a file is wanted for.
    type Role: Copy + PartialEq + Send + Sync;
    /// What examining a file gives.
    type Finding: Clone + Send + Sync;

    /// What this file is wanted for, by its clean path and its first bytes (up to 512). Called for every regular file.
    fn role(&self, file: &FileHead<'_>) -> Option<Self::Role>;

    /// Examines a file's content. A hard link with the same role shares the finding of its target.
    fn examine(
        &self,
        role: Self::Role,
        path: &[u8],
        content: &dyn Content,
    ) -> Option<Self::Finding>;
}

/// What is known of a file before its content is read.
#[derive(Debug, Clone, Copy)]
pub struct FileHead<'a> {
    /// The directory, clean, without a trailing slash; empty for the root.
    pub directory: &'a [u8],
    /// The name in the directory.
    pub name: &'a [u8],
    /// The length of the content.
    pub size: u64,
    /// Permission bits.
    pub mode: u16,
    /// The first bytes of the content, at most 512.
    pub head: &'a [u8],
}

impl FileHead<'_> {
    /// The whole path.
    #[must_use]
    pub fn path(&self) -> Vec<u8> {
        path::join(self.directory, self.name)
    }
}

/// Why a layer cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The layer's bytes cannot be read or unpacked.
    #[error("cannot read the layer's bytes")]
    Read(#[from] std::io::Error),
    /// The layer is not a sound tar archive.
    #[error("the layer is not a sound tar archive")]
    Tar(#[from] crate::tar::Error),
    /// The layer names more files than an index can hold.
    #[error("the layer's file names need more than 4 GiB")]
    TooManyNames,
    /// The layer's bytes are not those that its config names.
    #[error("the layer unpacks to `{found}`, but the image config says `{expected}`")]
    DiffId {
        /// What the config says.
        expected: crate::Digest,
        /// What the bytes hash to.
        found: crate::Digest,
    },
}
