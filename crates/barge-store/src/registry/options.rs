//! How registries are reached: logins, mirrors, plain hosts. The caller hands all of it in.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::credentials::Keyring;
use super::error::Error;
use crate::http::{Error as HttpError, HttpOptions, ParseUrlError, Url};

/// How registries are reached.
#[derive(Debug, Clone, Default)]
pub struct RegistryOptions {
    /// Who asks.
    pub keyring: Keyring,
    /// Hosts, with port if they have one, to speak plain HTTP to. Loopback hosts need not be named.
    pub plain_http: BTreeSet<String>,
    /// Places to ask before a registry itself, when reading.
    pub mirrors: BTreeMap<String, Vec<Mirror>>,
    /// How any host is reached.
    pub http: HttpOptions,
    /// Uploads go in pieces of this many bytes; `None` sends a blob whole, and in pieces only after it broke off.
    pub chunk: Option<u64>,
}

/// A place that answers for a registry, with the same repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror(pub(super) Url);

impl FromStr for Mirror {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let address = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let mut url: Url = address
            .parse()
            .map_err(|error: ParseUrlError| HttpError::Setting {
                what: "a mirror",
                value: text.to_owned(),
                reason: error.to_string(),
            })?;
        url.path.truncate(url.path.trim_end_matches('/').len());
        Ok(Self(url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_hosts_or_addresses() {
        let text = |text: &str| text.parse::<Mirror>().unwrap().0.to_string();
        assert_eq!(text("mirror.gcr.io"), "https://mirror.gcr.io");
        assert_eq!(
            text("http://127.0.0.1:5000/proxy/"),
            "http://127.0.0.1:5000/proxy"
        );
        assert!("ftp://mirror".parse::<Mirror>().is_err());
    }
}
