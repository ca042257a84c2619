//! Names of images: tags, labels and annotations.
//!
//! One engine, two modes. [`compat`] does what docker/metadata-action v6 does, quirks included; [`strict`] refuses
//! what no registry would accept and explains what it did. The parts follow the libraries that decide the action's
//! results: csv-parse, Handlebars, moment with moment-timezone, semver, @renovate/pep440, and ECMAScript itself.

pub mod compat;
mod context;
mod csv;
mod date;
#[cfg(test)]
mod differential;
mod ecmascript;
mod error;
mod expression;
mod flavor;
mod image;
mod label;
mod moment;
mod names;
mod output;
mod pep440;
mod regex;
mod rule;
mod semver;
mod settings;
pub mod strict;
mod template;
mod version;
mod zone;

pub use error::MetaError;
pub use names::{Names, TagDecision};
pub use settings::{Attribute, LatestSetting, MetaSettings, RevisionSetting, TagRule};
