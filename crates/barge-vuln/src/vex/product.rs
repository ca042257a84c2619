//! Whether what a statement is about is a package, or the image that holds it.

use barge_sbom::PackageUrl;
use barge_sbom::package::{Package, Subject};

use super::statement::Product;

/// Whether a product is the package, or the image that holds it.
pub(super) fn is_meant(product: &Product, package: &Package, subject: &Subject) -> bool {
    if is_package(&product.id, package) {
        return product.parts.is_empty()
            || product.parts.iter().any(|part| is_package(part, package));
    }
    is_image(&product.id, subject)
        && (product.parts.is_empty() || product.parts.iter().any(|part| is_package(part, package)))
}

/// Whether an id is the package's: the same package URL, without version or qualifiers where the id has none.
fn is_package(id: &str, package: &Package) -> bool {
    if id == package.purl {
        return true;
    }
    let (Ok(wanted), Ok(own)) = (PackageUrl::parse(id), PackageUrl::parse(&package.purl)) else {
        return false;
    };
    let version = |version: &str| version.trim_start_matches('v').to_owned();
    let same_version = wanted.version.is_empty()
        || [&*own.version, &package.version]
            .iter()
            .any(|own| version(own) == version(&wanted.version));
    let same_name =
        wanted.kind == own.kind && wanted.full_name().eq_ignore_ascii_case(&own.full_name());
    let same_namespace =
        wanted.namespace.is_empty() || wanted.namespace.eq_ignore_ascii_case(&own.namespace);
    let qualified = wanted
        .qualifiers()
        .all(|(key, value)| own.qualifier(key).is_none_or(|own| own == value));
    same_name && same_namespace && same_version && qualified
}

/// Whether an id is the image's: a package URL of type `oci` or `docker`, its reference, or a digest.
fn is_image(id: &str, subject: &Subject) -> bool {
    let references: Vec<String> = subject
        .references
        .iter()
        .map(ToString::to_string)
        .chain([subject.name.clone()])
        .collect();
    let digests: Vec<String> = [&subject.image, &subject.manifest]
        .into_iter()
        .flatten()
        .map(ToString::to_string)
        .collect();
    if references.iter().any(|reference| reference == id)
        || digests.iter().any(|digest| digest == id)
    {
        return true;
    }
    let Ok(purl) = PackageUrl::parse(id) else {
        return false;
    };
    if !matches!(&*purl.kind, "oci" | "docker") {
        return false;
    }
    if purl.version.starts_with("sha256:") {
        return digests.iter().any(|digest| *digest == purl.version);
    }
    let path = match (purl.qualifier("repository_url"), &*purl.namespace) {
        (Some(url), _) if url.ends_with(&*purl.name) => url.to_owned(),
        (Some(url), _) => format!("{url}/{}", purl.name),
        (None, "") => purl.name.to_string(),
        (None, namespace) => format!("{namespace}/{}", purl.name),
    };
    let tag = purl
        .qualifier("tag")
        .or(Some(&*purl.version).filter(|version| !version.is_empty()));
    references.iter().any(|reference| {
        let (repository, own_tag) = split_reference(reference);
        let same = repository == path || repository.ends_with(&format!("/{path}"));
        same && tag.is_none_or(|tag| own_tag == Some(tag))
    })
}

/// A reference without its tag and digest, and its tag.
fn split_reference(reference: &str) -> (&str, Option<&str>) {
    let name = reference
        .split_once('@')
        .map_or(reference, |(name, _)| name);
    let after_slash = name.rfind('/').map_or(0, |slash| slash + 1);
    match name[after_slash..].find(':') {
        Some(colon) => (
            &name[..after_slash + colon],
            Some(&name[after_slash + colon + 1..]),
        ),
        None => (name, None),
    }
}
