//! What an image is: references, digests, manifests, layers, archives and layouts, and the hand-off record.

pub mod annotation;
pub mod archive;
pub mod blobs;
pub mod compression;
pub mod config;
pub mod digest;
mod error;
mod extent;
mod files;
pub mod image;
pub mod layer;
pub mod layout;
pub mod manifest;
pub mod media_type;
mod open;
pub mod pack;
pub mod platform;
pub mod record;
pub mod reference;
pub mod rootfs;
pub mod tar;

pub use compression::{Compression, Decoder};
pub use config::{Identity, ImageConfig, RawConfig};
pub use digest::{Digest, Hasher};
pub use error::Error;
pub use extent::{Bring, DOCUMENT_LIMIT, Extent, ExtentReader};
pub use image::{Image, Layer, RawManifest};
pub use layout::Layout;
pub use manifest::{Descriptor, Document, Index, Manifest};
pub use media_type::MediaType;
pub use open::{Selection, listed, open};
pub use pack::PackedLayer;
pub use platform::Platform;
pub use record::{ArtifactName, Record};
pub use reference::{Reference, RepositoryName, Tag};
