//! What flows through a workflow: image references, files, artifacts.
//!
//! [`trace`] walks every job in one scenario and records facts in order: what came into a daemon, what was named, what was
//! written, uploaded and downloaded, each under its condition. Rules read the facts. A program whose effects are not
//! known makes what comes after it undecidable; it never makes a defect.

mod action;
mod artifact;
mod bake;
mod budget;
mod builder;
mod compose;
mod deploy;
mod docker;
mod facts;
mod files;
mod job;
mod machine;
mod matrix;
mod metadata;
mod path;
mod podman;
mod program;
mod registry;
mod run;
mod scanner;
mod scope;

pub use artifact::{Artifact, ArtifactFile};
pub use facts::{
    Archive, Content, Delivery, Fact, FactKind, FileUse, Format, JobTrace, Need, Origin, Place,
    Resolution, StepTrace, Store, Trace,
};
pub use path::{covers, file_name, is_archive, normalize};
pub(crate) use run::CALLED;
pub use run::{Repository, trace};
