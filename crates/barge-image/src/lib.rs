//! What an image is: references, digests, manifests, layers, archives and layouts, and the hand-off record.

pub mod config;
pub mod digest;
pub mod manifest;
pub mod media_type;
pub mod platform;
pub mod reference;
pub mod tar;

pub use config::{Identity, ImageConfig, RawConfig};
pub use digest::{Digest, Hasher};
pub use manifest::{Descriptor, Document, Index, Manifest};
pub use media_type::MediaType;
pub use platform::Platform;
pub use reference::{Reference, RepositoryName, Tag};
