//! The calls about images: inspect, list, tag, untag, export. Podman answers them, too, in its own words.

use std::time::Duration;

use barge_image::{Digest, Platform, Reference};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::Method;
use hyper::body::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answers::{
    ApiVersion, EngineInfo, Info, Inspect, InspectManifest, InspectedImage, Listed, Product,
};
use super::body::BodyReader;
use super::connection::{Call, RequestBody, accepted, collect, refused, send};
use super::host::DockerHost;
use crate::error::Error;
use crate::nearest::nearest;

/// The newest API version that barge was tried with; older daemons are spoken to in theirs.
const NEWEST_API: ApiVersion = ApiVersion(1, 48);
/// From here on an inspection tells which manifests of an image are complete.
const MANIFESTS_API: ApiVersion = ApiVersion(1, 48);

const LIST_PAUSES: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(500),
];

/// A daemon that answers.
#[derive(Debug, Clone)]
pub struct Docker {
    pub(super) host: DockerHost,
    pub(super) api: ApiVersion,
    info: EngineInfo,
}

impl Docker {
    /// Asks the daemon who it is.
    ///
    /// # Errors
    /// When nothing answers there, or not in the way of a Docker daemon.
    pub async fn connect(host: DockerHost) -> Result<Self, Error> {
        let ping = Call::new(Method::GET, "/_ping", "answer");
        let answer = send(&host, &ping, empty()).await?;
        let header = |name| answer.headers().get(name)?.to_str().ok();
        let stated = header("api-version").and_then(|version| version.parse().ok());
        let product = match header("libpod-api-version") {
            Some(_) => Product::Podman,
            None => Product::Docker,
        };
        let api = stated.map_or(NEWEST_API, |version: ApiVersion| version.min(NEWEST_API));
        let call = Call::new(Method::GET, format!("/{api}/info"), "describe itself");
        let answer = accepted(&host, &call, send(&host, &call, empty()).await?).await?;
        let info: Info = parse(&call, &collect(&host, &call, answer).await?)?;
        Ok(Self {
            host,
            api,
            info: info.of(product),
        })
    }

    /// What the daemon said about itself.
    #[must_use]
    pub fn info(&self) -> &EngineInfo {
        &self.info
    }

    /// Where the daemon listens.
    #[must_use]
    pub fn host(&self) -> &DockerHost {
        &self.host
    }

    /// How the engine is called in records and messages.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.info.product, self.info.version)
    }

    /// Looks at an image; `None` when the daemon does not hold it.
    ///
    /// # Errors
    /// When the daemon fails.
    pub async fn inspect(&self, reference: &Reference) -> Result<Option<InspectedImage>, Error> {
        self.inspect_by(&reference.to_string()).await
    }

    /// Looks at an image by the engine's ID.
    ///
    /// # Errors
    /// When the daemon fails.
    pub async fn inspect_id(&self, id: &Digest) -> Result<Option<InspectedImage>, Error> {
        self.inspect_by(&id.to_string()).await
    }

    /// Whether the daemon says of a manifest that all its blobs are there; `None` where it cannot tell (before API 1.48).
    ///
    /// # Errors
    /// When the daemon fails.
    pub(super) async fn is_available(&self, id: &Digest) -> Result<Option<bool>, Error> {
        let manifests = self.manifests(id).await?;
        let told = manifests.iter().find(|manifest| manifest.id == *id);
        Ok(told.map(|manifest| manifest.available))
    }

    /// The platforms of an image that are wholly there; none where the daemon cannot tell (before API 1.48).
    ///
    /// # Errors
    /// When the daemon fails.
    pub async fn platforms(&self, id: &Digest) -> Result<Vec<Platform>, Error> {
        let manifests = self.manifests(id).await?.into_iter();
        let complete = manifests.filter(|manifest| manifest.available);
        let images = complete.filter_map(|manifest| manifest.image_data);
        Ok(images.map(|image| image.platform).collect())
    }

    async fn manifests(&self, id: &Digest) -> Result<Vec<InspectManifest>, Error> {
        if self.api < MANIFESTS_API {
            return Ok(Vec::new());
        }
        let image = self.inspect_raw(&id.to_string(), "?manifests=1").await?;
        Ok(image.and_then(|image| image.manifests).unwrap_or_default())
    }

    async fn inspect_by(&self, name: &str) -> Result<Option<InspectedImage>, Error> {
        let image = self.inspect_raw(name, "").await?;
        Ok(image.map(InspectedImage::from))
    }

    async fn inspect_raw(&self, name: &str, query: &str) -> Result<Option<Inspect>, Error> {
        let call = self.call(
            Method::GET,
            &format!("/images/{name}/json{query}"),
            format!("inspect `{name}`"),
        );
        let answer = send(&self.host, &call, empty()).await?;
        let status = answer.status();
        let bytes = collect(&self.host, &call, answer).await?;
        if status == hyper::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !status.is_success() {
            return match refused(&call, status, &bytes) {
                Error::Refused { message, .. } if is_going(&message) => Ok(None),
                error => Err(error),
            };
        }
        parse(&call, &bytes).map(Some)
    }

    /// Looks at an image that must be there; otherwise says what is.
    ///
    /// # Errors
    /// [`Error::NotFound`] with the nearest names, or when the daemon fails.
    pub async fn require(&self, reference: &Reference) -> Result<InspectedImage, Error> {
        if let Some(image) = self.inspect(reference).await? {
            return Ok(image);
        }
        Err(self.not_found(reference, None).await?)
    }

    /// Looks at an image that must be there and be this one; otherwise says what is.
    ///
    /// # Errors
    /// [`Error::NotFound`] with the nearest names, [`Error::Moved`], or when the daemon fails.
    pub async fn require_same(
        &self,
        reference: &Reference,
        expected: &Digest,
    ) -> Result<InspectedImage, Error> {
        match self.inspect(reference).await? {
            Some(image) if image.id == *expected => Ok(image),
            Some(image) => Err(Error::Moved {
                reference: reference.clone(),
                expected: *expected,
                found: image.id,
            }),
            None => {
                let unnamed = self.inspect_id(expected).await?.map(|image| image.id);
                Err(self.not_found(reference, unnamed).await?)
            }
        }
    }

    async fn not_found(
        &self,
        reference: &Reference,
        unnamed: Option<Digest>,
    ) -> Result<Error, Error> {
        let near = nearest(reference, self.references().await?);
        Ok(Error::NotFound {
            engine: format!("{} at {}", self.name(), self.host),
            wanted: reference.clone(),
            near,
            unnamed,
            builders: self.builders().await,
        })
    }

    /// Every name that the daemon holds.
    ///
    /// # Errors
    /// When the daemon fails.
    pub async fn references(&self) -> Result<Vec<Reference>, Error> {
        let listed = self.list().await?;
        Ok(listed.iter().flat_map(Listed::references).collect())
    }

    /// Podman, and Docker with a containerd store (as 404), fail to list their images while one of them is being removed, so
    /// they are asked again.
    pub(super) async fn list(&self) -> Result<Vec<Listed>, Error> {
        let call = self.call(Method::GET, "/images/json", "list its images");
        for pause in LIST_PAUSES {
            match self.json(&call).await {
                Err(Error::Refused {
                    status: 404 | 500..,
                    ..
                }) => tokio::time::sleep(pause).await,
                answer => return answer,
            }
        }
        self.json(&call).await
    }

    /// Gives an image another name, taking it from whatever had it.
    ///
    /// # Errors
    /// When the daemon fails.
    pub async fn tag(&self, id: &Digest, reference: &Reference) -> Result<(), Error> {
        let tag = reference.tag().map_or("latest", barge_image::Tag::as_str);
        let path = format!(
            "/images/{id}/tag?repo={}&tag={tag}",
            query(&reference.name().to_string())
        );
        self.run(&self.call(Method::POST, &path, format!("tag `{reference}`")))
            .await
    }

    /// Takes a name away; the image goes with its last one.
    ///
    /// # Errors
    /// When the daemon fails or does not hold the name.
    pub async fn untag(&self, reference: &Reference) -> Result<(), Error> {
        let path = format!("/images/{reference}");
        self.run(&self.call(Method::DELETE, &path, format!("remove `{reference}`")))
            .await
    }

    /// Exports images under exactly these names, as a docker archive. Read it on a blocking thread.
    ///
    /// # Errors
    /// When the daemon fails before the first byte.
    pub async fn export(&self, references: &[Reference]) -> Result<BodyReader, Error> {
        let names: Vec<_> = references
            .iter()
            .map(|reference| format!("names={}", query(&reference.to_string())))
            .collect();
        let path = format!("/images/get?{}", names.join("&"));
        let call = self.call(Method::GET, &path, "export the image");
        let answer = accepted(&self.host, &call, send(&self.host, &call, empty()).await?).await?;
        Ok(BodyReader::new(answer.into_body()))
    }

    /// Makes a container of an image and removes it again: the one thing that a containerd store cannot do with an image
    /// that it could not unpack.
    ///
    /// # Errors
    /// When the container cannot be made.
    pub(super) async fn try_out(&self, reference: &Reference) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Created {
            #[serde(rename = "Id")]
            id: String,
        }
        let call = self.call(
            Method::POST,
            "/containers/create",
            format!("make a container of `{reference}`"),
        );
        // Images without a command need one here; it never runs.
        let body = serde_json::json!({"Image": reference.to_string(), "Cmd": ["none"]});
        let answer = send(&self.host, &call, whole(body.to_string())).await?;
        let answer = accepted(&self.host, &call, answer).await?;
        let Created { id } = parse(&call, &collect(&self.host, &call, answer).await?)?;
        let path = format!("/containers/{id}?force=1&v=1");
        self.run(&self.call(Method::DELETE, &path, "remove a container"))
            .await
    }

    pub(super) fn call(&self, method: Method, path: &str, action: impl Into<String>) -> Call {
        Call::new(method, format!("/{}{path}", self.api), action)
    }

    pub(super) async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Error> {
        let answer = accepted(&self.host, call, send(&self.host, call, empty()).await?).await?;
        parse(call, &collect(&self.host, call, answer).await?)
    }

    async fn run(&self, call: &Call) -> Result<(), Error> {
        let answer = accepted(&self.host, call, send(&self.host, call, empty()).await?).await?;
        collect(&self.host, call, answer).await.map(drop)
    }
}

fn whole(bytes: String) -> RequestBody {
    Box::pin(Full::new(Bytes::from(bytes)).map_err(|never| match never {}))
}

pub(super) fn empty() -> RequestBody {
    Box::pin(Empty::new().map_err(|never| match never {}))
}

fn parse<T: DeserializeOwned>(call: &Call, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| Error::Answer {
        action: call.action.clone(),
        problem: error.to_string(),
    })
}

/// Percent-encodes a value of a query.
pub(super) fn query(value: &str) -> PercentEncode<'_> {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~')
        .remove(b'/')
        .remove(b':');
    utf8_percent_encode(value, RESERVED)
}

/// Whether Podman says that an image goes while it is looked at: its layers may be gone before its name is.
fn is_going(message: &str) -> bool {
    let gone = ["image not known", "layer not known"];
    gone.iter().any(|words| message.ends_with(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_goes_is_told_from_a_broken_one() {
        let words = "failed to convert ImageData to ImageInspect 'sha256:a5': ";
        assert!(is_going(&format!("{words}layer not known")));
        assert!(is_going(&format!("{words}image not known")));
        assert!(!is_going(&format!("{words}permission denied")));
    }

    #[test]
    fn escapes_queries() {
        assert_eq!(
            query("ghcr.io/a/b:t&x=1 %").to_string(),
            "ghcr.io/a/b:t%26x%3D1%20%25"
        );
    }
}
