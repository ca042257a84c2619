//! What is in an image: catalogers over the layer pass, and bills of materials in and out.

pub mod package;

pub use package::{Distro, Evidence, Package, PackageKind, Sbom, SourcePackage, Subject, Unknown};
