//! What moves, blob by blob, for who wants to show it.

use barge_image::Digest;

/// How a blob came to be where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It was there.
    Present,
    /// The registry took it from another of its repositories.
    Mounted,
    /// It was sent.
    Moved,
}

/// What happens to a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// It is about to move, if it must.
    Started {
        /// The blob.
        digest: Digest,
        /// Its length, in bytes.
        size: u64,
    },
    /// It got this far. After an interruption that may be less than before.
    Reached {
        /// The blob.
        digest: Digest,
        /// How far, in bytes.
        position: u64,
    },
    /// It is there.
    Arrived {
        /// The blob.
        digest: Digest,
        /// How.
        how: Arrival,
    },
}

/// Is told what moves, from several threads at once.
pub type Progress<'a> = &'a (dyn Fn(Transfer) + Sync);
