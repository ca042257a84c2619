//! A store as its users see it: a folder, or a folder that stands in front of a store elsewhere.
//!
//! Saving packs into the folder only what neither side holds, and publishes it; reading brings from elsewhere only what is
//! read. Everything that comes is compared with its digest on the way.

mod open;
mod put;
mod read;

pub use self::open::{Kept, Store};
pub use self::read::fetch_ahead;
