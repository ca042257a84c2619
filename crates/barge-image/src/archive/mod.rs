//! Image archives, out and in as a stream.
//!
//! [`write()`] makes the hybrid that every engine loads; [`receive`] takes an engine's export apart while it arrives.

mod receive;
mod write;

pub use receive::{LayerSink, ReceiveError, Received, receive};
pub use write::{LayerForm, write};
