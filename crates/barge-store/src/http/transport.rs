//! One HTTP request over a pool of connections: no redirects, no logins, no second try.

use std::fs;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use barge_image::Extent;
use rustls::crypto::ring;
use ureq::http::request::Parts;
use ureq::http::{Method, Request, Response};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Proxy, SendBody};

use super::error::Error;
use super::options::HttpOptions;
use super::url::{Scheme, Url};

/// Four threads read at once, and the manifest's connection is a fifth.
const IDLE_CONNECTIONS: usize = 8;
const BUFFER: usize = 64 << 10;

/// How much silence is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// An answer is expected at once.
    Answer,
    /// The host digests what it got.
    Digest,
}

/// What a request carries.
#[derive(Clone, Copy)]
pub(crate) enum Payload<'a> {
    None,
    Bytes(&'a [u8]),
    /// A run of a file; the function is told how many bytes went out.
    File(&'a Extent, &'a dyn Fn(u64)),
}

/// Connections to hosts, direct and by proxy.
#[derive(Debug)]
pub(crate) struct Transport {
    direct: Paces,
    http: Option<Paces>,
    https: Option<Paces>,
    options: HttpOptions,
}

/// Connections know their limits from the start: one set for each pace.
#[derive(Debug)]
struct Paces {
    answer: Agent,
    digest: Agent,
}

impl Transport {
    pub(crate) fn new(options: HttpOptions) -> Result<Self, Error> {
        let tls = tls(&options)?;
        let by_proxy = |scheme| {
            let address = options.proxies.of(scheme)?;
            Some(proxy(address).map(|proxy| Paces::new(&options, &tls, Some(&proxy))))
        };
        let http = by_proxy(Scheme::Http).transpose()?;
        let https = by_proxy(Scheme::Https).transpose()?;
        let direct = Paces::new(&options, &tls, None);
        Ok(Self {
            direct,
            http,
            https,
            options,
        })
    }

    pub(crate) fn options(&self) -> &HttpOptions {
        &self.options
    }

    pub(crate) fn send(
        &self,
        method: &Method,
        url: &Url,
        headers: &[(&'static str, String)],
        payload: Payload<'_>,
        pace: Pace,
    ) -> Result<Response<Body>, ureq::Error> {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(url.to_string());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let agent = self.agent(url, pace);
        tracing::debug!(%method, url = %url.path.split('?').next().unwrap_or(""), host = %url.authority, "request");
        match payload {
            Payload::None if method == Method::GET || method == Method::HEAD => {
                agent.run(request.body(())?)
            }
            Payload::None => agent.run(request.body(&[][..])?),
            Payload::Bytes(bytes) => agent.run(request.body(bytes)?),
            Payload::File(extent, sent) => {
                let mut reader = Counting {
                    inner: extent.reader(),
                    sent,
                };
                let request = request.header("content-length", extent.len());
                agent.run(request.body(SendBody::from_reader(&mut reader))?)
            }
        }
    }

    /// Sends a request that somebody else has made, headers and all.
    pub(crate) fn forward(
        &self,
        url: &Url,
        head: Parts,
        body: &[u8],
    ) -> Result<Response<Body>, ureq::Error> {
        tracing::debug!(method = %head.method, host = %url.authority, "request");
        let is_read = head.method == Method::GET || head.method == Method::HEAD;
        if body.is_empty() && is_read {
            let agent = self.agent(url, Pace::Answer);
            return agent.run(Request::from_parts(head, ()));
        }
        let agent = self.agent(url, Pace::Digest);
        agent.run(Request::from_parts(head, body))
    }

    fn agent(&self, url: &Url, pace: Pace) -> &Agent {
        let by_proxy = match url.scheme {
            Scheme::Http => &self.http,
            Scheme::Https => &self.https,
        };
        let paces = match by_proxy {
            Some(paces) if !self.options.proxies.is_direct(url) => paces,
            _ => &self.direct,
        };
        match pace {
            Pace::Answer => &paces.answer,
            Pace::Digest => &paces.digest,
        }
    }
}

impl Paces {
    fn new(options: &HttpOptions, tls: &TlsConfig, proxy: Option<&Proxy>) -> Self {
        let timeouts = options.timeouts;
        let agent = |silence: Duration, answer: Duration| -> Agent {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .proxy(proxy.cloned())
                .tls_config(tls.clone())
                .user_agent(&options.user_agent)
                .max_idle_connections_per_host(IDLE_CONNECTIONS)
                .max_idle_connections(2 * IDLE_CONNECTIONS)
                .output_buffer_size(BUFFER)
                .input_buffer_size(BUFFER)
                .timeout_resolve(Some(timeouts.connect))
                .timeout_connect(Some(timeouts.connect))
                .timeout_recv_response(Some(answer))
                .timeout_per_read(Some(silence))
                .timeout_per_write(Some(timeouts.stall))
                .build()
                .into()
        };
        Self {
            answer: agent(timeouts.stall, timeouts.document),
            digest: agent(timeouts.digest, timeouts.digest),
        }
    }
}

/// Trusts whom the system trusts: private registries are signed by authorities that only the machine knows.
fn tls(options: &HttpOptions) -> Result<TlsConfig, Error> {
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "a certificate of the system cannot be read");
    }
    let mut roots: Vec<Certificate<'static>> = system
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect();
    for path in &options.authorities {
        let fail = |reason: String| Error::Setting {
            what: "a file of certificates",
            value: path.to_string(),
            reason,
        };
        let pem = fs::read(path).map_err(|error| fail(error.to_string()))?;
        let before = roots.len();
        for item in parse_pem(&pem) {
            if let PemItem::Certificate(certificate) =
                item.map_err(|error| fail(error.to_string()))?
            {
                roots.push(certificate);
            }
        }
        if roots.len() == before {
            return Err(fail("it holds no certificate".into()));
        }
    }
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build())
}

fn proxy(address: &str) -> Result<Proxy, Error> {
    Proxy::new(address).map_err(|error| Error::Setting {
        what: "a proxy",
        // The address may carry a password.
        value: address.rsplit('@').next().unwrap_or_default().to_owned(),
        reason: error.to_string(),
    })
}

struct Counting<'a, R> {
    inner: R,
    sent: &'a dyn Fn(u64),
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        (self.sent)(read as u64);
        Ok(read)
    }
}

/// A failure of the connection in the words of this crate.
pub(crate) fn failure(host: &str, what: &str, error: ureq::Error) -> Error {
    let (host, what) = (host.to_owned(), what.to_owned());
    match error {
        ureq::Error::Timeout(_) => Error::Timeout {
            host,
            what,
            source: error.into(),
        },
        ureq::Error::Io(error) => Error::Unreachable {
            host,
            what,
            source: error.into(),
        },
        _ => Error::Unreachable {
            host,
            what,
            source: error.into(),
        },
    }
}
