//! Where artifacts live: the directory store, and remote stores that it publishes to and fetches from; the client of OCI
//! registries.

mod address;
pub mod bucket;
pub mod directory;
mod error;
pub mod gc;
pub mod github;
pub mod http;
pub mod lifetime;
mod parallel;
mod pointer;
pub mod registry;
pub mod remote;
mod secret;
mod store;

pub use address::{OtherRuns, Provider, StoreAddress};
pub use directory::DirectoryStore;
pub use error::Error;
pub use lifetime::Lifetime;
pub use pointer::{Pointer, run_key};
pub use remote::Remote;
pub use store::{Kept, Store, fetch_ahead};
