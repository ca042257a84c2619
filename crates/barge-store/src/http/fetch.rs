//! Files and documents from anywhere: a file only if it changed, going on where it broke off, also in the next process.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::thread::sleep;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::error::Error;
use super::exchange::{Exchange, Question};
use super::options::HttpOptions;
use super::transport::failure;
use super::url::Url;

/// No file of advisories is bigger, in bytes.
const LARGEST: u64 = 4 << 40;
/// How often a file is asked for at most, even if each attempt brings a part.
const ATTEMPTS_WITH_PROGRESS: u32 = 50;
/// How much is read at a time, in bytes.
const CHUNK: usize = 128 << 10;

/// Fetches files and documents.
#[derive(Debug)]
pub struct Fetch {
    exchange: Exchange,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The one that is there is the newest.
    Unchanged,
    /// It was fetched, with so many bytes.
    Fetched(u64),
}

/// Why a file was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The host did not give it.
    #[error(transparent)]
    Http(#[from] Error),
    /// What came is not what it should be.
    #[error("what `{url}` gave is damaged: {reason}")]
    Damaged {
        /// What was asked for.
        url: String,
        /// What the check said.
        reason: String,
    },
    /// This machine could not keep it.
    #[error("cannot {action} `{path}`")]
    File {
        /// `write` or `remove`.
        action: &'static str,
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What is known of a fetched file, kept beside it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct State {
    url: String,
    etag: Option<String>,
    last_modified: Option<String>,
    size: u64,
}

/// A file, and what lies beside it: its state, and a part of what will replace it with that one's state.
struct Copy<'a> {
    url: &'a str,
    file: &'a Utf8Path,
    part: Utf8PathBuf,
    state: Utf8PathBuf,
    part_state: Utf8PathBuf,
}

impl Fetch {
    /// Prepares to fetch; nobody is asked yet.
    ///
    /// # Errors
    /// When a proxy or a file of certificates cannot be used.
    pub fn new(options: HttpOptions) -> Result<Self, Error> {
        let retry = options.retry;
        let exchange = Exchange::new(options, retry)?;
        Ok(Self { exchange })
    }

    /// Reads a document of at most `limit` bytes.
    ///
    /// # Errors
    /// When the host refuses or fails, or gives more.
    pub fn document(
        &self,
        url: &str,
        headers: Vec<(&'static str, String)>,
        limit: u64,
    ) -> Result<Vec<u8>, Error> {
        let (parsed, what) = (parse(url)?, format!("`{url}`"));
        let question = Question {
            headers,
            ..Question::get(&parsed, &what)
        };
        let patience = self.exchange.patience();
        let take = |answer: Answer| answer.document(&what, limit, patience);
        self.exchange.run(&question, take)
    }

    /// Brings a file up to date. What `check` refuses is thrown away and fetched anew; `tell` hears of every attempt that
    /// failed, if another follows.
    ///
    /// # Errors
    /// When the host refuses, fails again and again, or gives what `check` refuses; or when the disk refuses. The file
    /// that was there stays then.
    pub fn file<E: std::fmt::Display>(
        &self,
        url: &str,
        file: &Utf8Path,
        check: impl Fn(&Utf8Path) -> Result<(), E>,
        tell: impl Fn(&str),
    ) -> Result<Outcome, FetchError> {
        let (address, copy) = (parse(url)?, Copy::new(url, file));
        let (mut attempts, mut failed) = (0, 0);
        loop {
            let before = copy.have();
            let error = match self.attempt(&address, &copy, &check) {
                Ok(outcome) => return Ok(outcome),
                Err(error) => error,
            };
            (attempts, failed) = (attempts + 1, failed + 1);
            if copy.have() > before {
                failed = 1;
            }
            let pause = self.pause_after(&error, failed);
            let Some(pause) = pause.filter(|_| attempts < ATTEMPTS_WITH_PROGRESS) else {
                return Err(error);
            };
            tell(&format!("{error}; again in {:.1} s", pause.as_secs_f64()));
            sleep(pause);
        }
    }

    fn pause_after(&self, error: &FetchError, failed: u32) -> Option<Duration> {
        match error {
            FetchError::Http(error) if error.is_passing() => {
                self.exchange.pause_after(failed, error.wait())
            }
            FetchError::Damaged { .. } => self.exchange.pause_after(failed, None),
            _ => None,
        }
    }

    fn attempt<E: std::fmt::Display>(
        &self,
        url: &Url,
        copy: &Copy<'_>,
        check: impl Fn(&Utf8Path) -> Result<(), E>,
    ) -> Result<Outcome, FetchError> {
        let what = format!("`{}`", copy.url);
        let ask = |headers| {
            self.exchange.once(&Question {
                headers,
                accept: &[200, 206, 304, 416],
                ..Question::get(url, &what)
            })
        };
        let have = copy.have();
        let mut answer = ask(copy.conditions(have))?;
        let is_continued = answer.status == 206 && starts_at(&answer, have);
        if matches!(answer.status, 206 | 416) && !is_continued {
            // The server has other bytes now.
            remove(&copy.part)?;
            answer = ask(copy.conditions(0))?;
        }
        match answer.status {
            304 => return Ok(Outcome::Unchanged),
            200 => copy.receive(answer, 0)?,
            206 if is_continued => copy.receive(answer, have)?,
            status => {
                return Err(FetchError::Http(Error::Protocol {
                    host: answer.host(),
                    what,
                    found: format!("status {status} for a whole file"),
                }));
            }
        }
        copy.accept(check)
    }
}

impl<'a> Copy<'a> {
    fn new(url: &'a str, file: &'a Utf8Path) -> Self {
        let beside = |suffix: &str| Utf8PathBuf::from(format!("{file}.{suffix}"));
        Self {
            url,
            file,
            part: beside("part"),
            state: beside("state"),
            part_state: beside("part-state"),
        }
    }

    /// How many bytes of what will replace the file are there.
    fn have(&self) -> u64 {
        fs::metadata(&self.part).map_or(0, |data| data.len())
    }

    /// A state that cannot be read is none: the file is fetched anew.
    fn read(&self, path: &Utf8Path) -> Option<State> {
        let state: State = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        (state.url == self.url).then_some(state)
    }

    fn write(path: &Utf8Path, state: &State) -> Result<(), FetchError> {
        let text = serde_json::to_vec(state).unwrap_or_default();
        fs::write(path, text).map_err(failed("write", path))
    }

    /// What makes the answer shorter: the rest of a part, or nothing if nothing changed.
    fn conditions(&self, have: u64) -> Vec<(&'static str, String)> {
        let begun = self.read(&self.part_state).filter(|_| have > 0);
        // A weak validator does not promise the same bytes.
        let strong = begun.and_then(|state| state.etag.filter(|etag| !etag.starts_with("W/")));
        if let Some(etag) = strong {
            return vec![("range", format!("bytes={have}-")), ("if-range", etag)];
        }
        let known = self.read(&self.state).filter(|_| self.file.exists());
        let known = known.unwrap_or_default();
        let by_etag = known.etag.map(|etag| ("if-none-match", etag));
        let by_time = known.last_modified.map(|time| ("if-modified-since", time));
        by_etag.or(by_time).into_iter().collect()
    }

    /// Writes what comes behind what is there already.
    fn receive(&self, answer: Answer, have: u64) -> Result<(), FetchError> {
        let header = |name: &str| answer.header(name).map(str::to_owned);
        let state = State {
            url: self.url.to_owned(),
            etag: header("etag"),
            last_modified: header("last-modified"),
            size: 0,
        };
        Self::write(&self.part_state, &state)?;
        let mut out = OpenOptions::new()
            .create(true)
            .write(true)
            .append(have > 0)
            .truncate(have == 0)
            .open(&self.part)
            .map_err(failed("write", &self.part))?;
        self.pour(answer, &mut out)?;
        out.sync_all().map_err(failed("write", &self.part))
    }

    /// Failing to read is the host's fault, failing to write is this machine's.
    fn pour(&self, answer: Answer, out: &mut File) -> Result<(), FetchError> {
        let (host, what) = (answer.host(), format!("`{}`", self.url));
        let broken = |error| FetchError::Http(failure(&host, &what, ureq::Error::from(error)));
        let length = answer.header("content-length");
        let length: Option<u64> = length.and_then(|length| length.parse().ok());
        let body = answer.body.into_with_config().limit(LARGEST);
        let (mut body, mut buffer, mut received) = (body.reader(), vec![0; CHUNK], 0);
        loop {
            match body.read(&mut buffer) {
                Ok(0) if length.is_none_or(|length| length == received) => return Ok(()),
                Ok(0) => return Err(broken(io::ErrorKind::UnexpectedEof.into())),
                Ok(read) => {
                    let written = out.write_all(&buffer[..read]);
                    written.map_err(failed("write", &self.part))?;
                    received += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(error)),
            }
        }
    }

    /// Puts the whole in the place of the file.
    fn accept<E: std::fmt::Display>(
        &self,
        check: impl Fn(&Utf8Path) -> Result<(), E>,
    ) -> Result<Outcome, FetchError> {
        if let Err(error) = check(&self.part) {
            remove(&self.part)?;
            return Err(FetchError::Damaged {
                url: self.url.to_owned(),
                reason: error.to_string(),
            });
        }
        let state = State {
            size: self.have(),
            ..self.read(&self.part_state).unwrap_or_default()
        };
        fs::rename(&self.part, self.file).map_err(failed("write", self.file))?;
        Self::write(&self.state, &state)?;
        remove(&self.part_state)?;
        Ok(Outcome::Fetched(state.size))
    }
}

/// Whether a part of a file starts where ours ends: `Content-Range: bytes 500-999/1000`.
fn starts_at(answer: &Answer, have: u64) -> bool {
    let range = answer.header("content-range");
    let start = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('-'));
    start.is_some_and(|(start, _)| start.parse() == Ok(have))
}

fn parse(url: &str) -> Result<Url, Error> {
    url.parse().map_err(|_| Error::Setting {
        what: "an address",
        value: url.to_owned(),
        reason: "it is no HTTP address without credentials".into(),
    })
}

fn remove(path: &Utf8Path) -> Result<(), FetchError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

fn failed(action: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> FetchError {
    let path = path.to_owned();
    move |source| FetchError::File {
        action,
        path,
        source,
    }
}
