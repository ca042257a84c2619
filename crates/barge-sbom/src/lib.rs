//! What is in an image: catalogers over the layer pass, and bills of materials in and out.
//!
//! The way of the data: `catalog` reads layers (each once, cached by diff_id), every file of interest becomes a
//! finding, `assemble` puts the findings of the squashed image together into an [`Sbom`], [`mod@format`] writes it and
//! [`bom`] reads those of other tools.

mod archive;
mod assemble;
mod binary;
pub mod bom;
mod catalog;
mod dialect;
mod error;
mod finding;
pub mod format;
mod kind;
pub mod license;
pub mod package;
mod package_url;
mod purl;
mod rpm;
mod run;
mod sqlite;

pub use catalog::{Catalogers, VERSION as CATALOG_VERSION};
pub use error::Error;
pub use finding::Finding;
pub use package::{
    Distro, Evidence, LayerFact, Package, PackageKind, Sbom, SourcePackage, Subject, Unknown,
};
pub use package_url::{PackageUrl, ParsePackageUrlError};
pub use purl::image as image_purl;
pub use run::{LayerCache, NoCache, Options, catalog_directory, catalog_image};
