//! Image references: parsed once at the border, canonical ever after.
//!
//! Follows docker's normalisation (distribution/reference): a first part without `.`, `:` or `localhost` is no
//! registry but belongs to `docker.io`, a single-part repository there lives under `library/`, `index.docker.io` is
//! `docker.io`. What is not canonical is refused with the corrected form, never silently mended: an upper-case
//! owner or a carriage return is a defect of the workflow that barge exists to show.

mod error;
mod name;
mod parse;

pub use error::{ParseReferenceError, Reason};
pub use name::{Reference, RepositoryName, Tag};
pub use parse::DEFAULT_REGISTRY;
