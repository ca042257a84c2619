//! What is known to be wrong with it: advisories, version orders, matching, severity, policy.

mod archive;
mod ecosystem;
mod error;
mod index;
mod lookup;
mod matching;
mod osv;
mod purl;
mod range;
mod release;
mod severity;
mod side;
pub mod version;

pub use archive::{compile, open};
pub use error::Error;
pub use index::{Builder, Database, Meta, Problem, write_file};
pub use matching::*;
pub use purl::PackageUrl;
pub use severity::{Assessment, Severity};
