//! The requests of the object-store library, over this crate's own connections: one set of proxies, certificates and
//! limits for every store.
//!
//! The library is async, the connections block. Each of its operations runs on a thread of its own, which waits for it
//! anyway, so blocking inside it costs nobody else anything.

use std::fmt;
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame};
use object_store::client::{
    ClientConfigKey, ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind,
    HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use ureq::BodyReader;
use ureq::http::StatusCode;
use ureq::http::response::Parts;

use crate::http::{Scheme, Transport, Url, is_loopback, is_passing, retry_after};

const BUFFER: usize = 128 << 10;

/// Connects the library to this crate's connections.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) transport: Arc<Transport>,
    /// The longest that a server may ask to be left alone.
    pub(super) longest: Duration,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let allowed = options.get_config_value(&ClientConfigKey::AllowHttp);
        Ok(HttpClient::new(Service {
            transport: Arc::clone(&self.transport),
            longest: self.longest,
            is_plain_allowed: allowed.as_deref() == Some("true"),
        }))
    }
}

#[derive(Debug)]
struct Service {
    transport: Arc<Transport>,
    longest: Duration,
    is_plain_allowed: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not encrypted, and `allow_http` is not set")]
struct NotEncrypted(String);

#[derive(Debug, thiserror::Error)]
#[error("the server is busy ({status}) and asks to be left alone for {} s", .asked.as_secs())]
struct Busy {
    status: StatusCode,
    asked: Duration,
}

impl Service {
    /// Keys and signatures go only where they are encrypted.
    fn check(&self, url: &Url) -> Result<(), HttpError> {
        let is_near = is_loopback(&url.authority) || is_metadata(url.host());
        if url.scheme == Scheme::Https || is_near || self.is_plain_allowed {
            return Ok(());
        }
        let error = NotEncrypted(format!("http://{}", url.authority));
        Err(HttpError::new(HttpErrorKind::Unknown, error))
    }

    /// Waits as long as a busy server wants; the library asks again after a pause of its own and does not look at it.
    fn leave_alone(&self, answer: &Parts) -> Result<(), HttpError> {
        let status = answer.status;
        let asked = retry_after(&answer.headers).filter(|_| is_passing(status.as_u16()));
        match asked {
            // An error of this kind is final.
            Some(asked) if asked > self.longest => Err(HttpError::new(
                HttpErrorKind::Unknown,
                Busy { status, asked },
            )),
            Some(asked) => {
                thread::sleep(asked);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let url = head.uri.to_string().parse::<Url>();
        let url = url.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        self.check(&url)?;
        // The library's own error is never an error here: its bodies lie in memory.
        let body = body.collect().await?.to_bytes();
        let answer = self.transport.forward(&url, head, &body).map_err(failed)?;
        let (head, body) = answer.into_parts();
        self.leave_alone(&head)?;
        let reader = body.into_with_config().limit(u64::MAX).reader();
        let body = HttpResponseBody::new(Blocking(Mutex::new(reader)));
        Ok(HttpResponse::from_parts(head, body))
    }
}

/// Whether a host is the one that tells a machine of a cloud who it is: it is asked in plain, inside the machine's host.
fn is_metadata(host: &str) -> bool {
    matches!(host, "metadata.google.internal" | "metadata")
        || host
            .parse()
            .is_ok_and(|address: Ipv4Addr| address.is_link_local())
}

fn failed(error: ureq::Error) -> HttpError {
    let kind = match &error {
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => HttpErrorKind::Connect,
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            HttpErrorKind::Connect
        }
        ureq::Error::Io(error) if error.kind() != std::io::ErrorKind::InvalidData => {
            HttpErrorKind::Interrupted
        }
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}

/// A body that blocks. The lock is for the library, which wants to share what it never shares.
struct Blocking(Mutex<BodyReader<'static>>);

impl fmt::Debug for Blocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blocking")
    }
}

impl Body for Blocking {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let mut buffer = vec![0; BUFFER];
        let mut reader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Poll::Ready(match reader.read(&mut buffer) {
            Ok(0) => None,
            Ok(read) => {
                buffer.truncate(read);
                Some(Ok(Frame::data(Bytes::from(buffer))))
            }
            Err(error) => Some(Err(failed(ureq::Error::from(error)))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HttpOptions;

    #[test]
    fn keys_go_only_where_they_are_encrypted() {
        let transport = Arc::new(Transport::new(HttpOptions::default()).unwrap());
        let check = |is_plain_allowed: bool, url: &str| {
            let service = Service {
                transport: Arc::clone(&transport),
                longest: Duration::ZERO,
                is_plain_allowed,
            };
            service.check(&url.parse().unwrap()).is_ok()
        };
        for url in [
            "https://s3.amazonaws.com/b/k",
            "http://127.0.0.1:9000/b/k",
            "http://169.254.169.254/latest/meta-data",
            "http://metadata.google.internal/computeMetadata/v1",
        ] {
            assert!(check(false, url), "{url}");
        }
        for url in ["http://minio.example:9000/b/k", "http://metadata.evil/x"] {
            assert!(!check(false, url), "{url}");
            assert!(check(true, url), "{url}");
        }
    }
}
