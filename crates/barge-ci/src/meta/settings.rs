//! The section `[meta]` of `barge.toml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The section `[meta]`: what images are called. The defaults are those of the pipeline that barge replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct MetaSettings {
    /// Repositories that the image is named in, as templates; without any, the one that the forge keeps.
    pub images: Vec<String>,
    /// Rules that give tags.
    pub tags: Vec<TagRule>,
    /// When the tag `latest` is added.
    pub latest: LatestSetting,
    /// Stands in front of tags whose rule has no prefix of its own.
    pub prefix: String,
    /// Stands behind tags whose rule has no suffix of its own.
    pub suffix: String,
    /// Labels beside the standard ones; values are templates.
    pub labels: BTreeMap<String, String>,
    /// Annotations beside the standard ones; values are templates.
    pub annotations: BTreeMap<String, String>,
    /// What annotations are for: `manifest`, `index`, …
    #[serde(alias = "annotation_levels")]
    pub annotation_levels: Vec<String>,
    /// Whether labels and annotations without a value are left out.
    #[serde(alias = "drop_empty_labels")]
    pub drop_empty_labels: bool,
    /// How many digits of the commit short tags show.
    #[serde(alias = "short_sha_length")]
    pub short_sha_length: u8,
    /// Which commit a pull request's tags and labels name.
    pub revision: RevisionSetting,
}

/// A rule: one line as in the action's input `tags`, or a table of its attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TagRule {
    /// `type=raw,value=edge`.
    Line(String),
    /// `{ type = "raw", value = "edge" }`.
    Table(BTreeMap<String, Attribute>),
}

/// The value of an attribute of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Attribute {
    /// A truth value, for `enable`.
    Flag(bool),
    /// A number, for `priority` and `group`.
    Number(i64),
    /// A text or template.
    Text(String),
}

/// When the tag `latest` is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LatestSetting {
    /// Only where a rule says so.
    #[default]
    Never,
    /// When the rule that gives the first tag is one for releases.
    Auto,
    /// With every tag.
    Always,
    /// Like `auto`, for the highest version of the repository only: a backport does not move it.
    Highest,
}

/// Which commit a pull request's tags and labels name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RevisionSetting {
    /// The commit that is checked out and built, a trial merge.
    #[default]
    Checkout,
    /// The author's newest commit.
    Head,
}

impl Default for MetaSettings {
    fn default() -> Self {
        let tags = [
            "type=ref,event=pr",
            "type=semver,pattern={{version}}",
            "type=semver,pattern={{major}}.{{minor}}",
            "type=raw,value=latest,enable={{is_default_branch}}",
            "type=raw,value=dev,enable={{eq branch 'development'}}",
            "type=raw,value=beta,enable={{eq branch 'feature/beta-release'}}",
            "type=sha,enable={{not is_pull_request}}",
        ];
        Self {
            images: Vec::new(),
            tags: tags
                .into_iter()
                .map(|line| TagRule::Line(line.into()))
                .collect(),
            latest: LatestSetting::default(),
            prefix: String::new(),
            suffix: String::new(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            annotation_levels: vec!["manifest".into()],
            drop_empty_labels: false,
            short_sha_length: 7,
            revision: RevisionSetting::default(),
        }
    }
}

impl Attribute {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Flag(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}
