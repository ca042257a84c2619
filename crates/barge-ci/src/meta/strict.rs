//! Names as `barge.toml` asks for them: every one must be acceptable to a registry, and there must be one.

use std::collections::BTreeMap;

use barge_image::{RepositoryName, Tag};
use serde::{Deserialize, Serialize};

use super::MetaError;
use crate::event::{Event, Forge};
use crate::plan::{Facts, Names};

/// The section `[meta]`: what images are called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetaSettings {
    /// Repositories that the image is named in; without any, the one that the forge keeps for the repository.
    pub images: Vec<String>,
    /// Labels beside the standard ones.
    pub labels: BTreeMap<String, String>,
}

/// Names the image of an event.
pub(crate) fn names(
    event: &Event,
    settings: &MetaSettings,
    facts: &Facts<'_>,
) -> Result<Names, MetaError> {
    let images = images(event, settings)?;
    let tags = tags(event)?;
    let Some(version) = tags.first().cloned() else {
        return Err(MetaError::NoTag(String::new()));
    };
    let references = images
        .iter()
        .flat_map(|image| tags.iter().map(|tag| image.with_tag(tag.clone())))
        .collect();
    let labels = labels(event, settings, &version, facts);
    Ok(Names {
        version: version.to_string(),
        references,
        annotations: labels
            .iter()
            .map(|(key, value)| format!("manifest:{key}={value}"))
            .collect(),
        labels,
    })
}

fn images(event: &Event, settings: &MetaSettings) -> Result<Vec<RepositoryName>, MetaError> {
    if settings.images.is_empty() {
        let repository = &event.repository;
        let path = format!("{}/{}", repository.owner, repository.name).to_lowercase();
        let name = match event.forge {
            Forge::GitHub | Forge::Forgejo => format!("ghcr.io/{path}"),
            Forge::GitLab => format!("registry.gitlab.com/{path}"),
            Forge::Local => path,
        };
        return Ok(vec![name.parse().map_err(MetaError::Image)?]);
    }
    settings
        .images
        .iter()
        .map(|image| image.parse().map_err(MetaError::Image))
        .collect()
}

fn tags(event: &Event) -> Result<Vec<Tag>, MetaError> {
    let mut texts = Vec::new();
    if let Some(change) = &event.pull_request {
        texts.push(format!("pr-{}", change.number));
    } else {
        match event.branch() {
            _ if event.is_default_branch() => texts.push("latest".to_owned()),
            Some("development") => texts.push("dev".to_owned()),
            Some("feature/beta-release") => texts.push("beta".to_owned()),
            _ => {}
        }
        texts.push(format!("sha-{}", event.commit.short()));
    }
    texts
        .iter()
        .map(|text| {
            text.parse().map_err(|reason| MetaError::Tag {
                entry: text.clone(),
                reason,
            })
        })
        .collect()
}

fn labels(
    event: &Event,
    settings: &MetaSettings,
    version: &Tag,
    facts: &Facts<'_>,
) -> BTreeMap<String, String> {
    let repository = &event.repository;
    let url = repository.url.clone().unwrap_or_default();
    let standard = [
        ("title", repository.name.clone()),
        (
            "description",
            repository.description.clone().unwrap_or_default(),
        ),
        ("url", url.clone()),
        ("source", url),
        ("version", version.to_string()),
        (
            "created",
            facts.now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        ),
        ("revision", event.commit.to_string()),
        ("licenses", repository.license.clone().unwrap_or_default()),
    ];
    let standard = standard.map(|(key, value)| (format!("org.opencontainers.image.{key}"), value));
    standard
        .into_iter()
        .chain(settings.labels.clone())
        .collect()
}
