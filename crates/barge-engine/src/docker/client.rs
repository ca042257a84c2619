//! The calls about images: inspect, list, tag, untag, export.

use std::collections::BTreeMap;

use barge_image::{Digest, Platform, Reference};
use http_body_util::{BodyExt as _, Empty};
use hyper::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::body::BodyReader;
use super::connection::{Call, RequestBody, accepted, collect, refused, send};
use super::host::DockerHost;
use crate::error::Error;
use crate::nearest::nearest;

/// The newest API version that barge was tried with; older daemons are spoken to in theirs.
const NEWEST_API: ApiVersion = ApiVersion(1, 48);

/// A version of the Docker API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ApiVersion(u16, u16);

/// A daemon that answers.
#[derive(Debug, Clone)]
pub struct Docker {
    pub(super) host: DockerHost,
    pub(super) api: ApiVersion,
    info: EngineInfo,
}

/// What a daemon says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// Its version.
    pub version: String,
    /// Whether images lie in a containerd store, where an ID is a manifest's digest and not the config's.
    pub containerd_store: bool,
    /// What it runs.
    pub platform: Platform,
}

/// An image as a daemon describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectedImage {
    /// The engine's ID: the config digest, on containerd stores a manifest's or index's.
    pub id: Digest,
    /// All its names.
    pub references: Vec<Reference>,
    /// The plain layers, base first.
    pub diff_ids: Vec<Digest>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its length in the engine, in bytes.
    pub size: u64,
    /// What it runs on.
    pub platform: Platform,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Info {
    #[serde(default)]
    server_version: String,
    #[serde(default)]
    driver_status: Option<Vec<Vec<String>>>,
    #[serde(default, rename = "OSType")]
    os: String,
    #[serde(default)]
    architecture: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspect {
    id: Digest,
    repo_tags: Option<Vec<String>>,
    #[serde(default, rename = "RootFS")]
    root_fs: Option<InspectRootFs>,
    config: Option<InspectConfig>,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectRootFs {
    layers: Option<Vec<Digest>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectConfig {
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    pub(super) id: Digest,
    repo_tags: Option<Vec<String>>,
}

impl Docker {
    /// Asks the daemon who it is.
    ///
    /// # Errors
    /// When nothing answers there, or not in the way of a Docker daemon.
    pub async fn connect(host: DockerHost) -> Result<Self, Error> {
        let ping = Call::new(Method::GET, "/_ping", "answer");
        let answer = send(&host, &ping, empty()).await?;
        let stated = answer
            .headers()
            .get("api-version")
            .and_then(|version| version.to_str().ok()?.parse().ok());
        let api = stated.map_or(NEWEST_API, |version: ApiVersion| version.min(NEWEST_API));
        let call = Call::new(Method::GET, format!("/{api}/info"), "describe itself");
        let answer = accepted(&host, &call, send(&host, &call, empty()).await?).await?;
        let info: Info = parse(&call, &collect(&host, &call, answer).await?)?;
        Ok(Self {
            host,
            api,
            info: info.into(),
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
        format!("docker {}", self.info.version)
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

    async fn inspect_by(&self, name: &str) -> Result<Option<InspectedImage>, Error> {
        let call = self.call(
            Method::GET,
            &format!("/images/{name}/json"),
            format!("inspect `{name}`"),
        );
        let answer = send(&self.host, &call, empty()).await?;
        let status = answer.status();
        let bytes = collect(&self.host, &call, answer).await?;
        if status == hyper::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !status.is_success() {
            return Err(refused(&call, status, &bytes));
        }
        parse::<Inspect>(&call, &bytes).map(|image| Some(image.into()))
    }

    /// Looks at an image that must be there; otherwise says what is.
    ///
    /// # Errors
    /// [`Error::NotFound`] with the nearest names, or when the daemon fails.
    pub async fn require(&self, reference: &Reference) -> Result<InspectedImage, Error> {
        if let Some(image) = self.inspect(reference).await? {
            return Ok(image);
        }
        let held = self.references().await?;
        let near = nearest(reference, held);
        Err(Error::NotFound {
            engine: self.name(),
            wanted: reference.clone(),
            near,
        })
    }

    /// Every name that the daemon holds.
    ///
    /// # Errors
    /// When the daemon fails.
    pub async fn references(&self) -> Result<Vec<Reference>, Error> {
        let listed = self.list().await?;
        let tags = listed
            .into_iter()
            .flat_map(|image| image.repo_tags.unwrap_or_default());
        Ok(tags.filter_map(|tag| tag.parse().ok()).collect())
    }

    pub(super) async fn list(&self) -> Result<Vec<Listed>, Error> {
        self.json(&self.call(Method::GET, "/images/json", "list its images"))
            .await
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

    pub(super) fn call(&self, method: Method, path: &str, action: impl Into<String>) -> Call {
        Call::new(method, format!("/{}{path}", self.api), action)
    }

    async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Error> {
        let answer = accepted(&self.host, call, send(&self.host, call, empty()).await?).await?;
        parse(call, &collect(&self.host, call, answer).await?)
    }

    async fn run(&self, call: &Call) -> Result<(), Error> {
        let answer = accepted(&self.host, call, send(&self.host, call, empty()).await?).await?;
        collect(&self.host, call, answer).await.map(drop)
    }
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

/// Escapes a value of a query.
pub(super) fn query(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b':' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

impl std::str::FromStr for ApiVersion {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (major, minor) = text.split_once('.').ok_or(())?;
        Ok(Self(
            major.parse().map_err(drop)?,
            minor.parse().map_err(drop)?,
        ))
    }
}

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "v{}.{}", self.0, self.1)
    }
}

impl From<Info> for EngineInfo {
    fn from(info: Info) -> Self {
        let containerd = |status: &Vec<String>| {
            status
                .iter()
                .any(|text| text.starts_with("io.containerd.snapshotter"))
        };
        Self {
            containerd_store: info.driver_status.iter().flatten().any(containerd),
            version: info.server_version,
            platform: platform(info.os, &info.architecture),
        }
    }
}

impl From<Inspect> for InspectedImage {
    fn from(image: Inspect) -> Self {
        let tags = image.repo_tags.unwrap_or_default();
        Self {
            id: image.id,
            references: tags.iter().filter_map(|tag| tag.parse().ok()).collect(),
            diff_ids: image
                .root_fs
                .and_then(|root_fs| root_fs.layers)
                .unwrap_or_default(),
            labels: image
                .config
                .and_then(|config| config.labels)
                .unwrap_or_default(),
            size: image.size,
            platform: platform(image.os, &image.architecture),
        }
    }
}

/// Daemons name their machine as the kernel does, images as Go does.
fn platform(os: String, architecture: &str) -> Platform {
    let architecture = match architecture {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    Platform {
        architecture: architecture.to_owned(),
        os,
        variant: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speaks_the_older_of_two_versions() {
        let old: ApiVersion = "1.41".parse().unwrap();
        let new: ApiVersion = "1.100".parse().unwrap();
        assert_eq!(old.min(NEWEST_API).to_string(), "v1.41");
        assert_eq!(new.min(NEWEST_API), NEWEST_API);
        assert!("x".parse::<ApiVersion>().is_err());
    }

    #[test]
    fn escapes_queries() {
        assert_eq!(query("ghcr.io/a/b:t&x=1 %"), "ghcr.io/a/b:t%26x%3D1%20%25");
    }
}
