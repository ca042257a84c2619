//! One request, one connection: requests are few and large, and a fresh connection has no state to be wrong about.

use std::pin::Pin;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::host::DockerHost;
use super::tls;
use crate::error::Error;

/// How long a daemon may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a daemon may stay silent in an exchange. Exports of a containerd store begin after up to half a minute.
pub(super) const SILENCE: Duration = Duration::from_secs(300);
/// The longest answer that is read into memory, in bytes: a list of ten thousand images.
const ANSWER_LIMIT: usize = 64 << 20;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A request body of any kind.
pub(super) type RequestBody = Pin<Box<dyn Body<Data = Bytes, Error = std::io::Error> + Send>>;

/// What is asked, in the words of an error message, and how.
pub(super) struct Call {
    pub(super) action: String,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) content_type: &'static str,
    /// How long to wait for the first byte of the answer. Loads and builds answer when they like.
    pub(super) patience: Option<Duration>,
}

impl Call {
    pub(super) fn new(method: Method, path: impl Into<String>, action: impl Into<String>) -> Self {
        let (path, action) = (path.into(), action.into());
        Self {
            action,
            method,
            path,
            content_type: "application/json",
            patience: Some(SILENCE),
        }
    }
}

async fn connect(host: &DockerHost) -> Result<Box<dyn Stream>, Error> {
    let open = async {
        match host {
            DockerHost::Unix(path) => UnixStream::connect(path)
                .await
                .map(|s| Box::new(s) as Box<dyn Stream>),
            DockerHost::Tcp(address) => TcpStream::connect(address)
                .await
                .map(|s| Box::new(s) as Box<dyn Stream>),
            DockerHost::Tls {
                address,
                certificates,
            } => tls::connect(address, certificates)
                .await
                .map(|s| Box::new(s) as Box<dyn Stream>),
        }
    };
    let unreachable = |source| Error::Unreachable {
        host: host.clone(),
        source,
    };
    timeout(CONNECT, open)
        .await
        .map_err(|elapsed| unreachable(elapsed.into()))?
        .map_err(unreachable)
}

/// Sends a request and returns the answer's head, whatever its status. The connection ends by itself when the answer's body
/// was read or dropped.
pub(super) async fn send(
    host: &DockerHost,
    call: &Call,
    body: RequestBody,
) -> Result<Response<Incoming>, Error> {
    let (answer, mut connection) = open(host, call, body).await?;
    connection.detach_all();
    Ok(answer)
}

/// The same, for exchanges that may be given up: the connection ends with what is returned beside the answer, and with it
/// whoever still writes the request's body or reads the answer's.
pub(super) async fn open(
    host: &DockerHost,
    call: &Call,
    body: RequestBody,
) -> Result<(Response<Incoming>, JoinSet<hyper::Result<()>>), Error> {
    let broken = |source: hyper::Error| broken(host, call, source);
    let stream = connect(host).await?;
    let (mut sender, exchange) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let mut connection = JoinSet::new();
    connection.spawn(exchange);
    let request = Request::builder()
        .method(call.method.clone())
        .uri(&call.path)
        .header("host", "docker")
        .header("content-type", call.content_type)
        .body(body)
        .map_err(|source| Error::Broken {
            host: host.clone(),
            action: call.action.clone(),
            source: Box::new(source),
        })?;
    let answer = sender.send_request(request);
    let answer = match call.patience {
        None => answer.await.map_err(broken),
        Some(patience) => timeout(patience, answer)
            .await
            .map_err(|_| silent(host, call, patience))?
            .map_err(broken),
    };
    let answer = match answer {
        // The connection itself knows what ended it, such as a daemon that wants a certificate.
        Err(canceled) => match connection.try_join_next() {
            Some(Ok(Err(source))) => Err(broken(source)),
            _ => Err(canceled),
        },
        answer => answer,
    };
    let status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
    tracing::debug!(method = %call.method, path = %call.path, status, "asked {host}");
    Ok((answer?, connection))
}

/// Reads an answer into memory.
pub(super) async fn collect(
    host: &DockerHost,
    call: &Call,
    answer: Response<Incoming>,
) -> Result<Bytes, Error> {
    let read = Limited::new(answer.into_body(), ANSWER_LIMIT).collect();
    let collected = timeout(SILENCE, read).await.map_err(|_| Error::Silent {
        host: host.clone(),
        action: call.action.clone(),
        after: SILENCE,
    })?;
    collected
        .map(http_body_util::Collected::to_bytes)
        .map_err(|source| Error::Broken {
            host: host.clone(),
            action: call.action.clone(),
            source,
        })
}

/// Turns a refusal into an error with the daemon's own words.
pub(super) async fn accepted(
    host: &DockerHost,
    call: &Call,
    answer: Response<Incoming>,
) -> Result<Response<Incoming>, Error> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let bytes = collect(host, call, answer).await?;
    Err(refused(call, status, &bytes))
}

pub(super) fn refused(call: &Call, status: StatusCode, bytes: &[u8]) -> Error {
    #[derive(serde::Deserialize)]
    struct Refusal {
        message: String,
    }
    let message = serde_json::from_slice::<Refusal>(bytes).map_or_else(
        |_| String::from_utf8_lossy(bytes).trim().to_owned(),
        |refusal| refusal.message,
    );
    Error::Refused {
        action: call.action.clone(),
        status: status.as_u16(),
        message,
    }
}

fn broken(host: &DockerHost, call: &Call, source: hyper::Error) -> Error {
    Error::Broken {
        host: host.clone(),
        action: call.action.clone(),
        source: Box::new(source),
    }
}

fn silent(host: &DockerHost, call: &Call, after: Duration) -> Error {
    Error::Silent {
        host: host.clone(),
        action: call.action.clone(),
        after,
    }
}
