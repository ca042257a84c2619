//! The page for people: one file that needs nothing but itself.

mod page;

pub use page::page;
