//! Building with the daemon's own BuildKit: `POST /build?version=2` with the context as a tar, without a session.
//!
//! It needs no plugin. Secrets, ssh and cache export need a session, which barge leaves to buildx.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use barge_image::{Digest, Platform, Reference};
use base64::Engine as _;
use hyper::Method;
use serde::Deserialize;

use super::answers::ApiVersion;
use super::body::{BodyReader, StreamedBody};
use super::client::{Docker, query};
use super::connection::{accepted, open};
use super::progress::BuildEvent;
use super::trace::Trace;
use crate::blocking::blocking;
use crate::error::Error;

/// From here on BuildKit reads the request's own context beside a containerd store, too.
const CONTEXT_API: ApiVersion = ApiVersion(1, 46);

/// What to build and how; the context itself is the request's body.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Every name that the image gets.
    pub references: Vec<Reference>,
    /// The Dockerfile's path inside the context.
    pub dockerfile: String,
    /// Values of `ARG`s.
    pub arguments: BTreeMap<String, String>,
    /// Labels beside those of the Dockerfile.
    pub labels: BTreeMap<String, String>,
    /// The stage to stop at.
    pub target: Option<String>,
    /// The platform, if not the daemon's.
    pub platform: Option<Platform>,
    /// The network of `RUN` steps: `none`, `host`, or a network's name.
    pub network: Option<String>,
    /// Whether to use nothing of earlier builds.
    pub no_cache: bool,
    /// Whether to ask registries for newer bases.
    pub pull: bool,
}

/// What a build made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildAnswer {
    /// The engine's ID of the image.
    pub id: Digest,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    id: String,
    #[serde(default)]
    stream: String,
    #[serde(default)]
    error: String,
    aux: Option<Aux>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Aux {
    Trace(String),
    Image {
        #[serde(rename = "ID")]
        id: Digest,
    },
    Other(serde::de::IgnoredAny),
}

impl Docker {
    /// Builds an image from a context that another thread writes as a tar.
    ///
    /// # Errors
    /// When a step fails, the daemon refuses or breaks, or the deadline passes.
    pub async fn build(
        &self,
        options: &BuildOptions,
        context: StreamedBody,
        deadline: Duration,
        tell: impl Fn(BuildEvent) + Send + 'static,
    ) -> Result<BuildAnswer, Error> {
        let build = async {
            let mut call = self.call(Method::POST, &options.path(self.builder())?, "build");
            call.content_type = "application/x-tar";
            call.patience = None;
            let (answer, _connection) = open(&self.host, &call, Box::pin(context)).await?;
            let answer = accepted(&self.host, &call, answer).await?;
            let reader = BodyReader::new(answer.into_body());
            blocking(move || read_answer(reader, &tell)).await
        };
        // The connection goes with the work that is dropped, which makes the daemon give the build up.
        tokio::time::timeout(deadline, build)
            .await
            .unwrap_or(Err(Error::Deadline { after: deadline }))
    }
}

impl Docker {
    /// The builder's version: BuildKit, but where a containerd store's BuildKit looks for the context in the network
    /// instead of the request (26.1.5 does, 28.5.2 does not) the older one.
    fn builder(&self) -> &'static str {
        let misses_the_context = self.info().containerd_store && self.api < CONTEXT_API;
        if misses_the_context { "1" } else { "2" }
    }
}

impl BuildOptions {
    fn path(&self, builder: &str) -> Result<String, Error> {
        let json = |map: &BTreeMap<String, String>| {
            let text = serde_json::to_string(map);
            text.map_err(|error| Error::Answer {
                action: "build".into(),
                problem: error.to_string(),
            })
        };
        let mut parameters = vec![
            ("version", builder.to_owned()),
            ("dockerfile", self.dockerfile.clone()),
            ("buildargs", json(&self.arguments)?),
            ("labels", json(&self.labels)?),
        ];
        parameters.extend(
            self.references
                .iter()
                .map(|reference| ("t", reference.to_string())),
        );
        parameters.extend(self.target.iter().map(|target| ("target", target.clone())));
        parameters.extend(
            self.platform
                .iter()
                .map(|platform| ("platform", platform.to_string())),
        );
        parameters.extend(
            self.network
                .iter()
                .map(|network| ("networkmode", network.clone())),
        );
        parameters.extend(self.no_cache.then(|| ("nocache", "1".to_owned())));
        parameters.extend(self.pull.then(|| ("pull", "1".to_owned())));
        let pairs: Vec<_> = parameters
            .iter()
            .map(|(key, value)| format!("{key}={}", query(value)))
            .collect();
        Ok(format!("/build?{}", pairs.join("&")))
    }
}

/// Follows the answer to its end. Messages stand one after the other, not always on lines of their own.
fn read_answer(reader: impl Read, tell: &dyn Fn(BuildEvent)) -> Result<BuildAnswer, Error> {
    let misread = |problem: String| Error::Answer {
        action: "build".into(),
        problem,
    };
    let mut trace = Trace::default();
    let mut told = Vec::new();
    let mut image = None;
    for message in serde_json::Deserializer::from_reader(reader).into_iter::<Message>() {
        let message = message.map_err(|error| misread(error.to_string()))?;
        if !message.error.is_empty() {
            return Err(Error::Build {
                message: message.error,
                step: trace.failed_step(),
                log: trace.failed_log(),
            });
        }
        match message.aux {
            Some(Aux::Trace(text)) if message.id == "moby.buildkit.trace" => {
                let bytes = base64::engine::general_purpose::STANDARD
                    .decode(text)
                    .unwrap_or_default();
                trace.read(&bytes, &mut told);
            }
            Some(Aux::Image { id }) => image = Some(id),
            _ => {}
        }
        told.extend(message.stream.lines().map(|line| BuildEvent::Output {
            line: line.to_owned(),
        }));
        told.drain(..).for_each(tell);
    }
    let id = image.ok_or_else(|| misread("it ended without an image".into()))?;
    Ok(BuildAnswer { id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ids_errors_and_early_ends() {
        let id = Digest::of(b"x");
        let answer =
            format!(r#"{{"stream":"Step 1"}}{{"id":"moby.image.id","aux":{{"ID":"{id}"}}}}"#);
        assert_eq!(
            read_answer(answer.as_bytes(), &|_| ()).unwrap(),
            BuildAnswer { id }
        );
        let failed =
            br#"{"error":"process did not complete: exit code: 3","errorDetail":{"message":"x"}}"#;
        assert!(matches!(
            read_answer(&failed[..], &|_| ()),
            Err(Error::Build { .. })
        ));
        assert!(matches!(
            read_answer(&b""[..], &|_| ()),
            Err(Error::Answer { .. })
        ));
        assert!(matches!(
            read_answer(&b"{\"stre"[..], &|_| ()),
            Err(Error::Answer { .. })
        ));
    }

    #[test]
    fn the_path_names_every_tag() {
        let options = BuildOptions {
            references: vec!["a:1".parse().unwrap(), "a:2".parse().unwrap()],
            dockerfile: "Dockerfile".into(),
            ..BuildOptions::default()
        };
        let path = options.path("2").unwrap();
        assert!(
            path.contains("t=docker.io/library/a:1&t=docker.io/library/a:2"),
            "{path}"
        );
    }
}
