//! How hosts are reached: proxies, trust, patience. The caller hands all of it in; nothing here is read from the
//! environment, but that the system's certificates are found where `SSL_CERT_FILE` and `SSL_CERT_DIR` say.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::IpAddr;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::url::{Scheme, Url};

/// How hosts are reached.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// The way out.
    pub proxies: Proxies,
    /// PEM files of authorities to trust besides the system's.
    pub authorities: Vec<Utf8PathBuf>,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// What to do when a host fails for a moment.
    pub retry: Retry,
    /// What hosts see in their logs.
    pub user_agent: String,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            proxies: Proxies::default(),
            authorities: Vec::new(),
            timeouts: Timeouts::default(),
            retry: Retry::default(),
            user_agent: concat!("barge/", env!("CARGO_PKG_VERSION")).into(),
        }
    }
}

/// How long things may take before they count as failed.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Finding and connecting to a host, TLS included.
    pub connect: Duration,
    /// Silence while reading. A slow answer may take as long as it needs.
    pub stall: Duration,
    /// Silence while a host digests what was sent: some copy a blob to its place before they answer.
    pub digest: Duration,
    /// A document: a manifest, token or list, from question to last byte.
    pub document: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            stall: Duration::from_secs(30),
            digest: Duration::from_secs(300),
            document: Duration::from_secs(120),
        }
    }
}

/// What to do when a host fails for a moment.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// How often one question is asked in all.
    pub attempts: u32,
    /// The first pause; each further one is twice as long.
    pub pause: Duration,
    /// The longest pause, also when a host asks for more: then it is not asked again.
    pub longest: Duration,
    /// Spreads the pauses, so that jobs that failed together do not come back together.
    pub seed: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 5,
            pause: Duration::from_millis(500),
            longest: Duration::from_secs(60),
            // The one number that differs between processes and needs neither clock nor file.
            seed: RandomState::new().build_hasher().finish(),
        }
    }
}

/// The way out, as `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say it.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// For plain hosts.
    pub http: Option<String>,
    /// For encrypted hosts.
    pub https: Option<String>,
    /// Hosts that are reached without: domains, addresses, networks, or `*`.
    pub direct: Vec<String>,
}

impl Proxies {
    /// Takes the usual variables from a lookup; lower case wins, as with curl.
    pub fn from_variables(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let either = |lower: &str, upper: &str| {
            let value = lookup(lower).or_else(|| lookup(upper));
            value.filter(|value| !value.trim().is_empty())
        };
        let direct = either("no_proxy", "NO_PROXY").unwrap_or_default();
        // A CGI server hands a request's `Proxy` header on as HTTP_PROXY; only the lower case is safe there.
        let is_cgi = lookup("REQUEST_METHOD").is_some();
        Self {
            http: either("http_proxy", if is_cgi { "" } else { "HTTP_PROXY" }),
            https: either("https_proxy", "HTTPS_PROXY"),
            direct: direct
                .split([',', ' '])
                .map(str::trim)
                .filter(|entry| !entry.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }

    pub(crate) fn of(&self, scheme: Scheme) -> Option<&str> {
        match scheme {
            Scheme::Http => self.http.as_deref(),
            Scheme::Https => self.https.as_deref(),
        }
    }

    /// Whether a host is reached without a proxy. This machine always is.
    pub(crate) fn is_direct(&self, url: &Url) -> bool {
        super::url::is_loopback(&url.authority)
            || self.direct.iter().any(|entry| {
                entry == "*" || entry == &url.authority || is_within(url.host(), entry)
            })
    }
}

fn is_within(host: &str, entry: &str) -> bool {
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_ascii_lowercase();
    if let Ok(address) = host.parse::<IpAddr>() {
        let (network, length) = entry.split_once('/').unwrap_or((entry, ""));
        return match network.parse::<IpAddr>() {
            Ok(network) if length.is_empty() => network == address,
            Ok(network) => length
                .parse()
                .is_ok_and(|length| shares_prefix(address, network, length)),
            Err(_) => false,
        };
    }
    let domain = entry
        .trim_start_matches('*')
        .trim_start_matches('.')
        .to_ascii_lowercase();
    !domain.is_empty()
        && host
            .strip_suffix(&domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn shares_prefix(address: IpAddr, network: IpAddr, length: u32) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    };
    let width = if address.is_ipv4() { 32 } else { 128 };
    address.is_ipv4() == network.is_ipv4()
        && length <= width
        && (bits(address) ^ bits(network)).leading_zeros() >= length
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn proxies_are_chosen_as_curl_does() {
        let variables = BTreeMap::from([
            ("HTTPS_PROXY", "http://proxy:3128"),
            ("https_proxy", "http://lower:3128"),
            ("NO_PROXY", "internal.example, .corp,10.0.0.0/8,host:5000"),
        ]);
        let proxies =
            Proxies::from_variables(|name| variables.get(name).map(|value| (*value).to_owned()));
        assert_eq!(proxies.of(Scheme::Https), Some("http://lower:3128"));
        assert_eq!(proxies.of(Scheme::Http), None);
        for (host, direct) in [
            ("internal.example", true),
            ("a.internal.example:5000", true),
            ("notinternal.example", false),
            ("x.corp", true),
            ("10.2.3.4:5000", true),
            ("11.2.3.4", false),
            ("host:5000", true),
            ("host:5001", false),
            ("localhost", true),
            ("ghcr.io", false),
        ] {
            let url = Url::new(Scheme::Https, host, "/".into());
            assert_eq!(proxies.is_direct(&url), direct, "{host}");
        }
    }
}
