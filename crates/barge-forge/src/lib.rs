//! Where results are shown: job outputs, summaries, annotations, files.
//!
//! The forge `none` needs no server: everything that a forge would show is a file in a folder. Inside GitHub Actions, and
//! the runners of Forgejo and Gitea that set the same variables, the runner's own files and commands are written too.

mod actions;
mod error;
mod folder;

pub use actions::{Actions, Annotation, Level};
pub use error::Error;
pub use folder::ReportFolder;
