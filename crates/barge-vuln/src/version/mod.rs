//! The orders of versions, one file per order; [`Scheme`] picks one and [`Version`] is a text read by it.

mod alpm;
mod apk;
mod composer;
mod deb;
mod gem;
mod maven;
mod nuget;
mod number;
mod numeric;
mod pep440;
mod rpm;
mod scheme;
mod semver;

pub use scheme::{Scheme, UnknownScheme, Version, VersionError, compare};
