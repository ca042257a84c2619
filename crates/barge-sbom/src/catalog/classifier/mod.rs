//! Interpreters, servers and libraries that were copied or built into an image without any package manager: recognised by
//! the name of the program and a version text in it, next to something that only this program has there.
//!
//! Every pattern was tried on real builds. A program that a distribution package owns is left out later: it is that
//! package (see [`crate::assemble`]); an unmanaged copy of the same program stays.

mod interpreters;
mod libraries;
mod pattern;
mod search;
mod servers;
mod tools;

use pattern::{Classifier, classifier};
pub(super) use search::packages;

/// The programs that are recognised, and by what. Nearly every pattern was tried on real builds, most of them Debian's of
/// several releases.
static CLASSIFIERS: [&[Classifier]; 4] = [
    &interpreters::INTERPRETERS,
    &servers::SERVERS,
    &tools::TOOLS,
    &libraries::LIBRARIES,
];

/// All of them.
fn classifiers() -> impl Iterator<Item = &'static Classifier> {
    CLASSIFIERS.iter().copied().flatten()
}
