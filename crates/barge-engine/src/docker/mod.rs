//! The Docker Engine API, over its socket.
//!
//! A small client of our own on hyper instead of a generated one: barge needs ten calls, streams gigabytes both ways,
//! and builds with the daemon's BuildKit without a session, whose answer generated clients do not read.

mod answers;
mod archive;
mod body;
mod build;
mod builders;
mod client;
mod connection;
mod context;
mod graph;
mod host;
mod load;
mod moved;
mod progress;
mod tar_split;
mod tls;
mod trace;

pub use answers::{EngineInfo, InspectedImage, Product};
pub use archive::Progress;
pub use body::{BodyReader, BodyWriter, request_body};
pub use build::{BuildAnswer, BuildOptions};
pub use client::Docker;
pub use graph::GraphImage;
pub use host::{DockerHost, DockerVariables};
pub use load::{Known, LoadPlan, Loaded};
pub use progress::BuildEvent;
