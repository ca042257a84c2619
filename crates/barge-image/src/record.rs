//! The hand-off record: what one job tells the next about an image, under 4 KB.
//!
//! It names the image by config digest and by the manifest that the store holds; the config pins the diff_ids and the
//! manifest the blobs, so they need not stand here and the record stays small whatever the number of layers. The
//! record's own digest is the one value that travels as a job output. Signatures go around it, not into it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::Error;
use crate::manifest::Descriptor;
use crate::platform::Platform;
use crate::reference::Reference;

/// The shape of the record that this version writes and reads.
pub const SCHEMA: &str = "barge/record/v1";
/// Tekton results and GitLab dotenv variables hold this much, in bytes.
pub const RECORD_LIMIT: usize = 4096;

/// The hand-off record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// What the hand-off is called in the store.
    pub artifact: ArtifactName,
    /// Every name of the image, in the order of the plan.
    pub references: Vec<Reference>,
    /// What the image is.
    pub image: RecordedImage,
    /// Where it comes from.
    pub source: Source,
    /// How it was built.
    pub build: BuildFacts,
    /// Whether the plan lets the image go to its registries under its names. What is proposed only never may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub publish: bool,
    /// The program that wrote this, with its version.
    pub tool: String,
    /// When it was written.
    pub created: Timestamp,
    /// When the store may remove it; never, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// What the image of a record is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedImage {
    /// The config digest, the identity on every engine.
    pub config: Digest,
    /// The manifest that the store holds; its digest is not what a registry would give.
    pub manifest: Descriptor,
    /// The ID by which the engine that gave it out holds it, where that is not the config digest: the digest of the
    /// manifest or index in a containerd store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine_id: Option<Digest>,
    /// What it runs on.
    pub platform: Platform,
    /// How many layers it has.
    pub layers: usize,
    /// The length of its plain layers, in bytes.
    pub size: u64,
}

/// What happened and where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The kind of event: `pull_request`, `push`, `local`, ...
    pub event: String,
    /// `owner/name`, as the forge writes it.
    pub repository: String,
    /// The repository by the number that stays when it is renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_id: Option<String>,
    /// The commit that was built; of a pull request its head, not the merge commit.
    pub commit: String,
    /// The commit that was checked out, where that is another one: the trial merge of a pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_commit: Option<String>,
    /// The full name of the ref.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_ref: Option<String>,
    /// Whether that ref is the branch that the others are merged into, and this no pull request to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default_branch: bool,
    /// The pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<u64>,
    /// The workflow file, with its ref.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The job that built it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The run that built it.
    pub run: Run,
}

/// One attempt of one run of a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Run {
    /// The run, by the words of the CI system, or `local`.
    pub id: String,
    /// From 1.
    pub attempt: u32,
}

/// How an image was built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildFacts {
    /// The engine, with its version.
    pub engine: String,
    /// What the daemon calls itself, if one built the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daemon: Option<String>,
    /// The digest of the plan that it was built by, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Digest>,
    /// The images that its stages start from, in the order of the Dockerfile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bases: Vec<BaseImage>,
    /// The names of the build arguments; values may be secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
}

/// An image that a stage of a build starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseImage {
    /// What the Dockerfile calls it, variables put in.
    pub name: Reference,
    /// The digest of its manifest or index, where the Dockerfile or the engine knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// The name of a hand-off: letters, digits and `._-`, up to 128, so that it is a file name and a tag everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArtifactName(String);

/// Why a text is not an artifact name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an artifact name: up to 128 of `A-Za-z0-9._-`, beginning with a letter or digit"
)]
pub struct ParseArtifactNameError(String);

impl Record {
    /// The bytes that the record's digest is of.
    ///
    /// # Errors
    /// When it is larger than [`RECORD_LIMIT`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let bytes =
            serde_json::to_vec(self).map_err(Error::document("hand-off record", "record"))?;
        if bytes.len() > RECORD_LIMIT {
            let (size, references) = (bytes.len(), self.references.len());
            return Err(Error::RecordTooLarge {
                size,
                limit: RECORD_LIMIT,
                references,
            });
        }
        Ok(bytes)
    }

    /// The record, without the base images if it would be too long with them: it is for the names first.
    #[must_use]
    pub fn fitted(mut self) -> Self {
        if self.to_bytes().is_err() {
            self.build.bases.clear();
        }
        self
    }

    /// The digest that names the record.
    ///
    /// # Errors
    /// As [`Self::to_bytes`].
    pub fn digest(&self) -> Result<Digest, Error> {
        self.to_bytes().map(|bytes| Digest::of(&bytes))
    }

    /// Whether both say the same of the same image and differ at most in when they were written.
    #[must_use]
    pub fn is_same_hand_off(&self, other: &Self) -> bool {
        let timeless = Self {
            created: other.created,
            expires: other.expires,
            ..self.clone()
        };
        timeless == *other
    }

    /// Reads a record. One of another version is refused as malformed, with both versions named.
    ///
    /// # Errors
    /// When the bytes are no record of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Version {
            schema: String,
        }
        let Version { schema } = serde_json::from_slice(bytes)?;
        if schema == SCHEMA {
            return serde_json::from_slice(bytes);
        }
        let text = format!("it has the schema `{schema}`, this version reads `{SCHEMA}`");
        Err(serde::de::Error::custom(text))
    }
}

impl ArtifactName {
    /// The longest name, in bytes.
    pub const LIMIT: usize = 128;

    /// The text of the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ArtifactName {
    type Err = ParseArtifactNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
        let begins = text
            .bytes()
            .next()
            .is_some_and(|c| c.is_ascii_alphanumeric());
        if begins && text.len() <= Self::LIMIT && text.bytes().all(is_allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseArtifactNameError(text.to_owned()))
        }
    }
}

impl TryFrom<String> for ArtifactName {
    type Error = ParseArtifactNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ArtifactName> for String {
    fn from(name: ArtifactName) -> Self {
        name.0
    }
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} attempt {}", self.id, self.attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media_type::MediaType;

    fn record() -> Record {
        Record {
            schema: SCHEMA.into(),
            artifact: "image-pr-7".parse().unwrap(),
            references: vec!["ghcr.io/a/b:pr-7".parse().unwrap()],
            image: RecordedImage {
                config: Digest::of(b"config"),
                manifest: Descriptor::of(MediaType::MANIFEST, b"{}"),
                engine_id: None,
                platform: "linux/amd64".parse().unwrap(),
                layers: 1,
                size: 10,
            },
            source: Source {
                event: "pull_request".into(),
                repository: "a/b".into(),
                repository_id: Some("1296269".into()),
                commit: "c".repeat(40),
                merge_commit: Some("d".repeat(40)),
                workflow: Some("a/b/.github/workflows/ci.yml@refs/pull/7/merge".into()),
                job: Some("build".into()),
                git_ref: Some("refs/pull/7/merge".into()),
                default_branch: false,
                pull_request: Some(7),
                run: Run {
                    id: "123".into(),
                    attempt: 1,
                },
            },
            build: BuildFacts {
                engine: "docker 28.2.2".into(),
                daemon: Some("7TRN:IPZB:QYBB:VPBQ:UMPP:KARE:6ZNR:XE6T:7EWV:PKF4:ZOJD:TPYS".into()),
                plan: Some(Digest::of(b"plan")),
                bases: vec![BaseImage {
                    name: "docker.io/library/debian:12".parse().unwrap(),
                    digest: Some(Digest::of(b"base")),
                }],
                arguments: vec!["VERSION".into()],
            },
            publish: false,
            tool: "barge 0.1.0".into(),
            created: Timestamp::UNIX_EPOCH,
            expires: None,
        }
    }

    #[test]
    fn round_trips_and_stays_small() {
        let bytes = record().to_bytes().unwrap();
        assert_eq!(Record::from_bytes(&bytes).unwrap(), record());
        assert!(bytes.len() < RECORD_LIMIT / 2, "{}", bytes.len());
    }

    #[test]
    fn refuses_to_grow_beyond_what_job_outputs_hold() {
        let mut large = record();
        large.references = (0..40)
            .map(|n| {
                format!("ghcr.io/a/{}:t{n}", "x".repeat(100))
                    .parse()
                    .unwrap()
            })
            .collect();
        assert!(matches!(
            large.to_bytes(),
            Err(Error::RecordTooLarge { references: 40, .. })
        ));
    }

    #[test]
    fn base_images_give_way_to_names() {
        assert_eq!(record().fitted(), record());
        let mut long = record();
        long.build.bases = vec![record().build.bases[0].clone(); 40];
        let fitted = long.fitted();
        assert_eq!(fitted.build.bases, []);
        assert_eq!(fitted.references, record().references);
        fitted.to_bytes().unwrap();
    }

    #[test]
    fn another_version_is_named() {
        let text = Record::from_bytes(br#"{"schema":"barge/record/v9"}"#)
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("barge/record/v9") && text.contains(SCHEMA),
            "{text}"
        );
    }

    #[test]
    fn artifact_names_are_file_names() {
        for text in ["", ".hidden", "a/b", "a b", "..", "-x"] {
            assert!(text.parse::<ArtifactName>().is_err(), "{text}");
        }
    }
}
