//! Where artifacts live: the directory store, and remote stores that it publishes to and fetches from; the client of OCI
//! registries.

mod address;
pub mod bucket;
mod directory;
mod error;
pub mod github;
pub mod http;
mod parallel;
mod pointer;
pub mod registry;
pub mod remote;
mod secret;
mod tee;

pub use address::{OtherRuns, Provider, StoreAddress};
pub use directory::{DirectorySink, DirectoryStore};
pub use error::Error;
pub use pointer::{Pointer, run_key};
pub use remote::Remote;
