//! Image archives, out and in as a stream.
//!
//! [`write()`] makes the hybrid that every engine loads; [`receive`] takes an engine's export apart while it arrives.

mod legacy;
mod receive;
mod write;

pub use legacy::legacy_names;
pub use receive::{LayerSink, ReceiveError, Received, receive};
pub use write::{LayerForm, write, written_manifest};

/// What passes through an archive, for those who watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passing {
    /// A layer begins.
    Layer {
        /// Its length in the archive, in bytes.
        size: u64,
    },
    /// Bytes of the present layer passed.
    Bytes(u64),
}
