//! Reads package URLs (purl-spec, ECMA-427) for look-ups.
//!
//! Unlike a canonicalising reader it keeps the case of names: OSV tells `jQuery` from `jquery`, the npm type does not.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use barge_sbom::package::{Package, PackageKind, Sbom, Subject};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use crate::error::Error;

/// A package URL in its parts, percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageUrl {
    /// The type, lower case.
    pub kind: String,
    /// The namespace, parts joined by `/`, or empty.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The version, or empty.
    pub version: String,
    /// The qualifiers; keys are lower case.
    pub qualifiers: BTreeMap<String, String>,
}

impl FromStr for PackageUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |reason| Error::PackageUrl {
            text: text.chars().take(200).collect(),
            reason,
        };
        let scheme = text.trim().split_at_checked(4);
        let (_, rest) = scheme
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("pkg:"))
            .ok_or_else(|| error("it does not start with `pkg:`"))?;
        let rest = rest.split_once('#').map_or(rest, |(rest, _subpath)| rest);
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let rest = rest.trim_matches('/');
        let (kind, rest) = rest
            .split_once('/')
            .ok_or_else(|| error("it has no name"))?;
        let is_kind = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
        if kind.is_empty() || !kind.bytes().all(is_kind) {
            return Err(error("its type is malformed"));
        }
        // The version follows the last `@` that is not the scope of an npm name written without escapes.
        let name_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (path, version) = match rest.rfind('@').filter(|at| *at > name_start) {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => match rest
                .find('@')
                .filter(|at| *at > 0 && !rest[..*at].ends_with('/'))
            {
                Some(at) => (&rest[..at], &rest[at + 1..]),
                None => (rest, ""),
            },
        };
        let decode = |text: &str| decode(text).ok_or_else(|| error("an escape is malformed"));
        let mut parts = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(decode)
            .collect::<Result<Vec<_>, _>>()?;
        let name = parts.pop().ok_or_else(|| error("it has no name"))?;
        let mut pairs = BTreeMap::new();
        for pair in qualifiers.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| error("a qualifier has no value"))?;
            pairs.insert(key.to_ascii_lowercase(), decode(value)?);
        }
        Ok(Self {
            kind: kind.to_ascii_lowercase(),
            namespace: parts.join("/"),
            name,
            version: decode(version)?,
            qualifiers: pairs,
        })
    }
}

impl PackageUrl {
    /// A qualifier that is there and not empty.
    #[must_use]
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The package's name as its ecosystem writes it.
    #[must_use]
    pub fn full_name(&self) -> String {
        let separator = match self.kind.as_str() {
            _ if self.namespace.is_empty() => return self.name.clone(),
            "maven" => ':',
            "npm" | "golang" | "composer" | "swift" | "github" | "githubactions" => '/',
            _ => return self.name.clone(),
        };
        format!("{}{separator}{}", self.namespace, self.name)
    }

    /// The same package without version and qualifiers.
    #[must_use]
    pub fn without_version(&self) -> String {
        if self.namespace.is_empty() {
            format!("pkg:{}/{}", self.kind, self.name)
        } else {
            format!("pkg:{}/{}/{}", self.kind, self.namespace, self.name)
        }
    }
}

/// A bill of materials that holds nothing but the named packages.
pub fn bill(purls: &[String]) -> Result<Sbom, Error> {
    let mut packages = Vec::with_capacity(purls.len());
    for text in purls {
        let purl: PackageUrl = text.parse()?;
        if purl.version.is_empty() {
            return Err(Error::PackageUrl {
                text: text.clone(),
                reason: "it has no version to match",
            });
        }
        packages.push(Package {
            purl: text.clone(),
            ..purl.to_package()
        });
    }
    let name = purls.first().cloned().unwrap_or_default();
    let subject = Subject {
        name,
        references: Vec::new(),
        image: None,
        manifest: None,
        architecture: None,
    };
    Ok(Sbom {
        subject,
        distro: None,
        layers: Vec::new(),
        packages,
        unknowns: Vec::new(),
    })
}

impl PackageUrl {
    /// A package that is known by its URL only.
    #[must_use]
    pub fn to_package(&self) -> Package {
        Package {
            kind: self.package_kind(),
            name: self.full_name(),
            version: self.version.clone(),
            purl: self.to_string(),
            architecture: self.qualifier("arch").map(str::to_owned),
            source: None,
            licenses: Vec::new(),
            evidence: Vec::new(),
            owned_by: None,
            part_of: None,
            depends_on: Vec::new(),
            hashes: BTreeMap::new(),
            facts: BTreeMap::new(),
        }
    }

    fn package_kind(&self) -> PackageKind {
        // The names of the kinds are the types of package URLs.
        serde_json::from_value(serde_json::Value::String(self.kind.clone()))
            .unwrap_or(PackageKind::Generic)
    }
}

impl fmt::Display for PackageUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "pkg:{}", self.kind)?;
        for part in self
            .namespace
            .split('/')
            .filter(|part| !part.is_empty())
            .chain([self.name.as_str()])
        {
            write!(formatter, "/{}", encode(part))?;
        }
        if !self.version.is_empty() {
            write!(formatter, "@{}", encode(&self.version))?;
        }
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            write!(
                formatter,
                "{}{key}={}",
                if index == 0 { '?' } else { '&' },
                encode(value)
            )?;
        }
        Ok(())
    }
}

/// Percent-encodes everything but what a package URL shows as it is.
fn encode(text: &str) -> PercentEncode<'_> {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'.')
        .remove(b'-')
        .remove(b'_')
        .remove(b'~')
        .remove(b':')
        .remove(b'/');
    utf8_percent_encode(text, RESERVED)
}

/// Undoes percent-encoding; `+` stands for itself in a package URL.
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok())?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
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
                "pkg:golang/github.com/Masterminds/goutils@v1.1.0",
                "github.com/Masterminds/goutils",
                "v1.1.0",
            ),
            (
                "pkg:deb/debian/openssl@1%3A3.0-1?distro=debian-12",
                "openssl",
                "1:3.0-1",
            ),
            (
                "pkg:golang/golang.org/x/net@v0.0.0-20210101/weird",
                "golang.org/x/net",
                "v0.0.0-20210101/weird",
            ),
            ("PKG", "", ""),
        ];
        for (text, name, version) in cases {
            match text.parse::<PackageUrl>() {
                Ok(purl) => assert_eq!(
                    (purl.full_name().as_str(), purl.version.as_str()),
                    (name, version),
                    "{text}"
                ),
                Err(_) => assert_eq!(name, "", "{text}"),
            }
        }
    }

    #[test]
    fn malformed_urls_are_refused() {
        for text in [
            "",
            "pkg:",
            "pkg:npm",
            "pkg:npm/",
            "pkg:np m/x",
            "pkg:npm/x@%4",
            "pkg:npm/x?a",
            "http://x/y",
        ] {
            assert!(text.parse::<PackageUrl>().is_err(), "{text}");
        }
    }
}
