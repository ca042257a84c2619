//! Why a registry did not give or take what it was asked for.

use std::io;
use std::time::Duration;

use barge_image::{Digest, Error as ImageError, MediaType, Platform, Reference};

use crate::http::{Error as HttpError, Refusal, quoted};

/// The error of every registry operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The host is not reached, or does not do what HTTP and the protocol say.
    #[error(transparent)]
    Http(#[from] HttpError),
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
    /// A text that cannot be a tag.
    #[error("`{0}` is no tag")]
    Tag(String),
    /// A registry that keeps everything.
    #[error("`{host}` does not let anybody remove {what}")]
    NoDelete {
        /// The host that was asked.
        host: String,
        /// What was to be removed.
        what: String,
    },
    /// A name that says one digest for bytes that have another.
    #[error("cannot push {found} as `{reference}`")]
    Name {
        /// The name.
        reference: Reference,
        /// The digest of the manifest.
        found: Digest,
    },
    /// An image that a registry did not take under all its names, and so under none.
    #[error("cannot push `{reference}`{}", kept(.left))]
    Push {
        /// The name that was refused.
        reference: Reference,
        /// Names that were moved to the image before, and could not be moved back.
        left: Vec<Reference>,
        /// Why it was refused.
        source: Box<Self>,
    },
    /// A name that was put, and stands for something else when it is read back.
    #[error("`{reference}` was put, and does not stand for {expected} but for {}", found.map_or_else(|| "nothing".to_owned(), |found| found.to_string()))]
    Unconfirmed {
        /// The name.
        reference: Reference,
        /// What was put.
        expected: Digest,
        /// What it stands for, if anything.
        found: Option<Digest>,
    },
    /// Credentials that cannot be read.
    #[error("cannot read the credentials for `{registry}`: {reason}")]
    Credentials {
        /// The registry.
        registry: String,
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

/// What a refusal means.
#[derive(Debug, Clone, Copy)]
pub(super) enum No {
    Unauthorized,
    Denied,
    NotFound,
    RateLimited,
    Other,
}

impl Error {
    /// An answer that says no, in the words of this crate.
    pub(super) fn refused(
        no: No,
        refusal: Refusal,
        what: &str,
        login: &str,
        user: Option<String>,
    ) -> Self {
        let (
            Refusal {
                host, wait, said, ..
            },
            login,
        ) = match no {
            No::Other => return refusal.of(what).into(),
            _ => (refusal, login.to_owned()),
        };
        let what = what.to_owned();
        match no {
            No::Unauthorized => Self::Unauthorized {
                host,
                login,
                what,
                user,
                said,
            },
            No::Denied => Self::Denied {
                host,
                login,
                what,
                user,
                said,
            },
            No::RateLimited => Self::RateLimited {
                host,
                login,
                what,
                wait,
                user,
                said,
            },
            No::NotFound | No::Other => Self::NotFound { host, what, said },
        }
    }

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
            Self::Http(source) => source.hint(),
            Self::Platform { found, .. } if found.is_empty() => Some("its index is empty".into()),
            Self::Platform { found, .. } => Some(format!("it has {}", found.join(", "))),
            Self::Unsupported { media_type, .. }
                if media_type
                    .as_str()
                    .starts_with(super::manifests::OLD_MANIFEST) =>
            {
                Some("it has the form of before 2016: push it again with a current engine".into())
            }
            Self::NoDelete { .. } => Some(
                "removing is switched off there: its own retention rules see to it, or its settings allow it".into(),
            ),
            Self::Image(source) => source.hint(),
            Self::Push { source, .. } => source.hint(),
            Self::Unconfirmed { .. } => Some("another job pushes the same name at the same time".into()),
            _ => None,
        }
    }

    pub(super) fn push(reference: &Reference) -> impl FnOnce(Self) -> Self {
        let reference = reference.clone();
        move |source| Self::Push {
            reference,
            left: Vec::new(),
            source: Box::new(source),
        }
    }

    /// Whether it is not there, which some questions take for an answer.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}

fn kept(left: &[Reference]) -> String {
    if left.is_empty() {
        return String::new();
    }
    let names: Vec<_> = left.iter().map(|name| format!("`{name}`")).collect();
    format!("; {} could not be moved back", names.join(", "))
}
