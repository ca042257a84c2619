//! Artifacts of other runs, through the REST API (docs.github.com, "REST API endpoints for GitHub Actions artifacts").

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::Method;

use super::error::Error;
use super::options::{ApiAccess, Origin};
use super::service::Listed;
use super::wire::Text;
use crate::http::{Answer, Error as HttpError, Exchange, Question, Scheme, Url, encode};

const PAGE: usize = 100;
/// The toolkit's own bound on artifacts that it lists is 1000.
const PAGE_LIMIT: usize = 10;
const ANSWER_LIMIT: u64 = 16 << 20;

/// How many pages of artifacts are looked through for the newest ones of a kind.
const NEWEST_PAGES: usize = 3;

/// The REST API, for one repository.
#[derive(Debug, Clone)]
pub(super) struct Api {
    exchange: Arc<Exchange>,
    access: ApiAccess,
    run: Option<u64>,
    origin: Origin,
}

#[derive(Deserialize)]
struct Page {
    artifacts: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: u64,
    name: String,
    #[serde(default)]
    size_in_bytes: u64,
    #[serde(default)]
    expired: bool,
    #[serde(default)]
    digest: Text,
    #[serde(default)]
    expires_at: Text,
    #[serde(default)]
    workflow_run: Option<WorkflowRun>,
}

#[derive(Deserialize)]
struct WorkflowRun {
    #[serde(default)]
    repository_id: Option<u64>,
    #[serde(default)]
    head_repository_id: Option<u64>,
    #[serde(default)]
    head_sha: Option<String>,
}

impl Api {
    pub(super) fn new(
        exchange: Exchange,
        access: ApiAccess,
        run: Option<u64>,
        origin: Origin,
    ) -> Self {
        Self {
            exchange: Arc::new(exchange),
            access,
            run,
            origin,
        }
    }

    /// The artifacts, or those of one name, as far as they come from where they must.
    pub(super) fn list(&self, name: Option<&str>) -> Result<Vec<Listed>, Error> {
        let mut found = Vec::new();
        for page in 1..=PAGE_LIMIT {
            let items = self.page(name, page)?;
            let count = items.len();
            found.extend(items.into_iter().filter(|item| self.is_trusted(item)));
            if count < PAGE {
                return Ok(found.into_iter().map(Listed::from).collect());
            }
        }
        tracing::warn!(
            repository = %self.access.repository,
            "there are more artifacts than the newest {}, which were looked at", PAGE * PAGE_LIMIT
        );
        Ok(found.into_iter().map(Listed::from).collect())
    }

    /// The newest artifacts of a kind, the newest first.
    pub(super) fn newest(
        &self,
        is_wanted: impl Fn(&Listed) -> bool,
        most: usize,
    ) -> Result<Vec<Listed>, Error> {
        let mut found = Vec::new();
        for page in 1..=NEWEST_PAGES {
            let items = self.page(None, page)?;
            let is_last = items.len() < PAGE;
            let trusted = items.into_iter().filter(|item| self.is_trusted(item));
            found.extend(trusted.map(Listed::from).filter(&is_wanted));
            if is_last || found.len() >= most {
                break;
            }
        }
        found.sort_by_key(|artifact| std::cmp::Reverse(artifact.id));
        found.truncate(most);
        Ok(found)
    }

    /// An artifact by its number; `None` when it is gone, or not from where it must be.
    pub(super) fn get(&self, id: u64) -> Result<Option<Listed>, Error> {
        let url = self.url(&format!("actions/artifacts/{id}"));
        let what = format!("artifact {id}");
        let question = self.question(&url, &what);
        match self.parsed::<Item>(&question) {
            Ok(item) => Ok(Some(item)
                .filter(|item| self.is_trusted(item))
                .map(Listed::from)),
            Err(HttpError::Status {
                status: 404 | 410, ..
            }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn page(&self, name: Option<&str>, page: usize) -> Result<Vec<Item>, Error> {
        let place = match self.run {
            Some(run) => format!("actions/runs/{run}/artifacts"),
            None => "actions/artifacts".into(),
        };
        let mut url = self
            .url(&place)
            .with_query("per_page", &PAGE.to_string())
            .with_query("page", &page.to_string());
        if let Some(name) = name {
            url = url.with_query("name", name);
        }
        let what = format!("the artifacts of `{}`", self.access.repository);
        let question = self.question(&url, &what);
        Ok(self.parsed::<Page>(&question)?.artifacts)
    }

    /// Asks for a document.
    fn parsed<T: DeserializeOwned>(&self, question: &Question<'_>) -> Result<T, HttpError> {
        self.exchange.run(question, |answer| {
            let host = answer.host();
            let bytes = answer.document(question.what, ANSWER_LIMIT, self.exchange.patience())?;
            serde_json::from_slice(&bytes).map_err(|error| HttpError::Protocol {
                host,
                what: question.what.to_owned(),
                found: error.to_string(),
            })
        })
    }

    /// Anybody's pull request may store an artifact of any name. One of a run that was named is that run's own affair.
    fn is_trusted(&self, item: &Item) -> bool {
        let run = item.workflow_run.as_ref();
        let (sha, repository) = (
            run.and_then(|run| run.head_sha.as_deref()),
            run.and_then(|run| run.head_repository_id),
        );
        let is_named = self.run.is_some();
        let is_own = run.is_some_and(|run| {
            run.head_repository_id.is_some() && run.head_repository_id == run.repository_id
        });
        let wanted = &self.origin;
        !item.expired
            && wanted
                .head_sha
                .as_deref()
                .is_none_or(|wanted| sha == Some(wanted))
            && match wanted.head_repository {
                Some(wanted) => repository == Some(wanted),
                None => is_named || is_own,
            }
    }

    /// An address that gives the bytes for about a minute. `zip` stands there for every form (actions/toolkit,
    /// download-artifact).
    pub(super) fn signed_url(&self, artifact: &Listed) -> Result<Url, Error> {
        let url = self.url(&format!("actions/artifacts/{}/zip", artifact.id));
        let what = format!("the address of `{}`", artifact.name);
        let mut question = self.question(&url, &what);
        question.accept = &[302, 307];
        let answered = self.exchange.run(&question, |answer| next(&answer, &what));
        answered.map_err(|error| match error {
            HttpError::Status {
                status: 404 | 410, ..
            } => Error::Expired {
                name: artifact.name.clone(),
            },
            error => error.into(),
        })
    }

    /// Removes an artifact, which needs `actions: write`; one that is gone already is no error.
    pub(super) fn delete(&self, artifact: &Listed) -> Result<(), Error> {
        let url = self.url(&format!("actions/artifacts/{}", artifact.id));
        let what = format!("removing `{}`", artifact.name);
        let mut question = self.question(&url, &what);
        question.method = Method::DELETE;
        question.accept = &[204, 200, 404];
        self.exchange.run(&question, |_| Ok(()))?;
        Ok(())
    }

    fn url(&self, place: &str) -> Url {
        let mut url = self.access.url.clone();
        let repository = encode(&self.access.repository);
        url.path = format!("{}/repos/{repository}/{place}", url.path);
        url
    }

    fn question<'a>(&self, url: &'a Url, what: &'a str) -> Question<'a> {
        let mut question = Question::get(url, what);
        question.headers = vec![
            (
                "authorization",
                format!("Bearer {}", self.access.token.reveal()),
            ),
            ("accept", "application/vnd.github+json".into()),
            ("x-github-api-version", "2022-11-28".into()),
        ];
        question
    }
}

/// Where a redirect leads.
fn next(answer: &Answer, what: &str) -> Result<Url, HttpError> {
    let location = answer.header("location").unwrap_or_default();
    let wrong = |found: String| HttpError::Protocol {
        host: answer.host(),
        what: what.to_owned(),
        found,
    };
    if location.is_empty() {
        return Err(wrong("a redirect that leads nowhere".into()));
    }
    let next = answer.url.join(location);
    let next = next.map_err(|error| wrong(error.to_string()))?;
    if answer.url.scheme == Scheme::Https && next.scheme == Scheme::Http {
        return Err(HttpError::Insecure {
            host: answer.host(),
            to: format!("http://{}", next.authority),
            what: what.to_owned(),
        });
    }
    Ok(next)
}

impl From<Item> for Listed {
    fn from(item: Item) -> Self {
        Self {
            id: item.id,
            name: item.name,
            size: item.size_in_bytes,
            digest: item.digest.digest(),
            ids: None,
            expires: item.expires_at.0.and_then(|text| text.parse().ok()),
        }
    }
}
