//! One classifier: the names of a program, and the text that tells its version.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use crate::finding::Found;
use crate::package::PackageKind;

pub(super) struct Classifier {
    pub(super) package: &'static str,
    /// Vendor and product of its CPE.
    cpe: (&'static str, &'static str),
    /// What the file's name begins with. What follows may be a version, `.so` and the digits that wheels put into the names
    /// of libraries they bundle; after `*`, anything.
    names: &'static [&'static str],
    /// The first group is the version. A zero at the beginning stands for anything that is no text.
    pattern: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

pub(super) const fn classifier(
    package: &'static str,
    cpe: (&'static str, &'static str),
    names: &'static [&'static str],
    pattern: &'static str,
) -> Classifier {
    Classifier {
        package,
        cpe,
        names,
        pattern,
        compiled: OnceLock::new(),
    }
}

impl Classifier {
    pub(super) fn is_called(&self, file_name: &str) -> bool {
        self.names.iter().any(|name| {
            if let Some(prefix) = name.strip_suffix('*') {
                return file_name.starts_with(prefix);
            }
            file_name.strip_prefix(name).is_some_and(|rest| {
                // `openssl.so` is a module for something else, `libcrypto.so.3` the library.
                if name.starts_with("lib") {
                    is_version(&without_bundle_hash(rest).replace(".so", ""))
                } else {
                    is_version(rest)
                }
            })
        })
    }

    pub(super) fn find(&self, bytes: &[u8]) -> Option<Found> {
        let compile = || compile(self.pattern).ok();
        let captures = self
            .compiled
            .get_or_init(compile)
            .as_ref()?
            .captures(bytes)?;
        let version = std::str::from_utf8(captures.get(1)?.as_bytes()).ok()?;
        let mut found = Found::new(PackageKind::Generic, self.package, version);
        let (vendor, product) = self.cpe;
        found.fact(
            "cpe",
            format!("cpe:2.3:a:{vendor}:{product}:{version}:*:*:*:*:*:*:*"),
        );
        found.fact("classifier", self.package);
        Some(found)
    }
}

/// Texts begin after a zero, but also where a section does, or a table of numbers ends.
fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    let pattern = match pattern.strip_prefix(r"\x00") {
        Some(rest) => format!(r"(?:\A|[^\x20-\x7e]){rest}"),
        None => pattern.to_owned(),
    };
    RegexBuilder::new(&pattern).unicode(false).build()
}

fn is_version(rest: &str) -> bool {
    rest.chars().all(|c| c.is_ascii_digit() || ".-".contains(c))
}

/// `-81d66ed9.so.3` becomes `.so.3`: tools that make wheels whole rename libraries so.
fn without_bundle_hash(rest: &str) -> &str {
    let hash = rest.strip_prefix('-').and_then(|rest| rest.split_once('.'));
    match hash {
        Some((hash, _)) if hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            &rest[9..]
        }
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::classifier::classifiers;

    #[test]
    fn every_pattern_compiles() {
        for classifier in classifiers() {
            assert!(
                compile(classifier.pattern).is_ok(),
                "{}",
                classifier.package
            );
        }
    }

    #[test]
    fn names_may_carry_versions_only() {
        let python = classifiers()
            .find(|classifier| classifier.package == "python")
            .unwrap();
        for (name, expected) in [
            ("python3.13", true),
            ("libpython3.13.so.1.0", true),
            ("python", true),
            ("python3-config", false),
            ("pythonx", false),
            ("python.so", false),
        ] {
            assert_eq!(python.is_called(name), expected, "{name}");
        }
    }

    #[test]
    fn reads_texts_of_real_builds() {
        let cases: &[(&str, &[u8], &str)] = &[
            ("redis", b"txt\x008.0.21778644800000000000\x00", "8.0.2"),
            (
                "redis",
                b"\x007.2.4buildkitsandbox-1704728290000000000\x00",
                "7.2.4",
            ),
            (
                "haproxy",
                b"\0 version 3.0.11-1+deb13u3, released 2026/05/20",
                "3.0.11",
            ),
            ("python", b"\x003.13.5\x00%.80s (%.80s) %.80s\x00", "3.13.5"),
            ("openssl", b"\x00OpenSSL 1.1.1w  11 Sep 2023", "1.1.1w"),
            ("openssl", b"\x00OpenSSL 3.5.7 9 Jun 2026\x00", "3.5.7"),
            (
                "postgresql",
                b"\x00postgres (PostgreSQL) 17.11 (Debian)",
                "17.11",
            ),
            ("mysql", b"SHOW PROCESSLIST\x009.7.4\x009.7.4.0\0", "9.7.4"),
            ("mysql", b"empty()\0MySQL 9.7.4\0log_before", "9.7.4"),
            ("mysql", b"SHOW PROCESSLIST\x0011.8.9-MariaDB\0", ""),
            (
                "openjdk",
                b"\0openjdk\0java\x001.8\x001.8.0_504-8u504-ga-1-b01\0/lib",
                "1.8.0_504-8u504-ga-1-b01",
            ),
            ("zstd", b"w\xca\xeb\x851.5.4\0\0", "1.5.4"),
            (
                "gcc",
                b"\x0010.2.1 20210110\0(Debian 10.2.1-6) \0",
                "10.2.1",
            ),
            ("rust", b"@rustc version 1.63.0clang LLVM ()", "1.63.0"),
            (
                "openjdk",
                b"\0openjdk\0jdb\x000.0\0-J-ms8m\0-m\0\0\0\0\x0011.0.24+8-post-Debian\0",
                "11.0.24+8-post-Debian",
            ),
            ("jq", b"=/build/reproducible-path/jq-1.7.1=. -f", "1.7.1"),
            (
                "lz4",
                b"1.10.0\0Unspecified error code\0OK_NoError\0",
                "1.10.0",
            ),
            (
                "openjdk",
                b"\0openjdk\0jdb\x000.0\x0021.0.13+9-1-deb13u2-Debian\0",
                "21.0.13+9-1-deb13u2-Debian",
            ),
            ("util-linux", b"%s from %s\n\0util-linux 2.41.5\0", "2.41.5"),
            (
                "samba",
                b"\0SAMBA_4.22.11_DEBIAN_4.22.11_DFSG_0_DEB13U1_PRIVATE_SAMBA\0",
                "4.22.11",
            ),
            (
                "guile",
                b"\0guileversion\x003.0.10\0libguileinterface\x008:0:7\0",
                "3.0.10",
            ),
            (
                "crun",
                b"specify a command\0\x001.21\0%s version %s\n\0commit: %s\n\0",
                "1.21",
            ),
            ("xz", b"5.8.1\0Option value cannot be empty\0", "5.8.1"),
        ];
        for (package, bytes, expected) in cases {
            let all = classifiers().filter(|classifier| classifier.package == *package);
            let found = all.filter_map(|classifier| classifier.find(bytes)).next();
            assert_eq!(
                found.map_or(String::new(), |found| found.version),
                *expected
            );
        }
    }
}
