//! Tokens and passwords for requests (distribution, "token authentication" and "oauth2").
//!
//! Registries say how they want to be asked in the answer to the first request; it is remembered, so that later requests
//! carry the right header from the start. Nothing here is ever sent to another host than the one it is for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::challenge::Challenge;
use super::credentials::{Credentials, Keyring};
use super::endpoint::Endpoint;
use super::error::Error;
use super::token::Token;
use crate::http::Transport;
use crate::secret::Secret;

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
    pub(super) fn with_challenge(&self, scope: Option<&str>) -> Vec<String> {
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

/// Remembers how registries want to be asked, and the tokens.
#[derive(Debug)]
pub(super) struct Authorizer {
    keyring: Keyring,
    /// Hosts that may be sent a password in plain.
    pub(super) plain_http: BTreeSet<String>,
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
                        let token = self.buy(transport, wish, challenge, credentials.as_ref())?;
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
