//! The tar format as layers and archives use it: POSIX ustar with PAX and GNU extensions.
//!
//! [`Reader`] streams, never seeks unless its source can, and bounds everything that a header may ask for.
//! [`Writer`] writes the small, reproducible subset that barge needs for its own layers and archives.

mod entry;
mod extension;
mod header;
mod reader;
mod source;
mod sparse;
mod writer;

pub use entry::{Entry, Kind};
pub use reader::{Error, Reader};
pub use source::{Seekable, Skip, Streaming};
pub use sparse::SparseMap;
pub use writer::Writer;

/// The unit of the format: headers and padded contents are multiples of it, in bytes.
pub const BLOCK: u64 = 512;
