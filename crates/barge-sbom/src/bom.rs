//! Bills of materials of other tools, in: CycloneDX JSON and XML, SPDX JSON and tag-value, and barge's own JSON.
//!
//! Readers are tolerant: unknown fields are passed over, and what has neither a package URL nor a version is left out.
//! Source packages are found under the names that syft and trivy give them.

mod cyclonedx;
mod cyclonedx_xml;
mod lenient;
mod package;
mod read;
mod spdx;
mod spdx_tags;

pub use package::of_package_urls;
pub use read::read;

#[cfg(test)]
mod tests;
