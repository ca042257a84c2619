//! The store in a folder.
//!
//! The folder is an OCI image layout, so that skopeo and others can read it. Beside the layout stand `layers/`, which maps
//! each diff_id to the blob that holds the layer, and `artifacts/NAME/RUN-ATTEMPT`, the pointers to hand-off records. A
//! pointer is made once, by a hard link that fails when the name is taken, and never changed. Everything a pointer
//! needs is durable before the pointer is made: a crash leaves blobs that nothing names, never a broken artifact.
//!
//! Sweeps and writers meet without a lock: who relies on a blob marks it as young first, and a sweep takes only old ones,
//! out of the way before it looks at their age once more.

mod files;
mod fsck;
mod index;
mod layers;
mod pointers;
mod put;
mod remote;
mod store;
mod sweep;
mod tee;

pub use fsck::{Check, Finding, Report, Trouble};
pub use put::{DirectorySink, Taking, Tell};
pub use store::DirectoryStore;

pub(crate) use put::{KnownLayers, hash, suits};
pub(crate) use remote::copy_blob;

use files::{entries, file, read, remove};
