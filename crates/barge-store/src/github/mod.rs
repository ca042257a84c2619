//! Artifacts of GitHub Actions as a store (actions/toolkit, packages/artifact; docs.github.com, "REST API endpoints for
//! GitHub Actions artifacts").
//!
//! Each hand-off is one artifact, not zipped: a pack of its documents and of the layers that no earlier one holds. Inside a
//! run it goes through the artifact service with the runner's own token; from elsewhere it is read through the REST API.

mod api;
mod block_blob;
mod earlier;
mod error;
mod options;
mod pack;
mod place;
mod put;
mod reader;
mod service;
mod store;
mod told;
mod wire;

pub use error::Error;
pub use options::{ApiAccess, BackendIds, GitHubOptions, Origin, RunAccess, ServiceRetry, Upload};
pub use pack::{Contents, Holder, MAGIC, PackedBlob, TRAILER_LENGTH};
pub use store::GitHubStore;
