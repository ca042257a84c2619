//! The embedded builder: Dockerfiles without `RUN`, without a daemon.
//!
//! [`Build::plan`] reads the Dockerfile and refuses, with the line and the engines that could, what would need a container
//! or the network. [`Plan::execute`] carries the stages out in memory and writes layers, config and manifest into an OCI
//! layout. Nothing of it depends on clock, environment or the order of a folder: equal input makes equal bytes.
//!
//! Names in `FROM` and `--from` are looked up in this order: the named contexts given, the earlier stages. Nothing is
//! pulled. Extended attributes and device files are not carried over by `COPY --from` and `ADD`.

mod add;
mod apply;
mod base;
mod build;
mod build_context;
mod configure;
mod content;
mod context;
mod copy;
mod error;
mod execute;
mod ignore;
mod owner;
mod path;
mod pattern;
mod plan;
mod port;
mod signal;
mod stage;
mod transfer;
mod tree;
mod write;

pub use build::{Build, Built, NamedContext, ParseNamedContextError, Progress};
pub use build_context::BuildContext;
pub use error::{Engines, Error, Place, Refusal};
pub use plan::Plan;
