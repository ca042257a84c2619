//! Puts the findings of a squashed image together: what survives, where it was introduced, who owns it, what it needs.

mod bill;
mod candidate;
mod depends;
mod duplicate;
mod hits;
mod merge;
mod nix;
mod origin;
mod owner;
mod unknown;

pub(crate) use bill::{Scope, assemble};
