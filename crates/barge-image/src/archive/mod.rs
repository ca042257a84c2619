//! Image archives, out and in as a stream.
//!
//! [`write()`] makes the hybrid that every engine loads; [`receive`] takes an engine's export apart while it arrives.

mod legacy;
mod receive;
mod write;

pub use legacy::legacy_names;
pub use receive::{LayerSink, ReceiveError, Received, receive};
pub use write::{LayerForm, write};
