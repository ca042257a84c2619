//! Manifests by name and digest (distribution-spec 1.1, "Pulling manifests", "Pushing manifests"). The bytes are kept as
//! they came: a digest is of bytes.

use barge_image::DOCUMENT_LIMIT;
use barge_image::manifest::Document;
use barge_image::media_type::DocumentKind;
use barge_image::{
    Descriptor, Digest, Index, MediaType, Platform, RawManifest, Reference, RepositoryName,
};
use ureq::http::Method;

use super::Registry;
use super::authorization::Scopes;
use super::client::{Ask, Client};
use super::endpoint::Endpoint;
use super::error::Error;
use crate::http::{Answer, Error as HttpError, Pace, Payload, Url};

/// Every form of manifest in use; registries convert to what is accepted, or refuse.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";
/// Indexes may hold indexes; deeper than this is a loop.
const INDEX_DEPTH: usize = 4;
/// What media types of before 2016 begin with.
pub(super) const OLD_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v1+";
const DIGEST_HEADER: &str = "docker-content-digest";
/// What a registry that lists referrers answers to a manifest with a subject.
const SUBJECT_HEADER: &str = "oci-subject";

/// What a reference stands for in a registry.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// What the reference names: a manifest, or the index that the manifest was chosen from.
    pub named: Descriptor,
    /// The manifest of the image.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub manifest: RawManifest,
    /// The bytes of what the reference names, if that is an index.
    pub index: Option<RawManifest>,
}

impl Registry {
    /// Finds the image that a reference names. Without a platform an index gives this machine's, or its only one.
    ///
    /// # Errors
    /// When it is not there, not for this platform, or no image.
    pub fn resolve(
        &self,
        reference: &Reference,
        platform: Option<&Platform>,
    ) -> Result<Resolved, Error> {
        let mut manifest = self.fetch_manifest(reference.name(), &Target::of(reference))?;
        let named = manifest.descriptor();
        let mut descriptor = named.clone();
        let mut index = None;
        for _ in 0..INDEX_DEPTH {
            let Document::Index(parsed) = parse(reference, &manifest)? else {
                return Ok(Resolved {
                    named,
                    descriptor,
                    manifest,
                    index,
                });
            };
            descriptor = choose(reference, &parsed, platform)?;
            let target = Target::Digest(descriptor.digest);
            let chosen = self.fetch_manifest(reference.name(), &target)?;
            index.get_or_insert(std::mem::replace(&mut manifest, chosen));
        }
        Err(Error::Unsupported {
            reference: reference.clone(),
            media_type: manifest.media_type,
        })
    }

    /// What a reference names, without reading it; `None` when it is not there. Registries do not count this as a pull.
    ///
    /// # Errors
    /// When the registry does not say.
    pub fn head(&self, reference: &Reference) -> Result<Option<Descriptor>, Error> {
        let name = reference.name();
        let target = Target::of(reference);
        let what = target.what(name);
        let scopes = Scopes::pull(name.path());
        let found = self.client.read(name.registry(), |endpoint| {
            let wish = Client::wish(endpoint, name.path(), &scopes, &what);
            let ask = Ask {
                method: Method::HEAD,
                headers: accept(),
                ..Ask::get(wish, target.url(endpoint, name))
            };
            let answer = self.client.run(&ask)?;
            describe(&answer, &target, &what)
        });
        match found {
            Ok(Some(descriptor)) => Ok(Some(descriptor)),
            // Digest and length are optional in the answer: then the manifest itself is read.
            Ok(None) => Ok(Some(self.fetch_manifest(name, &target)?.descriptor())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a manifest or index as it lies there.
    ///
    /// # Errors
    /// When it is not there or not what its name says.
    pub fn manifest(&self, reference: &Reference) -> Result<RawManifest, Error> {
        self.fetch_manifest(reference.name(), &Target::of(reference))
    }

    /// Puts a manifest under the tag of a reference, or under its digest if it has no tag.
    ///
    /// # Errors
    /// When the reference has another digest, or the registry refuses.
    pub fn put_manifest(
        &self,
        reference: &Reference,
        manifest: &RawManifest,
    ) -> Result<Descriptor, Error> {
        let descriptor = manifest.descriptor();
        if reference
            .digest()
            .is_some_and(|digest| *digest != descriptor.digest)
        {
            return Err(Error::Name {
                reference: reference.clone(),
                found: descriptor.digest,
            });
        }
        let target = match reference.tag() {
            Some(tag) => Target::Tag(tag.to_string()),
            None => Target::Digest(descriptor.digest),
        };
        self.put_at(reference.name(), &target, manifest)?;
        Ok(descriptor)
    }

    /// Puts a manifest under a tag or its digest; true when the registry lists it as a referrer of its subject.
    pub(super) fn put_at(
        &self,
        name: &RepositoryName,
        target: &Target,
        manifest: &RawManifest,
    ) -> Result<bool, Error> {
        let digest = manifest.descriptor().digest;
        let what = target.what(name);
        let scopes = Scopes::push(name.path());
        let endpoint = self.client.home(name.registry());
        let wish = Client::wish(&endpoint, name.path(), &scopes, &what);
        let answer = self.client.run(&Ask {
            method: Method::PUT,
            headers: vec![("content-type", manifest.media_type.to_string())],
            payload: Payload::Bytes(&manifest.bytes),
            pace: Pace::Digest,
            accept: &[201, 200, 202],
            ..Ask::get(wish, target.url(&endpoint, name))
        })?;
        check_header(&answer, &what, digest)?;
        // A registry that does not say what it stored is asked.
        if answer.header(DIGEST_HEADER).is_none() {
            let stored = self.fetch_manifest(name, target)?.descriptor();
            check(&answer.host(), &what, digest, stored.digest)?;
        }
        Ok(answer.header(SUBJECT_HEADER).is_some())
    }

    pub(super) fn fetch_manifest(
        &self,
        name: &RepositoryName,
        target: &Target,
    ) -> Result<RawManifest, Error> {
        let what = target.what(name);
        let scopes = Scopes::pull(name.path());
        self.client.read(name.registry(), |endpoint| {
            let wish = Client::wish(endpoint, name.path(), &scopes, &what);
            let ask = Ask {
                headers: accept(),
                ..Ask::get(wish, target.url(endpoint, name))
            };
            self.client
                .run_and(&ask, |answer| self.take_manifest(answer, target, &what))
        })
    }

    fn take_manifest(
        &self,
        answer: Answer,
        target: &Target,
        what: &str,
    ) -> Result<RawManifest, Error> {
        let host = answer.host();
        let stated = stated_type(&answer);
        let promised = header_digest(&answer);
        let bytes = answer.document(what, DOCUMENT_LIMIT, self.client.document_patience())?;
        let found = Digest::of(&bytes);
        if let Target::Digest(expected) = target {
            check(&host, what, *expected, found)?;
        }
        if let Some(promised) = promised {
            check(&host, what, promised, found)?;
        }
        let media_type = own_type(&bytes).unwrap_or(stated);
        Ok(RawManifest { media_type, bytes })
    }
}

/// What is asked for below `/manifests/`.
pub(super) enum Target {
    Tag(String),
    Digest(Digest),
}

impl Target {
    /// The digest decides where a reference has both.
    fn of(reference: &Reference) -> Self {
        match (reference.digest(), reference.tag()) {
            (Some(digest), _) => Self::Digest(*digest),
            (None, Some(tag)) => Self::Tag(tag.to_string()),
            (None, None) => Self::Tag("latest".into()),
        }
    }

    pub(super) fn url(&self, endpoint: &Endpoint, name: &RepositoryName) -> Url {
        endpoint.url(&match self {
            Self::Tag(tag) => format!("{}/manifests/{tag}", name.path()),
            Self::Digest(digest) => format!("{}/manifests/{digest}", name.path()),
        })
    }

    pub(super) fn what(&self, name: &RepositoryName) -> String {
        match self {
            Self::Tag(tag) => format!("`{name}:{tag}`"),
            Self::Digest(digest) => format!("`{name}@{digest}`"),
        }
    }
}

fn accept() -> Vec<(&'static str, String)> {
    vec![("accept", ACCEPT.to_owned())]
}

fn parse(reference: &Reference, manifest: &RawManifest) -> Result<Document, Error> {
    // The form of before 2016 has a signature inside, and no config.
    let is_old = manifest.media_type.as_str().starts_with(OLD_MANIFEST);
    Document::parse(&manifest.bytes)
        .ok()
        .filter(|_| !is_old)
        .ok_or_else(|| Error::Unsupported {
            reference: reference.clone(),
            media_type: manifest.media_type.clone(),
        })
}

fn choose(
    reference: &Reference,
    index: &Index,
    platform: Option<&Platform>,
) -> Result<Descriptor, Error> {
    index.choose(platform).cloned().ok_or_else(|| {
        let images = index.images().filter_map(|found| found.platform.as_ref());
        Error::Platform {
            reference: reference.clone(),
            wanted: platform.cloned().unwrap_or_else(Platform::host),
            found: images.map(ToString::to_string).collect(),
        }
    })
}

/// The media type that a manifest states itself.
fn own_type(bytes: &[u8]) -> Option<MediaType> {
    let media_type = match Document::parse(bytes).ok()? {
        Document::Manifest(manifest) => manifest.media_type,
        Document::Index(index) => index.media_type,
    };
    (media_type != MediaType::default()).then_some(media_type)
}

fn stated_type(answer: &Answer) -> MediaType {
    let text = answer.header("content-type").unwrap_or_default();
    let text = text.split(';').next().unwrap_or_default().trim();
    let stated = MediaType::from(text.to_owned());
    match stated.kind() {
        // `application/json` says nothing.
        DocumentKind::Other if !text.starts_with(OLD_MANIFEST) => MediaType::MANIFEST,
        _ => stated,
    }
}

/// Another algorithm than sha256 says nothing that can be compared.
fn header_digest(answer: &Answer) -> Option<Digest> {
    answer.header(DIGEST_HEADER)?.parse().ok()
}

fn describe(answer: &Answer, target: &Target, what: &str) -> Result<Option<Descriptor>, Error> {
    if let (Target::Digest(expected), Some(found)) = (target, header_digest(answer)) {
        check(&answer.host(), what, *expected, found)?;
    }
    let digest = match target {
        Target::Digest(digest) => Some(*digest),
        Target::Tag(_) => header_digest(answer),
    };
    let size = answer
        .header("content-length")
        .and_then(|size| size.parse().ok());
    let described = digest.zip(size);
    Ok(described.map(|(digest, size)| Descriptor::new(stated_type(answer), digest, size)))
}

fn check_header(answer: &Answer, what: &str, expected: Digest) -> Result<(), Error> {
    match header_digest(answer) {
        Some(found) => check(&answer.host(), what, expected, found),
        None => Ok(()),
    }
}

fn check(host: &str, what: &str, expected: Digest, found: Digest) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(HttpError::Digest {
        host: host.to_owned(),
        what: what.to_owned(),
        expected,
        found,
    }
    .into())
}
