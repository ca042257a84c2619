//! Where artifacts are listed, signed for and removed: the service of the run at hand, or the REST API.

use super::api::Api;
use super::error::Error;
use super::service::{Listed, Service};
use crate::http::Url;

/// Where artifacts are listed and signed addresses come from.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Run(Service),
    Others(Api),
}

impl Place {
    pub(super) fn list(&self, name: Option<&str>) -> Result<Vec<Listed>, Error> {
        match self {
            Self::Run(service) => service.list(name),
            Self::Others(api) => api.list(name),
        }
    }

    pub(super) fn signed_url(&self, artifact: &Listed) -> Result<Url, Error> {
        match self {
            Self::Run(service) => service.signed_url(artifact),
            Self::Others(api) => api.signed_url(artifact),
        }
    }

    pub(super) fn delete(&self, artifact: &Listed) -> Result<(), Error> {
        match self {
            Self::Run(service) => service.delete(&artifact.name),
            Self::Others(api) => api.delete(artifact),
        }
    }
}
