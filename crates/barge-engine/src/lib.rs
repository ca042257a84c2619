//! What builds and holds images: the Docker API and the embedded builder.

mod blocking;
pub mod docker;
pub mod dockerfile;
pub mod embedded;
mod error;
pub mod nearest;

pub use docker::{Docker, DockerHost};
pub use error::Error;
