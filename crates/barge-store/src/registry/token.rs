//! Buying a token from the server that a registry names (distribution, "token authentication" and "oauth2").

use std::time::{Duration, Instant};

use serde::Deserialize;
use ureq::http::Method;

use super::authorization::{Authorizer, Wish};
use super::challenge::Challenge;
use super::credentials::Credentials;
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

/// What a registry takes for a while.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) secret: Secret,
    pub(super) ends: Instant,
}

/// A question for a token.
struct Request {
    url: Url,
    headers: Vec<(&'static str, String)>,
    /// Sent with POST, if there is one.
    form: Option<String>,
}

impl Request {
    /// With an identity token it is OAuth's form; else the older way, with a password or as nobody.
    fn new(
        realm: Url,
        service: Option<&String>,
        scopes: Vec<String>,
        credentials: Option<&Credentials>,
    ) -> Self {
        let service = service.map(|service| ("service", service.clone()));
        match credentials {
            Some(Credentials::Identity(token)) => {
                let parameters = [
                    ("grant_type", "refresh_token".to_owned()),
                    ("client_id", CLIENT.to_owned()),
                    ("scope", scopes.join(" ")),
                    ("refresh_token", token.reveal().to_owned()),
                ];
                let parameters = service.into_iter().chain(parameters);
                let fields = parameters.map(|(name, value)| format!("{name}={}", encode(&value)));
                let kind = "application/x-www-form-urlencoded".to_owned();
                Self {
                    url: realm,
                    headers: vec![("content-type", kind)],
                    form: Some(fields.collect::<Vec<_>>().join("&")),
                }
            }
            _ => {
                let scopes = scopes.into_iter().map(|scope| ("scope", scope));
                let mut parameters: Vec<_> = service.into_iter().chain(scopes).collect();
                let mut headers = Vec::new();
                if let Some(Credentials::Password { user, password }) = credentials {
                    parameters.push(("account", user.clone()));
                    headers.push(("authorization", Credentials::basic(user, password)));
                }
                let parameters = parameters.iter();
                Self {
                    url: parameters.fold(realm, |url, (name, value)| url.with_query(name, value)),
                    headers,
                    form: None,
                }
            }
        }
    }

    fn send(&self, transport: &Transport, what: &str) -> Result<Answer, Error> {
        let (method, payload) = match &self.form {
            Some(form) => (Method::POST, Payload::Bytes(form.as_bytes())),
            None => (Method::GET, Payload::None),
        };
        let started = Instant::now();
        let response = transport.send(&method, &self.url, &self.headers, payload, Pace::Answer);
        let response = response.map_err(|error| failure(&self.url.authority, what, error))?;
        Ok(Answer::new(&self.url, started, response))
    }
}

impl Authorizer {
    /// Buys a token.
    pub(super) fn buy(
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
        let scopes = wish.scopes.with_challenge(scope.as_deref());
        let request = Request::new(realm, service.as_ref(), scopes, credentials);
        let answer = request.send(transport, &format!("a token for {}", wish.what))?;
        token(transport, wish, credentials, answer)
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

/// Reads what a token server answers.
fn token(
    transport: &Transport,
    wish: &Wish<'_>,
    credentials: Option<&Credentials>,
    answer: Answer,
) -> Result<Token, Error> {
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
    reply.token(wish)
}

/// What a token server gives: one of the two, the second being OAuth's name for the first.
#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
    /// In seconds.
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Reply {
    fn token(self, wish: &Wish<'_>) -> Result<Token, Error> {
        let mut both = [self.token, self.access_token].into_iter().flatten();
        let text = both.find(|text| !text.is_empty());
        let text = text.ok_or_else(|| wrong(wish, "it gave no token".into()))?;
        // What could break out of the header is no token.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let found = "its token has characters that tokens cannot have".into();
            return Err(wrong(wish, found));
        }
        let life = self.expires_in.map_or(TOKEN_LIFE, Duration::from_secs);
        // A life of years is no reason to overflow; a day outlasts every job.
        let life = life.min(Duration::from_secs(86_400));
        Ok(Token {
            secret: Secret::new(text),
            ends: Instant::now() + life.saturating_sub(TOKEN_MARGIN),
        })
    }
}

fn wrong(wish: &Wish<'_>, found: String) -> Error {
    HttpError::Protocol {
        host: wish.endpoint.base.authority.clone(),
        what: wish.what.to_owned(),
        found,
    }
    .into()
}
