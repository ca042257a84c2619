//! What builds and holds images: Docker, Podman, buildx and the embedded builder.

mod blocking;
pub mod buildx;
pub mod docker;
pub mod dockerfile;
pub mod embedded;
mod error;
pub mod nearest;

pub use blocking::blocking;
pub use buildx::Buildx;
pub use docker::{Docker, DockerHost};
pub use error::Error;
