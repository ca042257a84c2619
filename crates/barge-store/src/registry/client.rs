//! One question to a registry until it is answered: logins, redirects, further attempts (distribution-spec 1.1).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::Method;

use super::authorization::{Authorization, Authorizer, Scopes, Wish};
use super::challenge::Challenge;
use super::endpoint::{Endpoint, host};
use super::error::{Error, No};
use super::options::RegistryOptions;
use crate::http::{
    Answer, Backoff, Pace, Payload, Scheme, Transport, Url, failure, is_loopback, is_redirect,
    next, until_answered,
};

/// One for a request without a token, one for a token that ended.
const CHALLENGE_LIMIT: usize = 2;

/// A question, with all that it takes to ask it again.
#[derive(Clone)]
pub(super) struct Ask<'a> {
    pub(super) wish: Wish<'a>,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) payload: Payload<'a>,
    pub(super) pace: Pace,
    /// The statuses that are answers; all others are errors.
    pub(super) accept: &'a [u16],
}

impl<'a> Ask<'a> {
    pub(super) fn get(wish: Wish<'a>, url: Url) -> Self {
        Self {
            wish,
            method: Method::GET,
            url,
            headers: Vec::new(),
            payload: Payload::None,
            pace: Pace::Answer,
            accept: &[200],
        }
    }
}

/// Asks registries.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) options: RegistryOptions,
    transport: Transport,
    authorizer: Authorizer,
    backoff: Backoff,
    /// How hosts on this machine are spoken to, as far as they were asked.
    loopback: Mutex<BTreeMap<String, Scheme>>,
    dead_mirrors: Mutex<BTreeSet<String>>,
}

/// Registries, asked with one set of options. Connections and tokens are kept and shared by threads.
#[derive(Debug)]
pub struct Registry {
    pub(super) client: Client,
}

impl Registry {
    /// Prepares to ask registries; none is asked yet.
    ///
    /// # Errors
    /// When a proxy or a file of certificates cannot be used.
    pub fn new(options: RegistryOptions) -> Result<Self, Error> {
        let client = Client::new(options)?;
        Ok(Self { client })
    }
}

impl Client {
    pub(super) fn new(options: RegistryOptions) -> Result<Self, Error> {
        Ok(Self {
            backoff: Backoff::new(options.http.retry),
            transport: Transport::new(options.http.clone())?,
            authorizer: Authorizer::new(options.keyring.clone(), options.plain_http.clone()),
            loopback: Mutex::default(),
            dead_mirrors: Mutex::default(),
            options,
        })
    }

    pub(super) fn document_patience(&self) -> Duration {
        self.options.http.timeouts.document
    }

    /// The registry itself.
    pub(super) fn home(&self, registry: &str) -> Endpoint {
        let host = host(registry);
        let scheme = if self.options.plain_http.contains(registry) {
            Scheme::Http
        } else if is_loopback(host) {
            self.loopback_scheme(host)
        } else {
            Scheme::Https
        };
        Endpoint::of_registry(registry, scheme)
    }

    /// Asks the mirrors of a registry, then the registry itself, whose error counts.
    pub(super) fn read<T>(
        &self,
        registry: &str,
        mut ask: impl FnMut(&Endpoint) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mirrors = self.options.mirrors.get(registry);
        for mirror in mirrors.into_iter().flatten() {
            let endpoint = Endpoint::of_mirror(mirror);
            let name = endpoint.base.to_string();
            if self.dead_mirrors().contains(&name) {
                continue;
            }
            match ask(&endpoint) {
                Ok(found) => return Ok(found),
                Err(error) if error.is_local() => return Err(error),
                Err(error) => {
                    tracing::warn!(mirror = %name, %error, "the mirror failed; asking the next place");
                    if !error.is_not_found() {
                        self.dead_mirrors().insert(name);
                    }
                }
            }
        }
        ask(&self.home(registry))
    }

    fn dead_mirrors(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.dead_mirrors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks until there is an answer or no patience left.
    pub(super) fn run(&self, ask: &Ask<'_>) -> Result<Answer, Error> {
        self.run_and(ask, Ok)
    }

    /// Asks until the answer could also be taken in: a connection may break off inside a document, too.
    pub(super) fn run_and<T>(
        &self,
        ask: &Ask<'_>,
        take: impl Fn(Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        until_answered(
            || self.once(ask).and_then(&take),
            |failed, error| self.pause(ask.wish.endpoint, failed, error),
        )
    }

    /// Sleeps before the next attempt; false when there is none.
    pub(super) fn pause(&self, endpoint: &Endpoint, failed: u32, error: &Error) -> bool {
        let is_worth_it = !endpoint.is_mirror && error.is_passing();
        is_worth_it && self.backoff.sleep(failed, error, error.wait())
    }

    /// Asks once; logs in and follows redirects on the way.
    pub(super) fn once(&self, ask: &Ask<'_>) -> Result<Answer, Error> {
        let base = &ask.wish.endpoint.base;
        let mut url = ask.url.clone();
        let mut authorization = self.authorizer.known(&self.transport, &ask.wish)?;
        let (mut challenges, mut redirects) = (0, 0);
        loop {
            // A secret for the registry is for no one else, wherever it leads.
            let is_home = url.is_same_origin(base);
            let mut headers = ask.headers.clone();
            if let Some(authorization) = authorization.as_ref().filter(|_| is_home) {
                headers.push(("authorization", authorization.header.clone()));
            }
            let started = Instant::now();
            let response = self
                .transport
                .send(&ask.method, &url, &headers, ask.payload, ask.pace);
            let response =
                response.map_err(|error| failure(&url.authority, ask.wish.what, error))?;
            let answer = Answer::new(&url, started, response);
            if ask.accept.contains(&answer.status) {
                return Ok(answer);
            }
            match answer.status {
                401 if is_home && challenges < CHALLENGE_LIMIT => {
                    challenges += 1;
                    match self.log_in(ask, &answer, authorization.as_ref())? {
                        Some(fresh) => authorization = Some(fresh),
                        None => return Err(self.refusal(ask, authorization.as_ref(), answer)),
                    }
                }
                status if is_redirect(&ask.method, status) => {
                    redirects += 1;
                    url = next(&answer, ask.wish.what, redirects)?;
                }
                _ => return Err(self.refusal(ask, authorization.as_ref(), answer)),
            }
        }
    }

    fn log_in(
        &self,
        ask: &Ask<'_>,
        answer: &Answer,
        refused: Option<&Authorization>,
    ) -> Result<Option<Authorization>, Error> {
        let Some(challenge) = Challenge::of(&answer.headers) else {
            return Ok(None);
        };
        self.authorizer
            .answer(&self.transport, &ask.wish, &challenge, refused)
    }

    /// An answer that says no, in the words of this crate.
    fn refusal(
        &self,
        ask: &Ask<'_>,
        authorization: Option<&Authorization>,
        answer: Answer,
    ) -> Error {
        let is_home = answer.url.is_same_origin(&ask.wish.endpoint.base);
        let no = match answer.status {
            401 if is_home => No::Unauthorized,
            403 if is_home => No::Denied,
            404 => No::NotFound,
            429 => No::RateLimited,
            _ => No::Other,
        };
        let user = authorization.and_then(|authorization| authorization.user.clone());
        let (what, login) = (ask.wish.what, &ask.wish.endpoint.login);
        Error::refused(
            no,
            answer.refusal(what, self.document_patience()),
            what,
            login,
            user,
        )
    }

    /// Asks a host on this machine how it is spoken to. Plain first: nothing leaves the machine, and a server that wants
    /// TLS says so at once, while one that does not may wait for ever for the end of a TLS greeting.
    fn loopback_scheme(&self, host: &str) -> Scheme {
        let mut known = self.loopback.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scheme) = known.get(host) {
            return *scheme;
        }
        let try_as = |scheme| {
            let url = Url::new(scheme, host, "/v2/".into());
            self.transport
                .send(&Method::GET, &url, &[], Payload::None, Pace::Answer)
        };
        let scheme = match try_as(Scheme::Http) {
            // Go's servers and nginx answer a plain request on a TLS port with 400.
            Ok(response) if response.status() == 400 => Scheme::Https,
            Ok(_) => Scheme::Http,
            Err(ureq::Error::Io(error))
                if error.kind() == std::io::ErrorKind::ConnectionRefused =>
            {
                // It may not be up yet: nothing is learnt.
                return Scheme::Http;
            }
            Err(_) if try_as(Scheme::Https).is_ok() => Scheme::Https,
            Err(_) => Scheme::Http,
        };
        known.insert(host.to_owned(), scheme);
        scheme
    }

    /// What tokens for a question must allow, and how it is called in messages.
    pub(super) fn wish<'a>(
        endpoint: &'a Endpoint,
        path: &'a str,
        scopes: &'a Scopes,
        what: &'a str,
    ) -> Wish<'a> {
        Wish {
            endpoint,
            path,
            scopes,
            what,
        }
    }
}

impl Error {
    /// Whether asking again may help.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Http(error) => error.is_passing(),
            Self::RateLimited { .. } => true,
            _ => false,
        }
    }

    /// Whether it went wrong on this side: no other place would help.
    fn is_local(&self) -> bool {
        matches!(self, Self::Image(_) | Self::Credentials { .. })
    }

    fn wait(&self) -> Option<Duration> {
        match self {
            Self::Http(error) => error.wait(),
            Self::RateLimited { wait, .. } => *wait,
            _ => None,
        }
    }
}
