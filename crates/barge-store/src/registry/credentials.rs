//! Who asks: credentials by registry, from docker's `config.json` (docker/cli, "config" and "credential helpers") or from
//! the caller. Podman's `auth.json` is the same with repositories among its keys; the longest key that fits wins.

use std::collections::BTreeMap;
use std::ffi::OsString;

use barge_image::reference::DEFAULT_REGISTRY;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;

use super::error::Error;
use super::helper::Helper;
use crate::http::Error as HttpError;
use crate::secret::Secret;

/// The name under which docker keeps the login of its own registry.
const DOCKER_LOGIN: &str = "https://index.docker.io/v1/";
/// What a helper says instead of a user name when the secret is an identity token.
const TOKEN_USER: &str = "<token>";

/// What proves who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A user and a password or access token.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A token that buys access tokens (OAuth 2 refresh token).
    Identity(Secret),
    /// An access token, sent as it is.
    Access(Secret),
}

impl Credentials {
    /// Who they are of, as far as they say.
    pub(super) fn user(&self) -> &str {
        match self {
            Self::Password { user, .. } => user,
            Self::Identity(_) => "an identity token",
            Self::Access(_) => "an access token",
        }
    }

    pub(super) fn basic(user: &str, password: &Secret) -> String {
        format!(
            "Basic {}",
            STANDARD.encode(format!("{user}:{}", password.reveal()))
        )
    }
}

/// Credentials by registry.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    given: BTreeMap<String, Credentials>,
    stored: BTreeMap<String, Login>,
    helpers: BTreeMap<String, Helper>,
    store: Option<Helper>,
    search_path: Option<OsString>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Login {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default, rename = "identitytoken")]
    identity_token: String,
    #[serde(default, rename = "registrytoken")]
    registry_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfigFile {
    #[serde(default)]
    auths: Option<BTreeMap<String, Login>>,
    #[serde(default)]
    creds_store: String,
    #[serde(default)]
    cred_helpers: Option<BTreeMap<String, String>>,
}

impl Keyring {
    /// Reads docker's `config.json`. Helpers named there run only when their registry is asked.
    ///
    /// # Errors
    /// When it is no such file.
    pub fn from_docker_config(bytes: &[u8]) -> Result<Self, Error> {
        let file: ConfigFile =
            serde_json::from_slice(bytes).map_err(|error| HttpError::Setting {
                what: "docker's config.json",
                value: "the file".into(),
                // serde_json names the position, never a value of the file's strings.
                reason: format!("line {}, column {}", error.line(), error.column()),
            })?;
        let helpers = file.cred_helpers.unwrap_or_default();
        let helpers = helpers
            .into_iter()
            .map(|(registry, name)| Ok((key(&registry), name.parse()?)));
        let store = Some(file.creds_store).filter(|name| !name.is_empty());
        Ok(Self {
            given: BTreeMap::new(),
            stored: file
                .auths
                .unwrap_or_default()
                .into_iter()
                .map(|(registry, login)| (key(&registry), login))
                .collect(),
            helpers: helpers.collect::<Result<_, Error>>()?,
            store: store.map(|name| name.parse()).transpose()?,
            search_path: None,
        })
    }

    /// Adds credentials; they win over those of a file.
    pub fn insert(&mut self, registry: &str, credentials: Credentials) {
        self.given.insert(key(registry), credentials);
    }

    /// Says where helpers are looked for, as `PATH` does; otherwise where this program's own `PATH` says.
    pub fn set_search_path(&mut self, path: OsString) {
        self.search_path = Some(path);
    }

    /// Finds the credentials for a repository.
    ///
    /// # Errors
    /// When a helper fails, or an entry cannot be read.
    pub(super) fn find(&self, registry: &str, path: &str) -> Result<Option<Credentials>, Error> {
        let host = key(registry);
        if let Some(given) = self.given.get(&host) {
            return Ok(Some(given.clone()));
        }
        if let Some(helper) = self.helpers.get(&host).or(self.store.as_ref()) {
            let found = helper.get(login_name(&host), self.search_path.as_deref());
            let found = found.map_err(|reason| failed(registry, reason))?;
            if let Some((user, secret)) = found {
                let secret = Secret::new(secret);
                return Ok(Some(if user == TOKEN_USER {
                    Credentials::Identity(secret)
                } else {
                    Credentials::Password {
                        user,
                        password: secret,
                    }
                }));
            }
        }
        let login = narrowing(&host, path).find_map(|name| self.stored.get(&name));
        login.map_or(Ok(None), |login| login.credentials(registry))
    }
}

impl Login {
    fn credentials(&self, registry: &str) -> Result<Option<Credentials>, Error> {
        if !self.registry_token.is_empty() {
            return Ok(Some(Credentials::Access(Secret::new(&self.registry_token))));
        }
        if !self.identity_token.is_empty() {
            return Ok(Some(Credentials::Identity(Secret::new(
                &self.identity_token,
            ))));
        }
        if self.auth.is_empty() {
            let (user, password) = (self.username.clone(), Secret::new(&self.password));
            return Ok((!user.is_empty()).then_some(Credentials::Password { user, password }));
        }
        let text = self.auth.trim_end_matches('=');
        let decoded = STANDARD_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.as_deref().and_then(|pair| pair.split_once(':'));
        let (user, password) =
            pair.ok_or_else(|| failed(registry, "its `auth` is not base64 of `user:password`"))?;
        Ok(Some(Credentials::Password {
            user: user.to_owned(),
            // Old versions of docker padded with NUL.
            password: Secret::new(password.trim_end_matches('\0')),
        }))
    }
}

fn failed(registry: &str, reason: impl Into<String>) -> Error {
    Error::Credentials {
        registry: registry.to_owned(),
        reason: reason.into(),
    }
}

/// The name for `docker login`, and for helpers.
pub(super) fn login_name(host: &str) -> &str {
    if host == DEFAULT_REGISTRY {
        DOCKER_LOGIN
    } else {
        host
    }
}

/// One form for what files call a registry: `https://index.docker.io/v1/` is `docker.io`.
fn key(name: &str) -> String {
    let bare = name
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let bare = bare
        .strip_suffix("/v1")
        .or_else(|| bare.strip_suffix("/v2"))
        .unwrap_or(bare);
    match bare {
        "index.docker.io" | "registry-1.docker.io" => DEFAULT_REGISTRY.to_owned(),
        _ => bare.to_owned(),
    }
}

/// `host/a/b`, `host/a`, `host`.
fn narrowing(host: &str, path: &str) -> impl Iterator<Item = String> {
    let mut next = Some(format!("{host}/{path}"));
    std::iter::from_fn(move || {
        let current = next.take()?;
        next = current.rsplit_once('/').map(|(start, _)| start.to_owned());
        Some(current)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(user: &str, password: &str) -> Option<Credentials> {
        Some(Credentials::Password {
            user: user.into(),
            password: Secret::new(password),
        })
    }

    #[test]
    fn reads_docker_and_podman_files() {
        let file = br#"{"auths":{
            "https://index.docker.io/v1/":{"auth":"aHViOnNlY3JldDpx"},
            "ghcr.io":{"username":"me","password":"p"},
            "quay.io":{"auth":"YTpi"}, "quay.io/team/app":{"auth":"Yzpk"},
            "token.io":{"identitytoken":"refresh"}, "access.io":{"registrytoken":"bearer"},
            "empty.io":{}, "broken.io":{"auth":"%%%"}}, "HttpHeaders":{}}"#;
        let keyring = Keyring::from_docker_config(file).unwrap();
        let find = |registry: &str, path: &str| keyring.find(registry, path).unwrap();
        assert_eq!(
            find("docker.io", "library/debian"),
            password("hub", "secret:q")
        );
        assert_eq!(
            find("registry-1.docker.io", "x"),
            password("hub", "secret:q")
        );
        assert_eq!(find("ghcr.io", "a/b"), password("me", "p"));
        assert_eq!(find("quay.io", "team/app"), password("c", "d"));
        assert_eq!(find("quay.io", "team/apps"), password("a", "b"));
        assert_eq!(
            find("token.io", "a"),
            Some(Credentials::Identity(Secret::new("refresh")))
        );
        assert_eq!(
            find("access.io", "a"),
            Some(Credentials::Access(Secret::new("bearer")))
        );
        assert_eq!(find("empty.io", "a"), None);
        assert_eq!(find("other.io", "a"), None);
        assert!(keyring.find("broken.io", "a").is_err());
        assert!(Keyring::from_docker_config(b"{\"auths\": 1}").is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", password("me", "hidden"));
        assert!(shown.contains("me") && !shown.contains("hidden"), "{shown}");
    }
}
