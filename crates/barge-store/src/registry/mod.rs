//! OCI registries: images in and out (distribution-spec 1.1; docker's registry API v2, schema 2).
//!
//! The client is synchronous: four threads over pooled connections fill a line, and hashing and writing want threads
//! anyway. Async callers run it on a blocking thread. It writes no log-ins, deletes nothing, and reads no environment.

mod attach;
mod authorization;
mod blobs;
mod challenge;
mod client;
mod credentials;
mod endpoint;
mod error;
mod helper;
mod listing;
mod manifests;
mod options;
mod progress;
mod pull;
mod push;
mod record;
mod store;
mod token;
mod upload;

pub use crate::secret::Secret;
pub use blobs::BlobStream;
pub use client::Registry;
pub use credentials::{Credentials, Keyring};
pub use error::Error;
pub use listing::Referrer;
pub use manifests::Resolved;
pub use options::{Mirror, RegistryOptions};
pub use progress::{Arrival, Progress, Transfer};
pub use store::RegistryStore;
