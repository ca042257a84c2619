//! What a repository holds: tags, and what refers to a manifest (distribution-spec 1.1, "Content Discovery").

use std::collections::BTreeSet;

use barge_image::DOCUMENT_LIMIT;
use barge_image::{Descriptor, Digest, RepositoryName, Tag};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Registry;
use super::authorization::Scopes;
use super::client::{Ask, Client};
use super::endpoint::Endpoint;
use super::error::Error;
use crate::http::{Error as HttpError, Url, encode};

/// No repository has a list of so many pages; one that is made up as it is asked for has.
const PAGE_LIMIT: usize = 1000;

/// A manifest that refers to another one: a signature, a bill of materials, a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Referrer {
    /// The manifest.
    #[serde(flatten)]
    pub descriptor: Descriptor,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
}

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Referrers {
    #[serde(default)]
    manifests: Vec<Referrer>,
}

impl Registry {
    /// Asks whether a registry is there and speaks the protocol. A registry that wants a login is there.
    ///
    /// # Errors
    /// When it is not reached, or is something else.
    pub fn ping(&self, registry: &str) -> Result<(), Error> {
        let endpoint = self.client.home(registry);
        let (scopes, what) = (Scopes::default(), "the protocol, version 2");
        let wish = Client::wish(&endpoint, "", &scopes, what);
        match self.client.run(&Ask::get(wish, endpoint.url(""))) {
            Ok(_) | Err(Error::Unauthorized { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The tags of a repository, sorted.
    ///
    /// # Errors
    /// When the repository is not there.
    pub fn tags(&self, name: &RepositoryName) -> Result<Vec<Tag>, Error> {
        let what = format!("the tags of `{name}`");
        let mut tags = BTreeSet::new();
        let path = format!("{}/tags/list?n=1000", name.path());
        let endpoint = self.client.home(name.registry());
        self.pages(&endpoint, name, &path, &what, |page: Tags| {
            let page = page.tags.unwrap_or_default();
            // What no reference can name is no tag for us.
            tags.extend(page.iter().filter_map(|tag| tag.parse().ok()));
        })?;
        Ok(tags.into_iter().collect())
    }

    /// What refers to a manifest, of one type or of all, in the registry's order. Registries without the question keep
    /// the list under a tag that is made from the digest.
    ///
    /// # Errors
    /// When the registry does not say.
    pub fn referrers(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, Error> {
        let what = format!("what refers to `{name}@{digest}`");
        let mut found: Vec<Referrer> = Vec::new();
        let endpoint = self.client.home(name.registry());
        let mut path = format!("{}/referrers/{digest}", name.path());
        if let Some(wanted) = artifact_type {
            path = format!("{path}?artifactType={}", encode(wanted));
        }
        let asked = self.pages(&endpoint, name, &path, &what, |page: Referrers| {
            found.extend(page.manifests);
        });
        match asked {
            Ok(()) => {}
            // Registries older than the question answer so, or do not know the address at all.
            Err(
                Error::NotFound { .. }
                | Error::Http(HttpError::Status {
                    status: 400 | 405, ..
                }),
            ) => {
                found = self.tagged_referrers(name, digest)?;
            }
            Err(error) => return Err(error),
        }
        // Filtering is optional for registries.
        let is_wanted = |referrer: &Referrer| {
            artifact_type.is_none() || referrer.artifact_type.as_deref() == artifact_type
        };
        found.retain(is_wanted);
        Ok(found)
    }

    pub(super) fn tagged_referrers(
        &self,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Vec<Referrer>, Error> {
        let Ok(tag) = referrers_tag(digest).parse() else {
            return Ok(Vec::new());
        };
        match self.manifest(&name.with_tag(tag)) {
            Ok(manifest) => {
                let what = format!("what refers to `{name}@{digest}`");
                let list: Referrers = decode(name.registry(), &what, &manifest.bytes)?;
                Ok(list.manifests)
            }
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Reads a list page by page, following `Link` (RFC 8288) on the same host.
    fn pages<T: DeserializeOwned>(
        &self,
        endpoint: &Endpoint,
        name: &RepositoryName,
        path: &str,
        what: &str,
        mut take: impl FnMut(T),
    ) -> Result<(), Error> {
        let scopes = Scopes::pull(name.path());
        let mut next = Some(endpoint.url(path));
        let mut seen = BTreeSet::new();
        while let Some(url) = next {
            if seen.len() == PAGE_LIMIT || !seen.insert(url.path.clone()) {
                return Err(HttpError::Protocol {
                    host: endpoint.base.authority.clone(),
                    what: what.to_owned(),
                    found: format!("a list without end, after {} pages", seen.len()),
                }
                .into());
            }
            let wish = Client::wish(endpoint, name.path(), &scopes, what);
            let patience = self.client.document_patience();
            let (page, following) = self.client.run_and(&Ask::get(wish, url), |answer| {
                let link = answer.header("link");
                let following = link.and_then(|link| following(&answer.url, link));
                let host = answer.host();
                let bytes = answer.document(what, DOCUMENT_LIMIT, patience)?;
                Ok((decode(&host, what, &bytes)?, following))
            })?;
            take(page);
            next = following;
        }
        Ok(())
    }
}

fn decode<T: DeserializeOwned>(host: &str, what: &str, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (host, what, found) = (host.to_owned(), what.to_owned(), error.to_string());
        HttpError::Protocol { host, what, found }.into()
    })
}

/// The address of `<address>; rel="next"`.
fn following(here: &Url, link: &str) -> Option<Url> {
    let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let is_next = parameters.replace('"', "").contains("rel=next");
    let next = here.join(address).ok()?;
    (is_next && next.is_same_origin(here)).then_some(next)
}

/// The tag of the list of referrers (distribution-spec 1.1, "Referrers Tag Schema").
pub(super) fn referrers_tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_only_the_next_page_of_the_same_host() {
        let here: Url = "https://h/v2/a/tags/list".parse().unwrap();
        let next = |link: &str| following(&here, link).map(|url| url.path);
        let path = "/v2/a/tags/list?last=b&n=2";
        assert_eq!(
            next(&format!("<{path}>; rel=\"next\"")),
            Some(path.to_owned())
        );
        for link in ["<https://evil/x>; rel=next", "<x>; rel=prev", "x", ""] {
            assert_eq!(next(link), None, "{link}");
        }
    }
}
