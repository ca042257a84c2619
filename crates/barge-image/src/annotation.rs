//! Annotations of descriptors: what other tools write, and what barge adds.

/// Full names, as containerd and docker write them.
pub const IMAGE_NAME: &str = "io.containerd.image.name";
/// A tag by docker and BuildKit, a full name by skopeo and podman.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The plain size of a compressed layer, in bytes: an archive for an engine needs it before the first byte is inflated.
pub const PLAIN_SIZE: &str = "dev.barge.layer.plain-size";
