//! Archives inside images that are evidence themselves.

pub(crate) mod zip;
