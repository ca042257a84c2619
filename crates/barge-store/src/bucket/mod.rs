//! Buckets of object stores as stores of artifacts: S3 and all that speak its protocol, Google Cloud Storage, Azure Blob
//! Storage.
//!
//! ```text
//! PREFIX/blobs/sha256/HEX              every blob
//! PREFIX/layers/HEX                    which blob holds the layer with this diff_id, JSON
//! PREFIX/artifacts/NAME/RUN-ATTEMPT    pointers, JSON; made only if they are not there
//! PREFIX/relied/sha256/HEX             empty; its time says when a blob was last relied on
//! ```

mod blobs;
mod builder;
mod connector;
mod error;
mod housekeeping;
mod keys;
mod objects;
mod pointers;
mod store;

pub use error::Error;
pub use store::BucketStore;
