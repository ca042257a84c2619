//! Absolute HTTP addresses, and where an answer's `Location` leads from one (RFC 3986 section 5.2, RFC 9110 section 10.2.2).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use ureq::http::Uri;

/// Encrypted or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scheme {
    /// Plain.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// An absolute address without credentials or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) scheme: Scheme,
    /// Host and, if it was written, port.
    pub(crate) authority: String,
    /// Begins with `/`, with the query.
    pub(crate) path: String,
}

/// Why a text is no address.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no HTTP address")]
pub(crate) struct ParseUrlError(String);

impl Url {
    pub(crate) fn new(scheme: Scheme, authority: &str, path: String) -> Self {
        let authority = authority.to_owned();
        Self {
            scheme,
            authority,
            path,
        }
    }

    /// Where a `Location` leads that was found here.
    pub(crate) fn join(&self, location: &str) -> Result<Self, ParseUrlError> {
        let location = location.split('#').next().unwrap_or(location);
        let (here, _) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let path = match location.as_bytes() {
            [b'/', b'/', ..] => return format!("{}:{location}", self.scheme.as_str()).parse(),
            [b'/', ..] => location.to_owned(),
            [b'?', ..] => format!("{here}{location}"),
            _ if location.contains("://") => return location.parse(),
            _ => {
                let folder = here.rfind('/').map_or("/", |at| &here[..=at]);
                format!("{folder}{location}")
            }
        };
        Self::new(self.scheme, &self.authority, path)
            .to_string()
            .parse()
    }

    /// The same address with one more query parameter; the value is percent-encoded.
    pub(crate) fn with_query(&self, key: &str, value: &str) -> Self {
        let separator = match self.path.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        let path = format!("{}{separator}{key}={}", self.path, encode(value));
        Self::new(self.scheme, &self.authority, path)
    }

    /// The same place, so that a secret for one is a secret for the other.
    pub(crate) fn is_same_origin(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.origin() == other.origin()
    }

    fn origin(&self) -> (String, u16) {
        let (host, port) = split_port(&self.authority);
        let default = match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        (host.to_ascii_lowercase(), port.unwrap_or(default))
    }

    pub(crate) fn host(&self) -> &str {
        split_port(&self.authority).0
    }
}

impl FromStr for Url {
    type Err = ParseUrlError;

    fn from_str(text: &str) -> Result<Self, ParseUrlError> {
        let fail = || ParseUrlError(text.chars().take(200).collect());
        let uri: Uri = text.parse().map_err(|_| fail())?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ => return Err(fail()),
        };
        let authority = uri.authority().ok_or_else(fail)?.as_str();
        // Credentials inside an address would end in logs.
        if authority.contains('@') || authority.is_empty() {
            return Err(fail());
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        Ok(Self::new(scheme, authority, path))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}{}",
            self.scheme.as_str(),
            self.authority,
            self.path
        )
    }
}

/// `host:port` in its parts; the brackets of an IPv6 address stay with the host.
fn split_port(authority: &str) -> (&str, Option<u16>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (authority, None),
    }
}

/// Whether a host, with or without port, is this machine.
pub(crate) fn is_loopback(authority: &str) -> bool {
    let (host, _) = split_port(authority);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Percent-encodes what may not stand in a query value. `:` and `/` may, and registries are used to reading them.
pub(crate) fn encode(value: &str) -> PercentEncode<'_> {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b':')
        .remove(b'/')
        .remove(b',');
    utf8_percent_encode(value, RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_lead_where_the_standard_says() {
        let here: Url = "https://host:5000/v2/a/blobs/uploads/?x=1".parse().unwrap();
        for (location, expected) in [
            ("/v2/b?c=d", "https://host:5000/v2/b?c=d"),
            ("?c=d", "https://host:5000/v2/a/blobs/uploads/?c=d"),
            (
                "uuid?_state=a%3D",
                "https://host:5000/v2/a/blobs/uploads/uuid?_state=a%3D",
            ),
            ("//other/b", "https://other/b"),
            ("http://other", "http://other/"),
            ("https://other?x#f", "https://other/?x"),
        ] {
            assert_eq!(here.join(location).unwrap().to_string(), expected);
        }
        for location in ["ftp://a/b", "https://user:secret@host/", "a b"] {
            assert!(here.join(location).is_err(), "{location}");
        }
    }

    #[test]
    fn one_more_parameter() {
        let with = |text: &str| {
            text.parse::<Url>()
                .unwrap()
                .with_query("digest", "sha256:a b")
                .path
        };
        assert_eq!(with("http://h/p"), "/p?digest=sha256:a%20b");
        assert_eq!(with("http://h/p?"), "/p?digest=sha256:a%20b");
        assert_eq!(with("http://h/p?a=b"), "/p?a=b&digest=sha256:a%20b");
    }

    #[test]
    fn origins_and_loopback() {
        let url = |text: &str| text.parse::<Url>().unwrap();
        assert!(url("https://H/a").is_same_origin(&url("https://h:443/b")));
        assert!(!url("https://h/a").is_same_origin(&url("http://h/a")));
        assert!(!url("https://h/a").is_same_origin(&url("https://h:444/a")));
        for host in ["localhost:1", "127.0.0.1", "127.9.9.9:5000", "[::1]:5000"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.com", "10.0.0.1", "example.com:127"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
