//! What is known to be wrong with it: advisories, version orders, matching, severity, policy.

mod archive;
mod distribution;
mod ecosystem;
mod erratum;
mod error;
mod glob;
mod index;
mod lenient;
mod lookup;
mod matching;
mod osv;
pub mod output;
mod policy;
mod range;
mod release;
mod scan;
mod severity;
mod side;
mod unread;
pub mod version;
pub mod vex;

pub use archive::{
    INDEX, check_archive, check_side_data, compile, compile_ecosystems, note_checked, open,
};
pub use error::Error;
pub use index::{
    AffectedPackage, Builder, Database, Ecosystem, Entry, EntryRange, Group, Meta, Package,
    Problem, RecordFacts, RecordText, Source, Versions, write_file,
};
pub use lookup::needed_ecosystems;
pub use matching::*;
pub use osv::{EventKind, Record};
pub use policy::{Baseline, IgnoreRule, Policy, Status, Threshold, Verdict};
pub use range::{End, HitBy};
pub use release::distro_release as distro;
pub use scan::{Data, Options, Scan, scan};
pub use severity::{Assessment, Rating, RatingKind, RatingSource, Severity, vector_score};
pub use side::{CveFacts, Epss, Exploited};
pub use unread::{UnreadLimit, describe as describe_unread, lists_packages};
