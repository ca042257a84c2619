//! The tags of docker/metadata-action over partly known values: the narrow seam to the tag engine.
//!
//! With known inputs and a known event the tag engine of barge-ci is the authority ([`engine`]); here the same rules run over
//! unknowns, for the types that workflows use. A rule that cannot be followed makes the whole list unknown, never a wrong one.

mod engine;
mod flavor;
mod made;
mod rule;
mod tags;
mod template;
mod yielded;

pub(super) use self::tags::{Inputs, list, references};
