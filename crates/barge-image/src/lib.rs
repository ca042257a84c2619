//! What an image is: references, digests, manifests, layers, archives and layouts, and the hand-off record.

pub mod digest;
pub mod reference;
pub mod tar;

pub use digest::{Digest, Hasher};
pub use reference::{Reference, RepositoryName, Tag};
