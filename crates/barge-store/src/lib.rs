//! Where artifacts live: the directory store.

mod address;
mod directory;
mod error;
mod tee;

pub use address::StoreAddress;
pub use directory::{DirectorySink, DirectoryStore, Pointer};
pub use error::Error;
