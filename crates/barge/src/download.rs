//! Fetches a file over HTTP: only if it changed, going on where it broke off, patient with servers that are busy.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::thread::sleep;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use ureq::Agent;
use ureq::http::{Response, StatusCode};

use crate::error::Error;

/// How often a file is asked for before giving up.
const ATTEMPTS: u32 = 5;
/// The longest that a server can make us wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// No archive of advisories is bigger.
const LARGEST: u64 = 4 * 1024 * 1024 * 1024;

/// Fetches files.
#[derive(Debug)]
pub(crate) struct Download {
    agent: Agent,
}

/// What became of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The one that is there is the newest.
    Unchanged,
    /// It was fetched, with so many bytes.
    Fetched(u64),
}

/// What is known of a fetched file, kept beside it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct State {
    url: String,
    etag: Option<String>,
    last_modified: Option<String>,
    size: u64,
}

/// Why an attempt failed, and whether another may work.
enum Failure {
    Again(String, Option<Duration>),
    Final(String),
}

impl Download {
    pub(crate) fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(30)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .user_agent(concat!("barge/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
        }
    }

    /// Brings a file up to date.
    pub(crate) fn fetch(
        &self,
        url: &str,
        file: &Utf8Path,
        tell: &dyn Fn(&str),
    ) -> Result<Outcome, Error> {
        let mut wait = Duration::from_millis(500);
        for attempt in 1.. {
            let failure = match self.attempt(url, file)? {
                Ok(outcome) => return Ok(outcome),
                Err(failure) => failure,
            };
            let (reason, asked) = match failure {
                Failure::Again(reason, asked) if attempt < ATTEMPTS => (reason, asked),
                Failure::Again(reason, _) | Failure::Final(reason) => {
                    return Err(Error::Download {
                        url: url.to_owned(),
                        reason,
                        attempts: attempt,
                    });
                }
            };
            let pause = asked.unwrap_or(wait).min(LONGEST_WAIT);
            tell(&format!(
                "{url}: {reason}; again in {:.1} s",
                pause.as_secs_f64()
            ));
            sleep(pause);
            wait = wait.saturating_mul(2);
        }
        Ok(Outcome::Unchanged)
    }

    /// One attempt. The outer error is of this machine, the inner one of the network or server.
    fn attempt(&self, url: &str, file: &Utf8Path) -> Result<Result<Outcome, Failure>, Error> {
        let partial = beside(file, "part");
        let known =
            read_state(&beside(file, "state")).filter(|state| state.url == url && file.exists());
        let begun = read_state(&beside(file, "part-state")).filter(|state| state.url == url);
        let have = fs::metadata(&partial).map_or(0, |data| data.len());
        let mut request = self.agent.get(url);
        match (&begun, have) {
            // A weak validator does not promise the same bytes.
            (
                Some(State {
                    etag: Some(etag), ..
                }),
                1..,
            ) if !etag.starts_with("W/") => {
                request = request
                    .header("Range", format!("bytes={have}-"))
                    .header("If-Range", etag);
            }
            _ => {
                if let Some(state) = &known {
                    if let Some(etag) = &state.etag {
                        request = request.header("If-None-Match", etag);
                    } else if let Some(time) = &state.last_modified {
                        request = request.header("If-Modified-Since", time);
                    }
                }
            }
        }
        let response = match request.call() {
            Ok(response) => response,
            Err(error) => return Ok(Err(Failure::Again(error.to_string(), None))),
        };
        match response.status() {
            StatusCode::NOT_MODIFIED if known.is_some() => Ok(Ok(Outcome::Unchanged)),
            StatusCode::OK => receive(url, response, file, 0),
            StatusCode::PARTIAL_CONTENT if starts_at(&response, have) => {
                receive(url, response, file, have)
            }
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                remove(&partial)?;
                let reason = "the server has other bytes now".to_owned();
                Ok(Err(Failure::Again(reason, Some(Duration::ZERO))))
            }
            status => Ok(Err(refusal(status, &response))),
        }
    }
}

/// Writes what is received behind what is there already; puts the whole in place when it is complete.
fn receive(
    url: &str,
    response: Response<ureq::Body>,
    file: &Utf8Path,
    have: u64,
) -> Result<Result<Outcome, Failure>, Error> {
    let partial = beside(file, "part");
    let header = |name: &str| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let length: Option<u64> = header("content-length").and_then(|length| length.parse().ok());
    let mut state = State {
        url: url.to_owned(),
        etag: header("etag"),
        last_modified: header("last-modified"),
        size: 0,
    };
    write_state(&beside(file, "part-state"), &state)?;
    let mut out = OpenOptions::new()
        .create(true)
        .write(true)
        .append(have > 0)
        .truncate(have == 0)
        .open(&partial)
        .map_err(failed("write", &partial))?;
    let copied = copy(response.into_body().into_reader(), &mut out, &partial)?;
    state.size = have + copied.bytes;
    if let Some(reason) = copied.broken {
        return Ok(Err(Failure::Again(reason, None)));
    }
    if length.is_some_and(|length| length != copied.bytes) {
        let reason = format!("it broke off after {} bytes", state.size);
        return Ok(Err(Failure::Again(reason, None)));
    }
    out.sync_all().map_err(failed("write", &partial))?;
    if let Err(error) = barge_vuln::check_archive(partial.as_std_path()) {
        remove(&partial)?;
        return Ok(Err(Failure::Again(error.to_string(), None)));
    }
    fs::rename(&partial, file).map_err(failed("write", file))?;
    write_state(&beside(file, "state"), &state)?;
    remove(&beside(file, "part-state"))?;
    Ok(Ok(Outcome::Fetched(state.size)))
}

struct Copied {
    bytes: u64,
    broken: Option<String>,
}

/// Copies to a file; failing to read is the network's fault, failing to write is this machine's.
fn copy(input: impl Read, out: &mut File, path: &Utf8Path) -> Result<Copied, Error> {
    let mut input = input.take(LARGEST);
    let mut buffer = vec![0; 128 * 1024];
    let mut bytes = 0;
    loop {
        match input.read(&mut buffer) {
            Ok(0) => {
                return Ok(Copied {
                    bytes,
                    broken: None,
                });
            }
            Ok(read) => {
                let chunk = buffer.get(..read).unwrap_or_default();
                out.write_all(chunk).map_err(failed("write", path))?;
                bytes += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                let broken = Some(error.to_string());
                return Ok(Copied { bytes, broken });
            }
        }
    }
}

/// Whether a part of a file starts where ours ends: `Content-Range: bytes 500-999/1000`.
fn starts_at(response: &Response<ureq::Body>, have: u64) -> bool {
    let range = response
        .headers()
        .get("content-range")
        .and_then(|range| range.to_str().ok());
    let start = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('-'));
    start.is_some_and(|(start, _)| start.parse() == Ok(have))
}

fn refusal(status: StatusCode, response: &Response<ureq::Body>) -> Failure {
    let reason = format!("the server answered {status}");
    let busy = status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT;
    if !busy && !status.is_server_error() {
        return Failure::Final(reason);
    }
    let wait = response
        .headers()
        .get("retry-after")
        .and_then(|wait| wait.to_str().ok());
    Failure::Again(
        reason,
        wait.and_then(|wait| wait.parse().ok())
            .map(Duration::from_secs),
    )
}

fn beside(file: &Utf8Path, suffix: &str) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{file}.{suffix}"))
}

/// A state that cannot be read is none: the file is fetched anew.
fn read_state(path: &Utf8Path) -> Option<State> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn write_state(path: &Utf8Path, state: &State) -> Result<(), Error> {
    let text = serde_json::to_vec(state).unwrap_or_default();
    fs::write(path, text).map_err(failed("write", path))
}

fn remove(path: &Utf8Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

fn failed(action: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File {
        action,
        path,
        source,
    }
}
