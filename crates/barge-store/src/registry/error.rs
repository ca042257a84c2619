//! Why a registry did not give or take what it was asked for.

use std::io;
use std::time::Duration;

use barge_image::{Digest, Error as ImageError, MediaType, Platform, Reference};
use serde::Deserialize;

/// How much of a registry's own words is shown, in characters.
const SAID_LIMIT: usize = 300;

/// The error of every registry operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection, or it broke off, again and again.
    #[error("cannot reach `{host}` for {what}")]
    Unreachable {
        /// The host that was asked.
        host: String,
        /// What it was asked for.
        what: String,
        /// What the system or TLS said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The host took the question and then said nothing.
    #[error("`{host}` did not answer in time for {what}")]
    Timeout {
        /// The host that was asked.
        host: String,
        /// What it was asked for.
        what: String,
        /// Which limit was reached.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The registry wants to know who asks, or does not believe it.
    #[error("`{host}` wants a login for {what}{}", quoted(.said))]
    Unauthorized {
        /// The host that was asked.
        host: String,
        /// The name that `docker login` takes.
        login: String,
        /// What it was asked for.
        what: String,
        /// Who asked, when credentials were sent.
        user: Option<String>,
        /// The registry's own words.
        said: String,
    },
    /// The registry knows who asks, and does not allow it.
    #[error("`{host}` denies {what}{}", quoted(.said))]
    Denied {
        /// The host that was asked.
        host: String,
        /// The name that `docker login` takes.
        login: String,
        /// What it was asked for.
        what: String,
        /// Who asked, when credentials were sent.
        user: Option<String>,
        /// The registry's own words.
        said: String,
    },
    /// It is not there.
    #[error("`{host}` has no {what}{}", quoted(.said))]
    NotFound {
        /// The host that was asked.
        host: String,
        /// What it was asked for.
        what: String,
        /// The registry's own words.
        said: String,
    },
    /// Too many requests, and waiting as long as allowed did not help.
    #[error("`{host}` limits how often it is asked, for {what}{}", quoted(.said))]
    RateLimited {
        /// The host that was asked.
        host: String,
        /// The name that `docker login` takes.
        login: String,
        /// What it was asked for.
        what: String,
        /// How long it says to wait.
        wait: Option<Duration>,
        /// Who asked, when credentials were sent.
        user: Option<String>,
        /// The registry's own words.
        said: String,
    },
    /// Another status than the protocol has for this.
    #[error("`{host}` answered {status} for {what}{}", quoted(.said))]
    Status {
        /// The host that was asked.
        host: String,
        /// What it was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
        /// How long it says to wait.
        wait: Option<Duration>,
        /// The registry's own words.
        said: String,
    },
    /// An answer that the protocol does not allow.
    #[error("`{host}` gave a wrong answer for {what}: {found}")]
    Protocol {
        /// The host that was asked.
        host: String,
        /// What it was asked for.
        what: String,
        /// What is wrong with the answer.
        found: String,
    },
    /// Bytes that are not what they are called.
    #[error("`{host}` gave {found} for {what}, not {expected}")]
    Digest {
        /// The host that was asked.
        host: String,
        /// What it was asked for.
        what: String,
        /// What its name says.
        expected: Digest,
        /// What its bytes or headers say.
        found: Digest,
    },
    /// A length that is not what the descriptor says.
    #[error("`{host}` gave {found} bytes for {what}, not {expected}")]
    Size {
        /// The host that was asked.
        host: String,
        /// What it was asked for.
        what: String,
        /// What the descriptor says, in bytes.
        expected: u64,
        /// What came, in bytes; no more than one byte beyond what was expected is read.
        found: u64,
    },
    /// A document that is larger than barge reads into memory.
    #[error("`{host}` gave more than {limit} bytes for {what}")]
    TooLarge {
        /// The host that was asked.
        host: String,
        /// What it was asked for.
        what: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// Sent from one place to the next without end.
    #[error("`{host}` redirects {what} more than {limit} times")]
    Redirects {
        /// The host that was asked.
        host: String,
        /// What it was asked for.
        what: String,
        /// The limit.
        limit: usize,
    },
    /// A secure host points to one that is not, or a plain one was not asked for.
    #[error("`{host}` leads to `{to}`, which is not encrypted, for {what}")]
    Insecure {
        /// The host that was asked.
        host: String,
        /// Where it leads.
        to: String,
        /// What it was asked for.
        what: String,
    },
    /// No image for the wanted platform.
    #[error("`{reference}` has no image for {wanted}")]
    Platform {
        /// What was asked for.
        reference: Reference,
        /// The platform.
        wanted: Platform,
        /// The platforms that there are.
        found: Vec<String>,
    },
    /// A manifest of a kind that is no image, or of a form that is no longer written.
    #[error("`{reference}` is of type `{media_type}`, which barge does not read")]
    Unsupported {
        /// What was asked for.
        reference: Reference,
        /// What it is.
        media_type: MediaType,
    },
    /// A name that says one digest for bytes that have another.
    #[error("cannot push {found} as `{reference}`")]
    Name {
        /// The name.
        reference: Reference,
        /// The digest of the manifest.
        found: Digest,
    },
    /// Credentials that cannot be read.
    #[error("cannot read the credentials for `{registry}`: {reason}")]
    Credentials {
        /// The registry.
        registry: String,
        /// Why.
        reason: String,
    },
    /// Settings of the connection that make no sense.
    #[error("cannot use `{value}` as {what}: {reason}")]
    Setting {
        /// Which setting.
        what: &'static str,
        /// Its value.
        value: String,
        /// Why.
        reason: String,
    },
    /// A file on this side could not be read or written, or the image is not whole.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A layer on this side could not be read.
    #[error("cannot read {what}")]
    Read {
        /// The blob.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unauthorized {
                login, user: None, ..
            } => Some(format!(
                "log in with `docker login {login}`; some registries answer like this for names that do not exist"
            )),
            Self::Unauthorized {
                login,
                user: Some(user),
                ..
            } => Some(format!(
                "the login of `{user}` was not accepted or does not reach this far: `docker login {login}` again"
            )),
            Self::Denied {
                login, user: None, ..
            } => Some(format!("log in with `docker login {login}`")),
            Self::Denied {
                user: Some(user), ..
            } => Some(format!(
                "`{user}` lacks the right: the token needs the scope to read or write this repository"
            )),
            Self::NotFound { .. } => {
                Some("the name or tag is wrong, or what makes it was skipped or failed".into())
            }
            Self::RateLimited {
                login, wait, user, ..
            } => {
                let when = wait.map_or_else(
                    || "later".to_owned(),
                    |wait| format!("in {} s", wait.as_secs()),
                );
                Some(match user {
                    None => format!(
                        "`docker login {login}` raises the limit; or name a mirror, or try again {when}"
                    ),
                    Some(_) => format!("name a mirror, or try again {when}"),
                })
            }
            Self::Unreachable { source, .. } => unreachable_hint(&source.to_string()),
            Self::Insecure { .. } => {
                Some("if that is meant, name the host as one to speak plain HTTP to".into())
            }
            Self::Platform { found, .. } if found.is_empty() => Some("its index is empty".into()),
            Self::Platform { found, .. } => Some(format!("it has {}", found.join(", "))),
            Self::Unsupported { media_type, .. }
                if media_type
                    .as_str()
                    .starts_with(super::manifests::OLD_MANIFEST) =>
            {
                Some("it has the form of before 2016: push it again with a current engine".into())
            }
            Self::Digest { .. } | Self::Size { .. } => Some(
                "the registry, a mirror or a proxy on the way changed the bytes; nothing was kept"
                    .into(),
            ),
            Self::Image(source) => source.hint(),
            _ => None,
        }
    }

    /// Whether it is not there, which some questions take for an answer.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}

fn unreachable_hint(source: &str) -> Option<String> {
    let source = source.to_lowercase();
    if source.contains("unknownissuer") || source.contains("unknown issuer") {
        Some("its certificate is signed by an authority that this machine does not know: add it to the system's, or name its file".into())
    } else if source.contains("invalidcontenttype") || source.contains("corrupt") {
        Some("it does not speak TLS on this port: name the host as one to speak plain HTTP to, if that is meant".into())
    } else {
        None
    }
}

fn quoted(words: &str) -> String {
    if words.is_empty() {
        String::new()
    } else {
        format!(": {words}")
    }
}

/// A registry's own words out of an error body (distribution-spec, "Error Codes"), on one line and not too many.
pub(super) fn words(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        errors: Vec<Item>,
        #[serde(default, alias = "error_description", alias = "message")]
        details: Option<String>,
    }
    #[derive(Deserialize)]
    struct Item {
        #[serde(default)]
        code: Option<String>,
        #[serde(default)]
        message: Option<String>,
    }
    let text = match serde_json::from_slice::<Body>(body) {
        Ok(body) if !body.errors.is_empty() => {
            let items = body.errors.into_iter().map(|item| {
                let parts = [item.code, item.message];
                parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
            });
            items.collect::<Vec<_>>().join("; ")
        }
        Ok(body) => body.details.unwrap_or_default(),
        // Pages of proxies are no help in a message.
        Err(_) if body.trim_ascii().starts_with(b"<") => String::new(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Control characters could rewrite the terminal that shows them.
    line.chars()
        .filter(|character| !character.is_control())
        .take(SAID_LIMIT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_registries_say() {
        for (body, expected) in [
            (
                r#"{"errors":[{"code":"DENIED","message":"no access","detail":null}]}"#,
                "DENIED: no access",
            ),
            (r#"{"details":"incorrect username"}"#, "incorrect username"),
            (r#"{"message":"slow down"}"#, "slow down"),
            ("<html><h1>502</h1></html>", ""),
            ("plain\nwords\u{1b}[31m", "plain words[31m"),
            ("", ""),
        ] {
            assert_eq!(words(body.as_bytes()), expected, "{body}");
        }
    }
}
