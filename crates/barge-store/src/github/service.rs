//! The artifact service of a run, spoken to by twirp: JSON over POST (actions/toolkit, packages/artifact, version 4 of the
//! protocol and later).

use std::sync::Arc;

use barge_image::Digest;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::http::Method;

use super::error::Error;
use super::options::{BackendIds, RunAccess};
use super::wire::{Number, Text};
use crate::http::{Error as HttpError, Exchange, Pace, Payload, Question, Url};

const PATH: &str = "/twirp/github.actions.results.api.v1.ArtifactService";
/// What artifacts that need not be zipped are, to the service.
const VERSION: u32 = 7;
/// A run has 500 artifacts a job, of 300 bytes each.
const ANSWER_LIMIT: u64 = 16 << 20;
/// What the service says when the account's storage is used up.
const QUOTA: &str = "insufficient usage";

/// The artifact service, for the run that this is in.
#[derive(Debug, Clone)]
pub(super) struct Service {
    exchange: Arc<Exchange>,
    access: RunAccess,
}

/// An artifact that the service lists, or the REST API.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) id: u64,
    pub(super) name: String,
    /// In bytes.
    pub(super) size: u64,
    pub(super) digest: Option<Digest>,
    /// Who made it; the REST API does not say.
    pub(super) ids: Option<BackendIds>,
    /// When GitHub removes it; the service does not say.
    pub(super) expires: Option<Timestamp>,
}

/// What came of asking for a name.
#[derive(Debug)]
pub(super) enum Created {
    /// Where the bytes go.
    At(Url),
    /// The name is used in this run.
    Taken,
}

#[derive(Deserialize)]
struct CreateReply {
    #[serde(default)]
    ok: bool,
    #[serde(default, alias = "signedUploadUrl")]
    signed_upload_url: String,
}

#[derive(Deserialize)]
struct DoneReply {
    #[serde(default)]
    ok: bool,
}

#[derive(Deserialize)]
struct ListReply {
    #[serde(default)]
    artifacts: Vec<ListedReply>,
}

#[derive(Deserialize)]
struct ListedReply {
    #[serde(default, alias = "workflowRunBackendId")]
    workflow_run_backend_id: String,
    #[serde(default, alias = "workflowJobRunBackendId")]
    workflow_job_run_backend_id: String,
    #[serde(default, alias = "databaseId")]
    database_id: Number,
    name: String,
    #[serde(default)]
    size: Number,
    #[serde(default)]
    digest: Text,
}

#[derive(Deserialize)]
struct UrlReply {
    #[serde(alias = "signedUrl")]
    signed_url: String,
}

impl Service {
    pub(super) fn new(exchange: Exchange, access: RunAccess) -> Self {
        Self {
            exchange: Arc::new(exchange),
            access,
        }
    }

    /// Claims a name.
    pub(super) fn create(&self, name: &str, expires: Option<Timestamp>) -> Result<Created, Error> {
        let mut body = self.body(&self.access.ids, name);
        body["version"] = VERSION.into();
        body["mime_type"] = "application/octet-stream".into();
        if let Some(expires) = expires {
            body["expires_at"] = expires.to_string().into();
        }
        let what = format!("make the artifact `{name}`");
        match self.call::<CreateReply>("CreateArtifact", &what, &body) {
            Ok(reply) if reply.ok => {
                let url = reply.signed_upload_url.parse();
                let url =
                    url.map_err(|_| self.protocol(&what, "an address that is none".into()))?;
                Ok(Created::At(url))
            }
            Ok(_) => Err(Error::NotDone { what }),
            Err(Error::Http(HttpError::Status { status: 409, .. })) => Ok(Created::Taken),
            Err(error) => Err(error),
        }
    }

    /// Says that all bytes are there.
    pub(super) fn finalize(&self, name: &str, size: u64, digest: &Digest) -> Result<(), Error> {
        let mut body = self.body(&self.access.ids, name);
        body["size"] = size.to_string().into();
        body["hash"] = digest.to_string().into();
        let what = format!("finish the artifact `{name}`");
        self.done("FinalizeArtifact", what, &body)
    }

    /// The artifacts of the run, or those of one name, which are at most one.
    pub(super) fn list(&self, name: Option<&str>) -> Result<Vec<Listed>, Error> {
        let ids = &self.access.ids;
        let mut body = json!({
            "workflow_run_backend_id": ids.run,
            "workflow_job_run_backend_id": ids.job,
        });
        if let Some(name) = name {
            body["name_filter"] = name.into();
        }
        let reply: ListReply = self.call("ListArtifacts", "list artifacts", &body)?;
        let found = reply.artifacts.into_iter().map(Listed::from);
        // Not every server of the protocol filters.
        Ok(found
            .filter(|found| name.is_none_or(|name| name == found.name))
            .collect())
    }

    /// An address that gives the bytes for some minutes.
    pub(super) fn signed_url(&self, artifact: &Listed) -> Result<Url, Error> {
        let ids = artifact.ids.as_ref().unwrap_or(&self.access.ids);
        let what = format!("give the address of `{}`", artifact.name);
        let body = self.body(ids, &artifact.name);
        let reply: UrlReply = self.call("GetSignedArtifactURL", &what, &body)?;
        let url = reply.signed_url.parse();
        url.map_err(|_| self.protocol(&what, "an address that is none".into()))
    }

    /// Removes an artifact; one that is gone already is no error.
    pub(super) fn delete(&self, name: &str) -> Result<(), Error> {
        let body = self.body(&self.access.ids, name);
        let what = format!("remove the artifact `{name}`");
        match self.done("DeleteArtifact", what, &body) {
            Err(error) if error.is_not_found() => Ok(()),
            done => done,
        }
    }

    fn body(&self, ids: &BackendIds, name: &str) -> Value {
        json!({
            "workflow_run_backend_id": ids.run,
            "workflow_job_run_backend_id": ids.job,
            "name": name,
        })
    }

    fn done(&self, method: &str, what: String, body: &Value) -> Result<(), Error> {
        let reply: DoneReply = self.call(method, &what, body)?;
        if reply.ok {
            Ok(())
        } else {
            Err(Error::NotDone { what })
        }
    }

    fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        what: &str,
        body: &Value,
    ) -> Result<T, Error> {
        let mut url = self.access.results.clone();
        url.path = format!("{PATH}/{method}");
        let bytes = body.to_string().into_bytes();
        let token = format!("Bearer {}", self.access.token.reveal());
        let question = Question {
            method: Method::POST,
            headers: vec![
                ("authorization", token),
                ("content-type", "application/json".into()),
            ],
            payload: Payload::Bytes(&bytes),
            pace: Pace::Answer,
            ..Question::get(&url, what)
        };
        let answered = self.exchange.run_while(is_passing, &question, |answer| {
            let bytes = answer.document(what, ANSWER_LIMIT, self.exchange.patience())?;
            serde_json::from_slice(&bytes).map_err(|error| self.wrong(what, error.to_string()))
        });
        answered.map_err(|error| match error {
            HttpError::Status { said, .. } if said.contains(QUOTA) => Error::Quota { said },
            error => error.into(),
        })
    }

    fn wrong(&self, what: &str, found: String) -> HttpError {
        HttpError::Protocol {
            host: self.access.results.authority.clone(),
            what: what.to_owned(),
            found,
        }
    }

    fn protocol(&self, what: &str, found: String) -> Error {
        self.wrong(what, found).into()
    }
}

/// The service's proxies answer with pages of their own when it is down, and with any status.
fn is_passing(error: &HttpError) -> bool {
    match error {
        HttpError::Status { said, .. } if said.contains(QUOTA) => false,
        HttpError::Protocol { .. } => true,
        _ => error.is_passing(),
    }
}

impl From<ListedReply> for Listed {
    fn from(reply: ListedReply) -> Self {
        Self {
            id: reply.database_id.0,
            digest: reply.digest.digest(),
            size: reply.size.0,
            ids: Some(BackendIds {
                run: reply.workflow_run_backend_id,
                job: reply.workflow_job_run_backend_id,
            }),
            name: reply.name,
            expires: None,
        }
    }
}
