//! Why a host did not give or take what it was asked for, whatever protocol it speaks above HTTP.

use std::io;
use std::time::Duration;

use barge_image::Digest;

use super::retry::is_passing;

/// The error of every request.
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
        /// The host's own words.
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
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { source, .. } => unreachable_hint(&source.to_string()),
            Self::Insecure { .. } => {
                Some("if that is meant, name the host as one to speak plain HTTP to".into())
            }
            Self::Digest { .. } | Self::Size { .. } => Some(
                "the host, a mirror or a proxy on the way changed the bytes; nothing was kept"
                    .into(),
            ),
            _ => None,
        }
    }

    /// Whether asking again may help.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => source
                .downcast_ref::<io::Error>()
                // TLS that does not fit will not fit the next time either.
                .is_some_and(|error| error.kind() != io::ErrorKind::InvalidData),
            Self::Timeout { .. } => true,
            Self::Status { status, .. } => is_passing(*status),
            _ => false,
        }
    }

    /// How long the host says to wait.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match self {
            Self::Status { wait, .. } => *wait,
            _ => None,
        }
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

/// A host's own words at the end of a message, if it said any.
pub(crate) fn quoted(words: &str) -> String {
    if words.is_empty() {
        String::new()
    } else {
        format!(": {words}")
    }
}
