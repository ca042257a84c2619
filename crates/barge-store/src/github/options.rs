//! What the runner tells about the run at hand, as typed values. The caller looks the variables up.

use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;

use super::error::Error;
use crate::http::{HttpOptions, Retry, Url};
use crate::secret::Secret;

/// How artifacts are reached.
#[derive(Debug, Clone, Default)]
pub struct GitHubOptions {
    /// How any host is reached.
    pub http: HttpOptions,
    /// What to do when the artifact service fails for a moment.
    pub retry: ServiceRetry,
    /// The run that this is in.
    pub run: Option<RunAccess>,
    /// The REST API.
    pub api: Option<ApiAccess>,
    /// How uploads go.
    pub upload: Upload,
    /// The latest time that the repository lets an artifact live to; unlimited if nothing is said.
    pub latest_expiry: Option<Timestamp>,
    /// What artifacts of other runs must come from.
    pub origin: Origin,
    /// The time, by which artifacts that others lean on live longer.
    pub now: Option<Timestamp>,
}

/// The service's own clients try five times, three seconds apart at first (actions/toolkit, artifact-twirp-client).
#[derive(Debug, Clone, Copy)]
pub struct ServiceRetry(pub Retry);

impl Default for ServiceRetry {
    fn default() -> Self {
        Self(Retry {
            attempts: 5,
            pause: Duration::from_secs(3),
            ..Retry::default()
        })
    }
}

/// Access to the artifacts of the run that this is in.
#[derive(Debug, Clone)]
pub struct RunAccess {
    /// The runner's token.
    pub token: Secret,
    /// Where the artifact service is.
    pub(crate) results: Url,
    /// What the service calls this run and job.
    pub ids: BackendIds,
}

/// What the artifact service calls a run and a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendIds {
    /// The run.
    pub run: String,
    /// The job.
    pub job: String,
}

/// Access to artifacts of any run.
#[derive(Debug, Clone)]
pub struct ApiAccess {
    /// Where the REST API is.
    pub(crate) url: Url,
    /// A token with `actions: read`.
    pub token: Secret,
    /// `OWNER/NAME`.
    pub repository: String,
}

/// What artifacts of other runs must come from. Anybody who opens a pull request can store an artifact of any name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The commit that the run was of.
    pub head_sha: Option<String>,
    /// The repository that the commit is in, by its number.
    pub head_repository: Option<u64>,
}

/// How uploads go.
#[derive(Debug, Clone, Copy)]
pub struct Upload {
    /// Blocks that are on their way at once.
    pub concurrency: usize,
    /// How long storage may say nothing.
    pub stall: Duration,
    /// The length of a block, in bytes.
    pub block: u64,
}

impl Default for Upload {
    fn default() -> Self {
        Self {
            concurrency: 5,
            stall: Duration::from_secs(300),
            block: 8 << 20,
        }
    }
}

impl GitHubOptions {
    /// Takes what there is of the variables that a runner sets; what is needed and missing is found out when it is
    /// needed. `now` bounds how long artifacts may live.
    ///
    /// # Errors
    /// When a variable is not what runners set.
    pub fn from_variables(
        lookup: impl Fn(&str) -> Option<String>,
        now: Option<Timestamp>,
    ) -> Result<Self, Error> {
        let lookup = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        Ok(Self {
            run: RunAccess::from_variables(lookup)?,
            api: ApiAccess::from_variables(lookup)?,
            upload: Upload::from_variables(lookup)?,
            latest_expiry: latest_expiry(lookup, now)?,
            now,
            ..Self::default()
        })
    }
}

impl RunAccess {
    /// Access by the values of `ACTIONS_RUNTIME_TOKEN` and `ACTIONS_RESULTS_URL`.
    ///
    /// # Errors
    /// When they are not what runners set.
    pub fn new(token: &str, results: &str) -> Result<Self, Error> {
        let mut results = address("ACTIONS_RESULTS_URL", results)?;
        // Only the origin counts (actions/toolkit, config.ts).
        results.path.clear();
        Ok(Self {
            ids: BackendIds::of_token(token)?,
            token: Secret::new(token),
            results,
        })
    }

    fn from_variables(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Error> {
        let token = lookup("ACTIONS_RUNTIME_TOKEN");
        let results = lookup("ACTIONS_RESULTS_URL");
        match (token, results) {
            (Some(token), Some(results)) => Self::new(&token, &results).map(Some),
            _ => Ok(None),
        }
    }
}

impl BackendIds {
    /// Reads the ids out of the runner's token, a JWT: the claim `scp` has a word `Actions.Results:RUN:JOB`.
    fn of_token(token: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Claims {
            scp: String,
        }
        let claims = token.split('.').nth(1).and_then(|claims| {
            let bytes = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
            serde_json::from_slice::<Claims>(&bytes).ok()
        });
        let ids = claims.as_ref().and_then(|claims| {
            let mut words = claims.scp.split(' ');
            let (run, job) = words
                .find_map(|word| word.strip_prefix("Actions.Results:"))?
                .split_once(':')?;
            let (run, job) = (run.to_owned(), job.to_owned());
            (!job.contains(':')).then_some(Self { run, job })
        });
        ids.ok_or_else(|| Error::Variable {
            name: "ACTIONS_RUNTIME_TOKEN",
            reason: "does not say which run it is for".into(),
        })
    }
}

impl ApiAccess {
    /// Access by the address of the API, a token and a repository.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(url: &str, token: Secret, repository: &str) -> Result<Self, Error> {
        let mut url = address("GITHUB_API_URL", url)?;
        url.path.truncate(url.path.trim_end_matches('/').len());
        Ok(Self {
            url,
            token,
            repository: repository.to_owned(),
        })
    }

    fn from_variables(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Error> {
        let token = lookup("GITHUB_TOKEN").or_else(|| lookup("GH_TOKEN"));
        let Some(token) = token else {
            return Ok(None);
        };
        let url = lookup("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".into());
        let repository = lookup("GITHUB_REPOSITORY").unwrap_or_default();
        Self::new(&url, Secret::new(token), &repository).map(Some)
    }
}

impl Upload {
    fn from_variables(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        // actions/toolkit, config.ts, `getConcurrency`.
        let most = if cores > 4 { (16 * cores).min(300) } else { 32 };
        let default = Self::default();
        let concurrency = number("ACTIONS_ARTIFACT_UPLOAD_CONCURRENCY", &lookup)?;
        let stall = number("ACTIONS_ARTIFACT_UPLOAD_TIMEOUT_MS", &lookup)?;
        let concurrency = concurrency.map(|count| usize::try_from(count).unwrap_or(most));
        Ok(Self {
            concurrency: concurrency.map_or(default.concurrency, |count| count.min(most)),
            stall: stall.map_or(default.stall, Duration::from_millis),
            ..default
        })
    }
}

fn latest_expiry(
    lookup: impl Fn(&str) -> Option<String>,
    now: Option<Timestamp>,
) -> Result<Option<Timestamp>, Error> {
    let days = number("GITHUB_RETENTION_DAYS", lookup)?;
    let limit =
        days.and_then(|days| Duration::from_secs(86_400).checked_mul(days.try_into().ok()?));
    Ok(limit.and_then(|limit| now?.checked_add(limit).ok()))
}

/// A positive number.
fn number(
    name: &'static str,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Option<u64>, Error> {
    let Some(text) = lookup(name) else {
        return Ok(None);
    };
    let number = text.trim().parse().ok().filter(|number| *number > 0);
    number.map(Some).ok_or_else(|| Error::Variable {
        name,
        reason: format!("is `{text}`, which is no positive number"),
    })
}

fn address(name: &'static str, text: &str) -> Result<Url, Error> {
    text.parse().map_err(|_| Error::Variable {
        name,
        reason: format!("is `{text}`, which is no address"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn ids_are_in_the_token() {
        let ids = |claims: &str| BackendIds::of_token(&token(claims));
        let found = ids(r#"{"scp":"Actions.Example Actions.Results:ce7f:ca39"}"#).unwrap();
        assert_eq!((&*found.run, &*found.job), ("ce7f", "ca39"));
        for claims in [
            "{}",
            r#"{"scp":""}"#,
            r#"{"scp":"Actions.Results:one"}"#,
            r#"{"scp":"Actions.Results:one:two:three"}"#,
            "no json",
        ] {
            let error = ids(claims).unwrap_err();
            assert!(error.hint().unwrap().contains("action"), "{claims}");
        }
        assert!(BackendIds::of_token("").is_err());
    }

    #[test]
    fn variables_are_typed() {
        let with = |pairs: &[(&str, &str)], now: i64| {
            let lookup = |name: &str| {
                let found = pairs.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            GitHubOptions::from_variables(lookup, Timestamp::from_second(now).ok())
        };
        let none = with(&[], 0).unwrap();
        assert!(none.run.is_none() && none.api.is_none() && none.latest_expiry.is_none());
        assert_eq!(none.upload.concurrency, 5);
        let token = token(r#"{"scp":"Actions.Results:a:b"}"#);
        let all = with(
            &[
                ("ACTIONS_RUNTIME_TOKEN", &token),
                ("ACTIONS_RESULTS_URL", "https://results.example/x/y"),
                ("GITHUB_RETENTION_DAYS", "2"),
                ("GITHUB_TOKEN", "t"),
                ("GITHUB_REPOSITORY", "a/b"),
                ("ACTIONS_ARTIFACT_UPLOAD_CONCURRENCY", "9999"),
                ("ACTIONS_ARTIFACT_UPLOAD_TIMEOUT_MS", "1500"),
            ],
            0,
        )
        .unwrap();
        let run = all.run.unwrap();
        assert_eq!(run.results.to_string(), "https://results.example");
        assert_eq!(all.api.unwrap().url.to_string(), "https://api.github.com");
        assert_eq!(all.latest_expiry, Timestamp::from_second(2 * 86_400).ok());
        assert!(all.upload.concurrency >= 32 && all.upload.concurrency <= 300);
        assert_eq!(all.upload.stall, Duration::from_millis(1500));
        for wrong in [
            ("ACTIONS_ARTIFACT_UPLOAD_CONCURRENCY", "0"),
            ("GITHUB_RETENTION_DAYS", "some"),
        ] {
            assert!(with(&[wrong], 0).is_err(), "{wrong:?}");
        }
    }
}
