//! What builds and holds images: the Docker API and the embedded builder.

pub mod dockerfile;
pub mod embedded;
