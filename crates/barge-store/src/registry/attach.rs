//! What refers to a manifest, and taking manifests away (distribution-spec 1.1, "Pushing Manifests with Subject",
//! "Deleting Manifests").
//!
//! A registry that knows the question lists referrers by itself and says so when one is put. For any other the list is an
//! index under a tag, which its writers keep; two of them at once may lose an entry, as the specification knows.

use barge_image::{Descriptor, Digest, MediaType, RawManifest, Reference, RepositoryName};
use serde::Serialize;
use ureq::http::Method;

use super::Registry;
use super::authorization::Scopes;
use super::client::{Ask, Client};
use super::error::Error;
use super::listing::{Referrer, referrers_tag};
use super::manifests::Target;
use crate::http::Error as HttpError;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReferrersIndex<'a> {
    schema_version: u8,
    media_type: MediaType,
    manifests: &'a [Referrer],
}

impl Registry {
    /// Puts a manifest that has a subject, by its digest, and sees to it that it is found from there.
    pub(super) fn attach(
        &self,
        name: &RepositoryName,
        subject: &Descriptor,
        artifact_type: &MediaType,
        manifest: &RawManifest,
    ) -> Result<(), Error> {
        let descriptor = manifest.descriptor();
        let is_listed = self.put_at(name, &Target::Digest(descriptor.digest), manifest)?;
        if is_listed {
            return Ok(());
        }
        let mut referrers = self.tagged_referrers(name, &subject.digest)?;
        if referrers
            .iter()
            .any(|found| found.descriptor.digest == descriptor.digest)
        {
            return Ok(());
        }
        referrers.push(Referrer {
            descriptor,
            artifact_type: Some(artifact_type.to_string()),
        });
        self.put_referrers(name, &subject.digest, &referrers)
    }

    /// Takes a manifest that is gone off the list that barge keeps, if it keeps one.
    pub(super) fn detach(
        &self,
        name: &RepositoryName,
        subject: &Descriptor,
        gone: &Digest,
    ) -> Result<(), Error> {
        let mut referrers = self.tagged_referrers(name, &subject.digest)?;
        let before = referrers.len();
        referrers.retain(|found| found.descriptor.digest != *gone);
        if referrers.len() == before {
            return Ok(());
        }
        self.put_referrers(name, &subject.digest, &referrers)
    }

    fn put_referrers(
        &self,
        name: &RepositoryName,
        subject: &Digest,
        referrers: &[Referrer],
    ) -> Result<(), Error> {
        let index = ReferrersIndex {
            schema_version: 2,
            media_type: MediaType::INDEX,
            manifests: referrers,
        };
        let bytes = serde_json::to_vec(&index).map_err(|source| {
            Error::Image(barge_image::Error::Document {
                what: "list of referrers",
                path: name.to_string().into(),
                source,
            })
        })?;
        let media_type = MediaType::INDEX;
        let target = Target::Tag(referrers_tag(subject));
        self.put_at(name, &target, &RawManifest { media_type, bytes })?;
        Ok(())
    }

    /// Removes a manifest and every tag of it. One that is gone already is no error.
    ///
    /// # Errors
    /// When the registry does not let anybody remove things, or not this one.
    pub fn delete_manifest(&self, name: &RepositoryName, digest: &Digest) -> Result<(), Error> {
        self.delete(name, &Target::Digest(*digest))
    }

    /// Removes a tag and nothing else, which not all registries can.
    ///
    /// # Errors
    /// As [`Self::delete_manifest`].
    pub(super) fn delete_tag(&self, reference: &Reference) -> Result<(), Error> {
        let tag = reference.tag().map_or("latest", |tag| tag.as_str());
        self.delete(reference.name(), &Target::Tag(tag.to_owned()))
    }

    fn delete(&self, name: &RepositoryName, target: &Target) -> Result<(), Error> {
        let what = target.what(name);
        let scopes = Scopes::delete(name.path());
        let endpoint = self.client.home(name.registry());
        let wish = Client::wish(&endpoint, name.path(), &scopes, &what);
        let asked = self.client.run(&Ask {
            method: Method::DELETE,
            accept: &[202, 200, 204, 404],
            ..Ask::get(wish, target.url(&endpoint, name))
        });
        match asked {
            Ok(_) => Ok(()),
            Err(Error::Http(HttpError::Status {
                host, status: 405, ..
            })) => Err(Error::NoDelete { host, what }),
            Err(error) => Err(error),
        }
    }
}
