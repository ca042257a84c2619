//! Where artifacts live: the directory store; and the client of OCI registries.

mod address;
mod directory;
mod error;
pub mod http;
pub mod registry;
mod tee;

pub use address::StoreAddress;
pub use directory::{DirectorySink, DirectoryStore, Pointer};
pub use error::Error;
