//! Names for images, and how they are shown.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::parse::{DEFAULT_REGISTRY, OFFICIAL_NAMESPACE, is_registry};
use crate::digest::Digest;

/// A registry and a repository in it, in canonical form: `ghcr.io/wikid82/charon`, `docker.io/library/debian`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName {
    pub(super) registry: String,
    pub(super) path: String,
}

/// A tag: one to 128 characters of `[A-Za-z0-9_.-]`, the first neither `.` nor `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub(super) String);

/// A name for an image: a repository with a tag, a digest, or both. Without either it means the tag `latest`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    pub(super) name: RepositoryName,
    pub(super) tag: Option<Tag>,
    pub(super) digest: Option<Digest>,
}

impl RepositoryName {
    /// The registry host, with port if one was given.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository inside the registry, `library/debian` for `debian`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The form people type: `debian` for `docker.io/library/debian`.
    #[must_use]
    pub fn familiar(&self) -> String {
        // Without its registry, a path such as `a.b/c` would name another one.
        let ambiguous = self
            .path
            .split_once('/')
            .is_some_and(|(first, _)| is_registry(first));
        if self.registry != DEFAULT_REGISTRY || ambiguous {
            return self.to_string();
        }
        match self.path.strip_prefix(OFFICIAL_NAMESPACE) {
            Some(short) if !short.contains('/') => short.to_owned(),
            _ => self.path.clone(),
        }
    }

    /// This repository with a tag.
    #[must_use]
    pub fn with_tag(&self, tag: Tag) -> Reference {
        Reference {
            name: self.clone(),
            tag: Some(tag),
            digest: None,
        }
    }
}

impl Tag {
    /// The tag that a reference without one means.
    #[must_use]
    pub fn latest() -> Self {
        Self("latest".into())
    }

    /// The text of the tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Reference {
    /// Registry and repository.
    #[must_use]
    pub fn name(&self) -> &RepositoryName {
        &self.name
    }

    /// The tag, `latest` when neither tag nor digest was given.
    #[must_use]
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest, if the reference is pinned.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same name, pinned to what it stands for: `ghcr.io/a/b:v1@sha256:...`.
    #[must_use]
    pub fn pinned(&self, digest: Digest) -> Self {
        Self {
            digest: Some(digest),
            ..self.clone()
        }
    }

    /// The form people type, with the tag or digest: `debian:12`.
    #[must_use]
    pub fn familiar(&self) -> String {
        self.render(self.name.familiar())
    }

    fn render(&self, mut text: String) -> String {
        if let Some(tag) = &self.tag {
            text.push(':');
            text.push_str(&tag.0);
        }
        if let Some(digest) = &self.digest {
            text.push('@');
            text.push_str(&digest.to_string());
        }
        text
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

impl fmt::Debug for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(self.name.to_string()))
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
