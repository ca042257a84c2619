//! VEX: statements of those who know a product about which flaws touch it. Read from OpenVEX and CycloneDX.

mod cyclonedx;
mod openvex;

use barge_sbom::PackageUrl;
use barge_sbom::package::{Package, Subject};
use jiff::Timestamp;
use serde_json::Value;

use crate::error::Error;
use crate::matching::{Advisory, Match, SuppressedBy, Suppression};

/// No document nests deeper or is longer in earnest.
const LARGEST: usize = 64 * 1024 * 1024;

/// One statement about one flaw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// The ids of the flaw.
    pub ids: Vec<String>,
    /// What the statement is about.
    pub products: Vec<Product>,
    /// What it says.
    pub status: Status,
    /// The reason in the format's terms, or in words.
    pub reason: String,
    /// When it was made; of two, the later holds, and one without a time before any that has one.
    pub timestamp: Option<Timestamp>,
}

/// What a statement is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    /// A package URL or another name of a package or image.
    pub id: String,
    /// Parts of it: if there are any, only they are meant.
    pub parts: Vec<String>,
}

/// What a statement says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// The flaw does not touch the product.
    NotAffected,
    /// It does.
    Affected,
    /// It did, and is mended in this version.
    Fixed,
    /// Nobody knows yet.
    #[default]
    UnderInvestigation,
}

impl Status {
    /// Whether the flaw does not count any more.
    fn clears(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }

    fn words(self) -> &'static str {
        match self {
            Self::NotAffected => "not affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under investigation",
        }
    }
}

/// Reads a VEX document of either format. Statements about nothing, or that say nothing, are left out.
///
/// # Errors
/// When it is of neither, or has a word for a status that the format does not know: somebody means something by it.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Vec<Statement>, Error> {
    let failed = |reason: String| Error::Vex {
        name: name.to_owned(),
        reason,
    };
    if bytes.len() > LARGEST {
        return Err(failed("it is too long".to_owned()));
    }
    let document: Value =
        serde_json::from_slice(bytes).map_err(|error| failed(format!("it is no JSON: {error}")))?;
    if document.get("bomFormat").is_some() {
        return cyclonedx::statements(&document).map_err(failed);
    }
    if document.get("statements").is_some_and(Value::is_array) {
        return openvex::statements(&document).map_err(failed);
    }
    // An attestation holds the document as its predicate.
    match document
        .get("predicate")
        .filter(|predicate| predicate.get("statements").is_some_and(Value::is_array))
    {
        Some(predicate) => openvex::statements(predicate).map_err(failed),
        None => Err(failed("it is neither OpenVEX nor CycloneDX".to_owned())),
    }
}

/// Takes matches out of the count that statements clear.
pub fn apply(matches: &mut [Match<'_>], subject: &Subject, statements: &[Statement]) {
    if statements.is_empty() {
        return;
    }
    for found in matches
        .iter_mut()
        .filter(|found| found.suppressed.is_none())
    {
        if let Some(statement) = clearing(found, subject, statements) {
            found.suppressed = Some(Suppression {
                by: SuppressedBy::Vex,
                reason: describe(statement),
                is_fixed: statement.status == Status::Fixed,
            });
        }
    }
}

/// The statement by which a match is cleared: the flaw itself is, or each of the flaws that an erratum fixes.
fn clearing<'s>(
    found: &Match<'_>,
    subject: &Subject,
    statements: &'s [Statement],
) -> Option<&'s Statement> {
    let relevant: Vec<&'s Statement> = statements
        .iter()
        .filter(|statement| {
            let mut products = statement.products.iter();
            products.any(|product| is_meant(product, &found.package, subject))
        })
        .collect();
    let latest = |wanted: &dyn Fn(&str) -> bool| {
        let about = relevant
            .iter()
            .filter(|statement| statement.ids.iter().any(|id| wanted(id)));
        about.max_by_key(|statement| statement.timestamp).copied()
    };
    let Advisory { upstream, .. } = &*found.advisory;
    if let Some(statement) = latest(&|id| found.advisory.ids().any(|own| own == id)) {
        return statement.status.clears().then_some(statement);
    }
    if upstream.is_empty() {
        return None;
    }
    let each: Option<Vec<&'s Statement>> = upstream
        .iter()
        .map(|flaw| latest(&|id| id == *flaw))
        .collect();
    let each = each.filter(|each| each.iter().all(|statement| statement.status.clears()))?;
    each.first().copied()
}

fn describe(statement: &Statement) -> String {
    let status = statement.status.words();
    if statement.reason.is_empty() {
        status.to_owned()
    } else {
        format!("{status}: {}", statement.reason)
    }
}

/// Whether a product is the package, or the image that holds it.
fn is_meant(product: &Product, package: &Package, subject: &Subject) -> bool {
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

/// Why a document is refused that has a word of its own for a status.
fn unknown_status(word: &str, known: &str) -> String {
    format!("a statement has the status `{word}`, which is none of {known}")
}

/// The first of some times that is stated, if it is one.
fn time<'a>(stated: impl IntoIterator<Item = &'a str>) -> Option<Timestamp> {
    let mut stated = stated.into_iter();
    stated.find(|time| !time.is_empty())?.parse().ok()
}

/// The text of a field, or nothing.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list, or none.
fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
