//! Interpreters, servers and libraries that were copied or built into an image without any package manager: recognised by
//! the name of the program and a version text in it, next to something that only this program has there.
//!
//! Every pattern was tried on real builds. A program that a distribution package owns is left out later: it is that
//! package (see [`crate::assemble`]); an unmanaged copy of the same program stays.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use crate::binary::{Program, Section};
use crate::finding::{Found, Refusal};
use crate::package::PackageKind;

/// Programs are searched in pieces of this size, in bytes, that overlap by as much as a pattern may span.
const PIECE: u64 = 4 << 20;
const OVERLAP: u64 = 512;
const SCAN_LIMIT: u64 = 512 << 20;

struct Classifier {
    package: &'static str,
    /// Vendor and product of its CPE.
    cpe: (&'static str, &'static str),
    /// What the file's name begins with; what follows must be digits, dots, `.so` or nothing.
    names: &'static [&'static str],
    /// The first group is the version.
    pattern: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

const fn classifier(
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

static CLASSIFIERS: [Classifier; 35] = [
    classifier(
        "bash",
        ("gnu", "bash"),
        &["bash"],
        r"@\(#\)Bash version (\d+\.\d+\.\d+)",
    ),
    classifier(
        "busybox",
        ("busybox", "busybox"),
        &["busybox"],
        r"(?:BusyBox v|busybox httpd/|crond \(busybox )(\d+\.\d+\.\d+)",
    ),
    classifier(
        "curl",
        ("haxx", "curl"),
        &["curl"],
        r"\x00curl (\d+\.\d+\.\d+) \(",
    ),
    classifier(
        "curl",
        ("haxx", "libcurl"),
        &["libcurl", "libcurl-gnutls"],
        r"\x00libcurl/(\d+\.\d+\.\d+)",
    ),
    classifier(
        "dnsmasq",
        ("thekelleys", "dnsmasq"),
        &["dnsmasq"],
        r"\x00dnsmasq-(\d+\.\d+(?:\.\d+)?)\x00",
    ),
    classifier(
        "ffmpeg",
        ("ffmpeg", "ffmpeg"),
        &["ffmpeg", "ffprobe", "ffplay"],
        r"\x00%s version n?(\d+\.\d+(?:\.\d+)?)",
    ),
    classifier(
        "ffmpeg",
        ("ffmpeg", "ffmpeg"),
        &["libavcodec", "libavformat", "libavutil"],
        r"\x00FFmpeg version n?(\d+\.\d+(?:\.\d+)?)",
    ),
    classifier(
        "gawk",
        ("gnu", "gawk"),
        &["gawk"],
        r"\x00GNU Awk (\d+\.\d+\.\d+)",
    ),
    classifier(
        "git",
        ("git-scm", "git"),
        &["git"],
        r"\x00git/(\d+\.\d+\.\d+)",
    ),
    classifier(
        "haproxy",
        ("haproxy", "haproxy"),
        &["haproxy"],
        r" version (\d+\.\d+(?:\.\d+|-dev\d+))\S*, released \d",
    ),
    classifier(
        "httpd",
        ("apache", "http_server"),
        &["httpd", "apache2"],
        r"\x00Apache/(\d+\.\d+\.\d+)",
    ),
    classifier(
        "lighttpd",
        ("lighttpd", "lighttpd"),
        &["lighttpd"],
        r"\x00lighttpd/(\d+\.\d+\.\d+)",
    ),
    classifier(
        "lua",
        ("lua", "lua"),
        &["lua", "luac", "liblua"],
        r"\$LuaVersion: Lua (\d+\.\d+\.\d+)",
    ),
    classifier(
        "mariadb",
        ("mariadb", "mariadb"),
        &["mariadbd", "mysqld", "mariadb"],
        r"\x00(\d+\.\d+\.\d+)-MariaDB",
    ),
    classifier(
        "memcached",
        ("memcached", "memcached"),
        &["memcached"],
        r"\x00memcached (\d+\.\d+\.\d+)",
    ),
    classifier(
        "mosquitto",
        ("eclipse", "mosquitto"),
        &["mosquitto"],
        r"\x00(\d+\.\d+\.\d+)\x00mosquitto version",
    ),
    classifier(
        "mysql",
        ("oracle", "mysql"),
        &["mysqld", "mysql"],
        r"/mysql-(\d+\.\d+\.\d+)",
    ),
    classifier(
        "nginx",
        ("f5", "nginx"),
        &["nginx"],
        r"\x00nginx/(\d+\.\d+\.\d+)",
    ),
    classifier(
        "node",
        ("nodejs", "node.js"),
        &["node", "nodejs", "libnode"],
        r"nodejs\.org/(?:download/)?(?:release|nightly|rc)/v(\d+\.\d+\.\d+)/",
    ),
    classifier(
        "openldap",
        ("openldap", "openldap"),
        &["ldapsearch", "slapd"],
        r"\$OpenLDAP: \w+ (\d+\.\d+\.\d+)",
    ),
    classifier(
        "openssl",
        ("openssl", "openssl"),
        &["openssl", "libcrypto", "libssl"],
        r"\x00OpenSSL (\d+\.\d+\.\d+[a-z]{0,2})(?:-\w+)?  ?\d",
    ),
    classifier(
        "perl",
        ("perl", "perl"),
        &["perl", "libperl"],
        r"\x00v(5\.\d+\.\d+)\x00",
    ),
    classifier(
        "php",
        ("php", "php"),
        &["php", "php-fpm", "php-cgi", "libphp"],
        r"X-Powered-By: PHP/(\d+\.\d+\.\d+)",
    ),
    classifier(
        "postgresql",
        ("postgresql", "postgresql"),
        &["postgres"],
        r"\x00postgres \(PostgreSQL\) (\d+\.\d+(?:\.\d+)?)",
    ),
    classifier(
        "proftpd",
        ("proftpd", "proftpd"),
        &["proftpd"],
        r"ProFTPD Version (\d+\.\d+\.\d+[a-z]?)",
    ),
    classifier(
        "python",
        ("python", "python"),
        &["python", "libpython"],
        r"\x00([23]\.\d{1,2}\.\d{1,2}(?:(?:a|b|rc)\d+)?\+?)\x00(?:%\.80s \(|strict\x00)",
    ),
    classifier(
        "redis",
        ("redis", "redis"),
        &[
            "redis-server",
            "redis-cli",
            "redis-check-rdb",
            "redis-check-aof",
        ],
        r"\x00(\d+\.\d+\.\d+)(?:[A-Za-z][A-Za-z0-9.-]*-)?\d{19}\x00",
    ),
    classifier(
        "ruby",
        ("ruby-lang", "ruby"),
        &["ruby", "libruby", "libruby-"],
        r"\x00ruby (\d+\.\d+\.\d+)(?:p\d+|\w*)? \(",
    ),
    classifier(
        "squid",
        ("squid-cache", "squid"),
        &["squid", "squid-gnutls", "squid-openssl"],
        r"\x00squid/(\d+\.\d+)",
    ),
    classifier(
        "tcl",
        ("tcl", "tcl"),
        &["libtcl"],
        r"\x00([89]\.\d+\.\d+)\x00tcl_patchLevel",
    ),
    classifier(
        "valkey",
        ("linuxfoundation", "valkey"),
        &[
            "valkey-server",
            "valkey-cli",
            "valkey-check-rdb",
            "valkey-check-aof",
        ],
        r"\x00valkey(\d+\.\d+\.\d+)(?:[A-Za-z][A-Za-z0-9.-]*-)?\d{19}\x00",
    ),
    classifier(
        "varnish",
        ("varnish-software", "varnish_cache"),
        &["varnishd"],
        r"\x00varnish-(\d+\.\d+\.\d+) revision",
    ),
    classifier(
        "xz",
        ("tukaani", "xz"),
        &["xz"],
        r"\(XZ Utils\) (\d+\.\d+\.\d+)",
    ),
    classifier(
        "zstd",
        ("facebook", "zstandard"),
        &["zstd"],
        r"\x00v(\d+\.\d+\.\d+)\x00Zstandard CLI",
    ),
    classifier(
        "gzip",
        ("gnu", "gzip"),
        &["gzip"],
        r"%5\.1f%%\x00(\d+\.\d+(?:\.\d+)?)\x00",
    ),
];

/// What a program is by its name and a text in it.
pub(super) fn packages(program: &Program<'_>, file_name: &str) -> Result<Vec<Found>, Refusal> {
    let candidates: Vec<_> = CLASSIFIERS
        .iter()
        .filter(|classifier| classifier.is_called(file_name))
        .collect();
    let mut found: BTreeMap<&str, Found> = BTreeMap::new();
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let whole = [Section {
        name: String::new(),
        address: 0,
        offset: 0,
        size: program.content.size().min(SCAN_LIMIT),
    }];
    let constants = [".rodata", ".rdata", "__cstring", ".data", ".rodata.str"];
    let mut sections: Vec<_> = constants
        .iter()
        .filter_map(|name| program.section(name))
        .collect();
    if sections.is_empty() {
        sections.extend(&whole);
    }
    for section in sections {
        let size = section.size.min(SCAN_LIMIT);
        let mut start = 0;
        while start < size && found.len() < candidates.len() {
            let piece = Section {
                offset: section.offset + start,
                size: (size - start).min(PIECE + OVERLAP),
                ..section.clone()
            };
            let bytes = program.bytes(&piece, PIECE + OVERLAP)?;
            for classifier in &candidates {
                if let Some(package) = classifier.find(&bytes) {
                    found.entry(classifier.package).or_insert(package);
                }
            }
            start += PIECE;
        }
    }
    Ok(found.into_values().collect())
}

impl Classifier {
    fn is_called(&self, file_name: &str) -> bool {
        self.names.iter().any(|name| {
            file_name.strip_prefix(name).is_some_and(|rest| {
                // `openssl.so` is a module for something else, `libcrypto.so.3` the library.
                let rest = if name.starts_with("lib") {
                    rest.replace(".so", "")
                } else {
                    rest.to_owned()
                };
                rest.chars().all(|c| c.is_ascii_digit() || ".-".contains(c))
            })
        })
    }

    fn find(&self, bytes: &[u8]) -> Option<Found> {
        let compile = || RegexBuilder::new(self.pattern).unicode(false).build().ok();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for classifier in &CLASSIFIERS {
            assert!(
                RegexBuilder::new(classifier.pattern)
                    .unicode(false)
                    .build()
                    .is_ok(),
                "{}",
                classifier.package
            );
        }
    }

    #[test]
    fn names_may_carry_versions_only() {
        let python = CLASSIFIERS
            .iter()
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
        ];
        for (package, bytes, expected) in cases {
            let all = CLASSIFIERS
                .iter()
                .filter(|classifier| classifier.package == *package);
            let found = all.filter_map(|classifier| classifier.find(bytes)).next();
            assert_eq!(
                found.map_or(String::new(), |found| found.version),
                *expected
            );
        }
    }
}
