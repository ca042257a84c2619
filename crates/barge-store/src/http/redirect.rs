//! Following redirects (RFC 9110 section 15.4): for a while, and never from an encrypted host to a plain one.

use ureq::http::Method;

use super::answer::Answer;
use super::error::Error;
use super::url::{Scheme, Url};

const LIMIT: usize = 5;

/// Whether an answer sends the question on. Only 307 and 308 promise that a request which changes something is repeated
/// as it was.
pub(crate) fn is_redirect(method: &Method, status: u16) -> bool {
    match status {
        301..=303 => method == Method::GET || method == Method::HEAD,
        307 | 308 => true,
        _ => false,
    }
}

/// Where an answer leads, which is the `count`th of its question that leads on.
pub(crate) fn next(answer: &Answer, what: &str, count: usize) -> Result<Url, Error> {
    let (host, what) = (answer.host(), what.to_owned());
    if count > LIMIT {
        let limit = LIMIT;
        return Err(Error::Redirects { host, what, limit });
    }
    let Some(location) = answer.header("location") else {
        let found = "a redirect that leads nowhere".into();
        return Err(Error::Protocol { host, what, found });
    };
    let next = answer.url.join(location).map_err(|error| {
        let found = error.to_string();
        let (host, what) = (host.clone(), what.clone());
        Error::Protocol { host, what, found }
    })?;
    if answer.url.scheme == Scheme::Https && next.scheme == Scheme::Http {
        let to = format!("http://{}", next.authority);
        return Err(Error::Insecure { host, to, what });
    }
    Ok(next)
}
