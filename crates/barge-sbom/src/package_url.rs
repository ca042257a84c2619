//! Reads package URLs (purl-spec, ECMA-427): those of other tools' bills, of advisories and of whoever types one.
//!
//! Unlike a canonicalising reader it keeps the case of names: advisories tell `jQuery` from `jquery`, the npm type does
//! not. Nothing is copied but what is escaped.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::package::PackageKind;

/// A package URL in its parts, percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageUrl<'a> {
    /// The type, lower case.
    pub kind: Cow<'a, str>,
    /// The namespace, parts joined by `/`, or empty.
    pub namespace: Cow<'a, str>,
    /// The name.
    pub name: Cow<'a, str>,
    /// The version, or empty.
    pub version: Cow<'a, str>,
    /// Keys in lower case, and values.
    qualifiers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Why a text is no package URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no package URL: {reason}")]
pub struct ParsePackageUrlError {
    text: String,
    reason: &'static str,
}

impl<'a> PackageUrl<'a> {
    /// Reads a package URL. It may lack a version.
    ///
    /// # Errors
    /// When it has no type or no name, or is malformed.
    pub fn parse(text: &'a str) -> Result<Self, ParsePackageUrlError> {
        Self::read(text.trim()).map_err(|reason| ParsePackageUrlError::new(text, reason))
    }

    fn read(text: &'a str) -> Result<Self, &'static str> {
        let scheme = text.split_at_checked(4);
        let (_, rest) = scheme
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("pkg:"))
            .ok_or("it does not start with `pkg:`")?;
        let rest = rest.split_once('#').map_or(rest, |(rest, _subpath)| rest);
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, rest) = rest
            .trim_matches('/')
            .split_once('/')
            .ok_or("it has no name")?;
        let is_kind = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
        if kind.is_empty() || !kind.bytes().all(is_kind) {
            return Err("its type is malformed");
        }
        let (path, version) = split_version(rest);
        let path = path.trim_matches('/');
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name.is_empty() {
            return Err("it has no name");
        }
        let pairs = qualifiers.split('&').filter(|pair| !pair.is_empty());
        Ok(Self {
            kind: lower(kind),
            namespace: decode_path(namespace)?,
            name: decode(name)?,
            version: decode(version)?,
            qualifiers: pairs.map(qualifier).collect::<Result<_, _>>()?,
        })
    }

    /// A qualifier that is there and not empty.
    #[must_use]
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        let mut pairs = self.qualifiers();
        pairs.find_map(|(own, value)| (own == key && !value.is_empty()).then_some(value))
    }

    /// All qualifiers, in their order; keys are in lower case.
    pub fn qualifiers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.qualifiers
            .iter()
            .map(|(key, value)| (&**key, &**value))
    }

    /// The package's name as its ecosystem writes it.
    #[must_use]
    pub fn full_name(&self) -> Cow<'_, str> {
        let separator = match &*self.kind {
            // No cataloger gives it.
            "githubactions" => Some('/'),
            kind => PackageKind::of_purl_type(kind).and_then(PackageKind::separator),
        };
        match separator.filter(|_| !self.namespace.is_empty()) {
            Some(separator) => format!("{}{separator}{}", self.namespace, self.name).into(),
            None => Cow::Borrowed(&self.name),
        }
    }

    /// The version as its ecosystem writes it: with the epoch that package URLs of rpms keep apart. Empty if there is none.
    #[must_use]
    pub fn full_version(&self) -> Cow<'_, str> {
        match self.qualifier("epoch") {
            Some(epoch)
                if self.kind == "rpm"
                    && !self.version.is_empty()
                    && !self.version.contains(':') =>
            {
                format!("{epoch}:{}", self.version).into()
            }
            _ => Cow::Borrowed(&self.version),
        }
    }

    /// The same package without version and qualifiers, unescaped.
    #[must_use]
    pub fn without_version(&self) -> String {
        if self.namespace.is_empty() {
            format!("pkg:{}/{}", self.kind, self.name)
        } else {
            format!("pkg:{}/{}/{}", self.kind, self.namespace, self.name)
        }
    }

    /// The kind of package; of types that no cataloger gives, the one for what no package manager knows.
    #[must_use]
    pub fn package_kind(&self) -> PackageKind {
        PackageKind::of_purl_type(&self.kind).unwrap_or(PackageKind::Generic)
    }
}

impl ParsePackageUrlError {
    /// Longer texts are cut.
    const SHOWN: usize = 200;

    pub(crate) fn new(text: &str, reason: &'static str) -> Self {
        Self {
            text: text.chars().take(Self::SHOWN).collect(),
            reason,
        }
    }
}

/// The version follows the last `@` that is not the scope of an npm name written without escapes.
fn split_version(rest: &str) -> (&str, &str) {
    let name_start = rest.rfind('/').map_or(0, |slash| slash + 1);
    let in_name = rest.rfind('@').filter(|at| *at > name_start);
    let in_path = || {
        let at = rest.find('@')?;
        (at > 0 && !rest[..at].ends_with('/')).then_some(at)
    };
    match in_name.or_else(in_path) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, ""),
    }
}

fn qualifier(pair: &str) -> Result<(Cow<'_, str>, Cow<'_, str>), &'static str> {
    let (key, value) = pair.split_once('=').ok_or("a qualifier has no value")?;
    Ok((lower(key), decode(value)?))
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        text.to_ascii_lowercase().into()
    } else {
        text.into()
    }
}

/// The parts of a namespace, decoded one by one; empty ones do not count.
fn decode_path(path: &str) -> Result<Cow<'_, str>, &'static str> {
    if !path.contains("//") && !path.contains('%') {
        return Ok(path.trim_matches('/').into());
    }
    let parts = path.split('/').filter(|part| !part.is_empty()).map(decode);
    Ok(parts.collect::<Result<Vec<_>, _>>()?.join("/").into())
}

/// Undoes percent-encoding; `+` stands for itself in a package URL.
fn decode(text: &str) -> Result<Cow<'_, str>, &'static str> {
    let is_whole = |escape: &[u8]| {
        let digits = escape.get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let mut escapes = text.as_bytes().split(|byte| *byte == b'%').skip(1);
    if !escapes.all(is_whole) {
        return Err("an escape is malformed");
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map_err(|_| "an escape is malformed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_decoded_and_names_keep_their_case() {
        let cases = [
            ("pkg:npm/%40angular/core@12.0.0", "@angular/core", "12.0.0"),
            ("pkg:npm/@angular/core@12.0.0", "@angular/core", "12.0.0"),
            ("pkg:npm/@angular/core", "@angular/core", ""),
            ("pkg:npm/jQuery@1.0", "jQuery", "1.0"),
            ("PKG://NPM/jQuery@1.0", "jQuery", "1.0"),
            (
                "pkg:maven/org.apache/commons@1%2B2?type=jar#x/y",
                "org.apache:commons",
                "1+2",
            ),
            (
                "pkg:golang/github.com//Masterminds/goutils@v1.1.0",
                "github.com/Masterminds/goutils",
                "v1.1.0",
            ),
            (
                "pkg:deb/debian/openssl@1%3A3.0-1?distro=debian-12",
                "openssl",
                "1:3.0-1",
            ),
            ("pkg:rpm/redhat/bind@9-1?Epoch=32", "bind", "32:9-1"),
            (
                "pkg:golang/golang.org/x/net@v0.0.0-20210101/weird",
                "golang.org/x/net",
                "v0.0.0-20210101/weird",
            ),
        ];
        for (text, name, version) in cases {
            let purl = PackageUrl::parse(text).unwrap();
            let found = (purl.full_name(), purl.full_version());
            assert_eq!(found, (name.into(), version.into()), "{text}");
        }
    }

    #[test]
    fn malformed_urls_are_refused() {
        for text in [
            "",
            "PKG",
            "pkg:",
            "pkg:npm",
            "pkg:npm/",
            "pkg:np m/x",
            "pkg:npm/x@%4",
            "pkg:npm/x@%FF",
            "pkg:npm/x?a",
            "http://x/y",
        ] {
            assert!(PackageUrl::parse(text).is_err(), "{text}");
        }
    }

    #[derive(serde::Deserialize)]
    struct Case {
        purl: String,
        is_invalid: bool,
    }

    /// The crate that writes package URLs reads the same parts, but for what it folds and refuses by type.
    #[test]
    fn reads_what_the_writer_reads() {
        let suite = include_str!("../tests/purl-spec/test-suite-data.json");
        let cases: Vec<Case> = serde_json::from_str(suite).unwrap();
        for case in cases.iter().filter(|case| !case.is_invalid) {
            let read = PackageUrl::parse(&case.purl).unwrap();
            let other: packageurl::PackageUrl<'_> = case.purl.parse().unwrap();
            let folded = |text: &str| text.to_lowercase().replace('_', "-");
            let pairs = [
                (&*read.kind, other.ty()),
                (&read.namespace, other.namespace().unwrap_or_default()),
                (&read.name, other.name()),
                (&read.version, other.version().unwrap_or_default()),
            ];
            for (read, other) in pairs {
                assert_eq!(folded(read), folded(other), "{}", case.purl);
            }
            for (key, value) in other.qualifiers() {
                assert_eq!(read.qualifier(key), Some(&**value), "{}", case.purl);
            }
        }
    }
}
