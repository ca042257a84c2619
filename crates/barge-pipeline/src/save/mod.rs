//! Saving by the names that the build recorded, with what is asked before and compared after.

mod archive;
mod origin;
mod store;
mod take;

pub use self::archive::{Archived, archive};
pub use self::store::{Saved, save};
