//! VEX: statements of those who know a product about which flaws touch it. Read from OpenVEX and CycloneDX.

mod apply;
mod cyclonedx;
mod openvex;
mod product;
mod read;
mod statement;

pub use apply::apply;
pub use read::parse;
pub use statement::{Product, Statement, Status};

#[cfg(test)]
mod tests;
