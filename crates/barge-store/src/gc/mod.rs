//! Removing what nobody needs any more: artifacts that expired or are beyond the budget, then blobs that no artifact leads
//! to (mark and sweep).
//!
//! Safe beside writers, without a lock on the store: blobs are listed before pointers are read, so that a blob put
//! meanwhile is not on the list; and one that a writer relies on is marked as used, which a sweep respects until the grace
//! period is over. A save must be done within the grace period.

mod budget;
mod collect;
mod mark;

pub use self::budget::Budget;
pub use self::collect::{Collect, Collected, collect};
