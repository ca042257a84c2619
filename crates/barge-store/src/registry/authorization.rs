//! Tokens and passwords for requests (distribution, "token authentication" and "oauth2").
//!
//! Registries say how they want to be asked in the answer to the first request; it is remembered, so that later requests
//! carry the right header from the start. Nothing here is ever sent to another host than the one it is for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use ureq::http::Method;

use super::challenge::Challenge;
use super::credentials::{Credentials, Keyring};
use super::endpoint::Endpoint;
use super::error::{Error, No};
use crate::http::{
    Answer, Error as HttpError, Pace, ParseUrlError, Payload, Scheme, Transport, Url, encode,
    failure, is_loopback,
};
use crate::secret::Secret;

const TOKEN_LIMIT: u64 = 1 << 20;
/// What the specification says where a token server does not.
const TOKEN_LIFE: Duration = Duration::from_secs(60);
/// A token is renewed before it ends, so that it does not end on the way.
const TOKEN_MARGIN: Duration = Duration::from_secs(10);
const CLIENT: &str = "barge";

/// What a request may do: `repository:PATH:pull,push`, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scopes(Vec<String>);

impl Scopes {
    pub(super) fn pull(path: &str) -> Self {
        Self(vec![format!("repository:{path}:pull")])
    }

    pub(super) fn push(path: &str) -> Self {
        Self(vec![format!("repository:{path}:pull,push")])
    }

    /// Registries differ in what deleting needs: `delete` alone, or writing as well.
    pub(super) fn delete(path: &str) -> Self {
        Self(vec![format!("repository:{path}:pull,push,delete")])
    }

    /// Also reading from another repository.
    pub(super) fn and_pull(mut self, path: &str) -> Self {
        self.0.push(format!("repository:{path}:pull"));
        self
    }

    /// What a registry names besides; what it names of the same repository is covered.
    fn with_challenge(&self, scope: Option<&str>) -> Vec<String> {
        let mut scopes = self.0.clone();
        for asked in scope.unwrap_or_default().split(' ') {
            let resource = asked.rsplit_once(':').map_or(asked, |(start, _)| start);
            let is_covered = scopes.iter().any(|held| {
                held.rsplit_once(':')
                    .is_some_and(|(start, _)| start == resource)
            });
            if !asked.is_empty() && !is_covered {
                scopes.push(asked.to_owned());
            }
        }
        scopes
    }
}

/// The value of an `Authorization` header.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Authorization {
    pub(super) header: String,
    /// Who asks; `None` for a token that anybody gets.
    pub(super) user: Option<String>,
}

#[derive(Debug, Default)]
struct State {
    challenges: BTreeMap<String, Challenge>,
    credentials: BTreeMap<(String, String), Option<Credentials>>,
    tokens: BTreeMap<(String, Scopes), Token>,
}

#[derive(Debug)]
struct Token {
    secret: Secret,
    ends: Instant,
}

/// Remembers how registries want to be asked, and the tokens.
#[derive(Debug)]
pub(super) struct Authorizer {
    keyring: Keyring,
    /// Hosts that may be sent a password in plain.
    plain_http: BTreeSet<String>,
    state: Mutex<State>,
}

/// What a request asks, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) endpoint: &'a Endpoint,
    /// The repository.
    pub(super) path: &'a str,
    pub(super) scopes: &'a Scopes,
    /// In words, for messages.
    pub(super) what: &'a str,
}

impl Authorizer {
    pub(super) fn new(keyring: Keyring, plain_http: BTreeSet<String>) -> Self {
        Self {
            keyring,
            plain_http,
            state: Mutex::default(),
        }
    }

    /// What a request carries from the start, as far as it is known.
    pub(super) fn known(
        &self,
        transport: &Transport,
        wish: &Wish<'_>,
    ) -> Result<Option<Authorization>, Error> {
        let mut state = self.lock();
        let place = wish.endpoint.base.to_string();
        let Some(challenge) = state.challenges.get(&place).cloned() else {
            return Ok(None);
        };
        self.authorization(&mut state, transport, wish, &challenge)
    }

    /// What the next request carries after a registry refused one that carried `refused`.
    pub(super) fn answer(
        &self,
        transport: &Transport,
        wish: &Wish<'_>,
        challenge: &Challenge,
        refused: Option<&Authorization>,
    ) -> Result<Option<Authorization>, Error> {
        let mut state = self.lock();
        let key = (wish.endpoint.base.to_string(), wish.scopes.clone());
        state.challenges.insert(key.0.clone(), challenge.clone());
        // Another thread may have a newer token by now.
        let is_refused =
            |token: &Token| refused.is_some_and(|refused| refused.header == bearer(&token.secret));
        if state.tokens.get(&key).is_some_and(is_refused) {
            state.tokens.remove(&key);
        }
        let authorization = self.authorization(&mut state, transport, wish, challenge)?;
        Ok(authorization
            .filter(|fresh| refused.is_none_or(|refused| refused.header != fresh.header)))
    }

    /// Threads that need the same token wait for one to fetch it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn authorization(
        &self,
        state: &mut State,
        transport: &Transport,
        wish: &Wish<'_>,
        challenge: &Challenge,
    ) -> Result<Option<Authorization>, Error> {
        let credentials = self.credentials(state, wish)?;
        let user = credentials.as_ref().map(|found| found.user().to_owned());
        let header = match (challenge, &credentials) {
            (_, Some(Credentials::Access(token))) => bearer(token),
            (Challenge::Basic, Some(Credentials::Password { user, password })) => {
                Credentials::basic(user, password)
            }
            (Challenge::Basic, _) => return Ok(None),
            (Challenge::Bearer { .. }, _) => {
                let key = (wish.endpoint.base.to_string(), wish.scopes.clone());
                let now = Instant::now();
                match state.tokens.get(&key).filter(|token| token.ends > now) {
                    Some(token) => bearer(&token.secret),
                    None => {
                        let token = self.fetch(transport, wish, challenge, credentials.as_ref())?;
                        let header = bearer(&token.secret);
                        state.tokens.insert(key, token);
                        header
                    }
                }
            }
        };
        Ok(Some(Authorization { header, user }))
    }

    fn credentials(
        &self,
        state: &mut State,
        wish: &Wish<'_>,
    ) -> Result<Option<Credentials>, Error> {
        let key = (wish.endpoint.login.clone(), wish.path.to_owned());
        if let Some(known) = state.credentials.get(&key) {
            return Ok(known.clone());
        }
        let found = self.keyring.find(&key.0, &key.1)?;
        state.credentials.insert(key, found.clone());
        Ok(found)
    }
}

fn bearer(token: &Secret) -> String {
    format!("Bearer {}", token.reveal())
}

impl Authorizer {
    /// Buys a token.
    fn fetch(
        &self,
        transport: &Transport,
        wish: &Wish<'_>,
        challenge: &Challenge,
        credentials: Option<&Credentials>,
    ) -> Result<Token, Error> {
        let Challenge::Bearer {
            realm,
            service,
            scope,
        } = challenge
        else {
            return Err(wrong(wish, "it wants no token".into()));
        };
        let realm: Url = realm
            .parse()
            .map_err(|error: ParseUrlError| wrong(wish, error.to_string()))?;
        self.check_realm(wish, &realm)?;
        let mut parameters: Vec<(&str, String)> = Vec::new();
        parameters.extend(service.clone().map(|service| ("service", service)));
        let scopes = wish.scopes.with_challenge(scope.as_deref());
        let started = Instant::now();
        let (method, url, headers, form) = match credentials {
            Some(Credentials::Identity(token)) => {
                parameters.extend([
                    ("grant_type", "refresh_token".to_owned()),
                    ("client_id", CLIENT.to_owned()),
                    ("scope", scopes.join(" ")),
                    ("refresh_token", token.reveal().to_owned()),
                ]);
                let form: Vec<_> = parameters
                    .iter()
                    .map(|(name, value)| format!("{name}={}", encode(value)))
                    .collect();
                let kind = "application/x-www-form-urlencoded".to_owned();
                (
                    Method::POST,
                    realm,
                    vec![("content-type", kind)],
                    form.join("&"),
                )
            }
            _ => {
                parameters.extend(scopes.into_iter().map(|scope| ("scope", scope)));
                let mut headers = Vec::new();
                if let Some(Credentials::Password { user, password }) = credentials {
                    parameters.push(("account", user.clone()));
                    headers.push(("authorization", Credentials::basic(user, password)));
                }
                let url = parameters
                    .iter()
                    .fold(realm, |url, (name, value)| url.with_query(name, value));
                (Method::GET, url, headers, String::new())
            }
        };
        let payload = if method == Method::POST {
            Payload::Bytes(form.as_bytes())
        } else {
            Payload::None
        };
        let response = transport.send(&method, &url, &headers, payload, Pace::Answer);
        let response = response.map_err(|error| {
            failure(&url.authority, &format!("a token for {}", wish.what), error)
        })?;
        token(
            transport,
            wish,
            credentials,
            Answer::new(&url, started, response),
        )
    }

    /// A password goes only where it is encrypted, unless plain HTTP was asked for there.
    fn check_realm(&self, wish: &Wish<'_>, realm: &Url) -> Result<(), Error> {
        let is_plain_allowed = wish.endpoint.base.scheme == Scheme::Http
            && (is_loopback(&realm.authority) || self.plain_http.contains(&realm.authority));
        if realm.scheme == Scheme::Https || is_plain_allowed {
            return Ok(());
        }
        Err(HttpError::Insecure {
            host: wish.endpoint.base.authority.clone(),
            to: format!("http://{}", realm.authority),
            what: format!("a token for {}", wish.what),
        }
        .into())
    }
}

fn token(
    transport: &Transport,
    wish: &Wish<'_>,
    credentials: Option<&Credentials>,
    answer: Answer,
) -> Result<Token, Error> {
    #[derive(Deserialize)]
    struct Reply {
        #[serde(default)]
        token: Option<String>,
        #[serde(default)]
        access_token: Option<String>,
        #[serde(default)]
        expires_in: Option<u64>,
    }
    let what = format!("a token for {}", wish.what);
    let patience = transport.options().timeouts.document;
    if answer.status != 200 {
        // Who may not is told what they may not; what fails fails for the token.
        let (no, what) = match answer.status {
            400 | 401 | 403 => (No::Unauthorized, wish.what),
            429 => (No::RateLimited, &*what),
            _ => (No::Other, &*what),
        };
        let user = credentials.map(|found| found.user().to_owned());
        let refusal = answer.refusal(what, patience);
        return Err(Error::refused(
            no,
            refusal,
            what,
            &wish.endpoint.login,
            user,
        ));
    }
    let bytes = answer.document(&what, TOKEN_LIMIT, patience)?;
    let reply: Reply = serde_json::from_slice(&bytes)
        .map_err(|error| wrong(wish, format!("its token is no JSON: {error}")))?;
    let both = [reply.token, reply.access_token];
    let text = both
        .into_iter()
        .flatten()
        .find(|text| !text.is_empty())
        .ok_or_else(|| wrong(wish, "it gave no token".into()))?;
    // What could break out of the header is no token.
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong(
            wish,
            "its token has characters that tokens cannot have".into(),
        ));
    }
    let life = reply.expires_in.map_or(TOKEN_LIFE, Duration::from_secs);
    // A life of years is no reason to overflow; a day outlasts every job.
    let life = life.min(Duration::from_secs(86_400));
    Ok(Token {
        secret: Secret::new(text),
        ends: Instant::now() + life.saturating_sub(TOKEN_MARGIN),
    })
}

fn wrong(wish: &Wish<'_>, found: String) -> Error {
    HttpError::Protocol {
        host: wish.endpoint.base.authority.clone(),
        what: wish.what.to_owned(),
        found,
    }
    .into()
}
