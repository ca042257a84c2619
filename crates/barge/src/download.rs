//! Fetches a file over HTTP: only if it changed, going on where it broke off, patient with servers that are busy.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Read, Write as _};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, sleep};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::fmt::rfc2822;
use serde::{Deserialize, Serialize};
use ureq::Agent;
use ureq::http::{Response, StatusCode};

use crate::error::Error;

/// How often a file is asked for before giving up.
const ATTEMPTS: u32 = 5;
/// How long the first wait is; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest that a server can make us wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// No archive of advisories is bigger.
const LARGEST: u64 = 4 * 1024 * 1024 * 1024;

/// How often at most, even if each attempt brings a part.
const ATTEMPTS_WITH_PROGRESS: u32 = 50;
/// A server that sends nothing for so long has hung up without saying so.
const STALLED: Duration = Duration::from_secs(60);
/// How much is read at a time, in bytes.
const CHUNK: usize = 128 * 1024;

/// Fetches files.
#[derive(Debug)]
pub(crate) struct Download {
    agent: Agent,
}

/// Whether a fetched file is what it should be, or why not.
pub(crate) type Check<'a> = &'a dyn Fn(&Utf8Path) -> Result<(), barge_vuln::Error>;

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
        check: Check<'_>,
        tell: &dyn Fn(&str),
    ) -> Result<Outcome, Error> {
        let partial = beside(file, "part");
        let size = || fs::metadata(&partial).map_or(0, |data| data.len());
        let (mut wait, mut fruitless, mut have) = (FIRST_WAIT, 0, size());
        for attempt in 1.. {
            let failure = match self.attempt(url, file, check)? {
                Ok(outcome) => return Ok(outcome),
                Err(failure) => failure,
            };
            let now = size();
            if now > have {
                (wait, fruitless) = (FIRST_WAIT, 0);
            }
            (have, fruitless) = (now, fruitless + 1);
            let (reason, asked) = match failure {
                Failure::Again(reason, asked)
                    if fruitless < ATTEMPTS && attempt < ATTEMPTS_WITH_PROGRESS =>
                {
                    (reason, asked)
                }
                Failure::Again(reason, _) | Failure::Final(reason) => {
                    return Err(Error::Download {
                        url: url.to_owned(),
                        reason,
                        attempts: attempt,
                    });
                }
            };
            let pause = asked.unwrap_or_else(|| jittered(wait)).min(LONGEST_WAIT);
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
    fn attempt(
        &self,
        url: &str,
        file: &Utf8Path,
        check: Check<'_>,
    ) -> Result<Result<Outcome, Failure>, Error> {
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
            StatusCode::OK => receive(url, response, file, 0, check),
            StatusCode::PARTIAL_CONTENT if starts_at(&response, have) => {
                receive(url, response, file, have, check)
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
    check: Check<'_>,
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
    if let Err(error) = check(&partial) {
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
fn copy(
    input: impl Read + Send + 'static,
    out: &mut File,
    path: &Utf8Path,
) -> Result<Copied, Error> {
    let chunks = read_apart(input.take(LARGEST));
    let mut bytes = 0;
    let broken = loop {
        match chunks.recv_timeout(STALLED) {
            Ok(Ok(chunk)) => {
                out.write_all(&chunk).map_err(failed("write", path))?;
                bytes += chunk.len() as u64;
            }
            Ok(Err(error)) => break Some(error.to_string()),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = STALLED.as_secs();
                break Some(format!("nothing came for {seconds} seconds"));
            }
            Err(RecvTimeoutError::Disconnected) => break None,
        }
    };
    Ok(Copied { bytes, broken })
}

/// Reads on a thread of its own, so that a server that falls silent can be given up.
fn read_apart(mut input: impl Read + Send + 'static) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::sync_channel(4);
    let read = move || loop {
        let mut chunk = vec![0; CHUNK];
        let read = match input.read(&mut chunk) {
            Ok(0) => return,
            Ok(length) => {
                chunk.truncate(length);
                Ok(chunk)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_over = read.is_err();
        // Nobody listens any more when the attempt was given up.
        if sender.send(read).is_err() || is_over {
            return;
        }
    };
    thread::spawn(read);
    receiver
}

/// A wait with up to half of it on top, so that many jobs do not come back at the same moment.
fn jittered(wait: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 512;
    let part = u32::try_from(random).unwrap_or_default();
    wait + wait * part / 1024
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
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    let wait = header("retry-after").and_then(|wait| retry_after(wait, header("date")));
    Failure::Again(reason, wait)
}

/// `Retry-After` in seconds, or as a date, which is compared with the server's own clock (RFC 9110, section 10.2.3).
fn retry_after(wait: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = wait.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let time = |text: &str| Some(rfc2822::parse(text).ok()?.timestamp().as_second());
    let seconds = time(wait)?.checked_sub(time(date?)?)?;
    Some(Duration::from_secs(
        u64::try_from(seconds).unwrap_or_default(),
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_name_the_wait_in_both_forms() {
        let date = Some("Wed, 21 Oct 2026 07:28:00 GMT");
        let cases = [
            ("7", None, Some(7)),
            ("Wed, 21 Oct 2026 07:28:09 GMT", date, Some(9)),
            ("Wed, 21 Oct 2026 07:00:00 GMT", date, Some(0)),
            ("Wed, 21 Oct 2026 07:28:09 GMT", None, None),
            ("soon", date, None),
        ];
        for (wait, date, wanted) in cases {
            let wanted = wanted.map(Duration::from_secs);
            assert_eq!(retry_after(wait, date), wanted, "{wait}");
        }
        let wait = jittered(Duration::from_secs(2));
        assert!(wait >= Duration::from_secs(2) && wait <= Duration::from_secs(3));
    }
}
