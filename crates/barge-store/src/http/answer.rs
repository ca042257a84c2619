//! What a host answered: its head, its document, or its words when it refuses.

use std::io::Read as _;
use std::time::{Duration, Instant};

use serde::Deserialize;
use ureq::Body;
use ureq::http::{HeaderMap, Response};

use super::error::Error;
use super::retry::retry_after;
use super::transport::failure;
use super::url::Url;

/// How much of a host's own words is shown, in characters.
const SAID_LIMIT: usize = 300;
/// How much of a refusal is read, in bytes.
const WORDS_LIMIT: u64 = 64 << 10;

/// What came back, and from where.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) started: Instant,
}

impl Answer {
    pub(crate) fn new(url: &Url, started: Instant, response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            url: url.clone(),
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
            started,
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn host(&self) -> String {
        self.url.authority.clone()
    }

    /// The body, which must not be longer than a limit nor take longer than documents may.
    pub(crate) fn document(
        self,
        what: &str,
        limit: u64,
        patience: Duration,
    ) -> Result<Vec<u8>, Error> {
        let (host, started) = (self.host(), self.started);
        let mut reader = self.body.into_reader().take(limit + 1);
        let mut bytes = Vec::new();
        let mut buffer = [0; 16 << 10];
        loop {
            let read = reader
                .read(&mut buffer)
                .map_err(|error| failure(&host, what, ureq::Error::from(error)))?;
            if read == 0 {
                return Ok(bytes);
            }
            bytes.extend_from_slice(&buffer[..read]);
            if bytes.len() as u64 > limit {
                return Err(Error::TooLarge {
                    host,
                    what: what.to_owned(),
                    limit,
                });
            }
            if started.elapsed() > patience {
                return Err(Error::Timeout {
                    host,
                    what: what.to_owned(),
                    source: format!("it took longer than {} s", patience.as_secs()).into(),
                });
            }
        }
    }
}

/// An answer that says no.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) host: String,
    pub(crate) status: u16,
    /// How long the host says to wait.
    pub(crate) wait: Option<Duration>,
    /// The host's own words.
    pub(crate) said: String,
}

impl Answer {
    /// Reads why a host refuses. Without its words the status still says what happened.
    pub(crate) fn refusal(self, what: &str, patience: Duration) -> Refusal {
        let (host, status) = (self.host(), self.status);
        let wait = retry_after(&self.headers);
        let body = self.document(what, WORDS_LIMIT, patience);
        let said = words(&body.unwrap_or_default());
        Refusal {
            host,
            status,
            wait,
            said,
        }
    }
}

impl Refusal {
    /// The refusal as an error by its status alone.
    pub(crate) fn of(self, what: &str) -> Error {
        Error::Status {
            host: self.host,
            what: what.to_owned(),
            status: self.status,
            wait: self.wait,
            said: self.said,
        }
    }
}

/// A host's own words out of an error body, on one line and not too many: JSON of registries (distribution-spec, "Error
/// Codes"), twirp and GitHub, the XML of Azure and S3, or plain text.
fn words(body: &[u8]) -> String {
    let line = said(body).split_whitespace().collect::<Vec<_>>().join(" ");
    // Control characters could rewrite the terminal that shows them.
    line.chars()
        .filter(|character| !character.is_control())
        .take(SAID_LIMIT)
        .collect()
}

fn said(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Reply {
        #[serde(default)]
        errors: Vec<Item>,
        #[serde(default, alias = "error_description", alias = "message", alias = "msg")]
        details: Option<String>,
        #[serde(default)]
        documentation_url: Option<String>,
    }
    #[derive(Deserialize)]
    struct Item {
        #[serde(default)]
        code: Option<String>,
        #[serde(default)]
        message: Option<String>,
    }
    let joined = |item: Item| {
        let parts = [item.code, item.message];
        parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
    };
    match serde_json::from_slice::<Reply>(body) {
        Ok(reply) if !reply.errors.is_empty() => {
            let items = reply.errors.into_iter().map(joined);
            items.collect::<Vec<_>>().join("; ")
        }
        Ok(reply) => {
            let parts = [reply.details, reply.documentation_url];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" - ")
        }
        Err(_) => {
            let text = String::from_utf8_lossy(body);
            let text = text.trim_start_matches('\u{feff}').trim_start();
            if text.starts_with('<') {
                // Pages of proxies are no help in a message.
                joined(Item {
                    code: element(text, "Code"),
                    message: element(text, "Message"),
                })
            } else {
                text.to_owned()
            }
        }
    }
}

fn element(xml: &str, name: &str) -> Option<String> {
    let (_, after) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = after.split_once(&format!("</{name}>"))?;
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_hosts_say() {
        for (body, expected) in [
            (
                r#"{"errors":[{"code":"DENIED","message":"no access","detail":null}]}"#,
                "DENIED: no access",
            ),
            (r#"{"details":"incorrect username"}"#, "incorrect username"),
            (r#"{"message":"slow down"}"#, "slow down"),
            (
                r#"{"message":"Not Found","documentation_url":"https://docs"}"#,
                "Not Found - https://docs",
            ),
            (
                r#"{"code":"resource_exhausted","msg":"insufficient usage"}"#,
                "insufficient usage",
            ),
            (
                "\u{feff}<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code><Message>Not\nthere</Message></Error>",
                "BlobNotFound: Not there",
            ),
            ("<html><h1>502</h1></html>", ""),
            ("plain\nwords\u{1b}[31m", "plain words[31m"),
            ("", ""),
        ] {
            assert_eq!(words(body.as_bytes()), expected, "{body}");
        }
    }
}
