//! What naming an image gives.

use std::collections::BTreeMap;

use barge_image::Reference;
use serde::{Deserialize, Serialize};

/// The names and facts that an image carries, derived once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The first tag: what the image says its version is.
    pub version: String,
    /// Every reference of the image, in order, never empty.
    pub references: Vec<Reference>,
    /// Labels of the image config.
    pub labels: BTreeMap<String, String>,
    /// Annotations as `level:key=value`.
    pub annotations: Vec<String>,
    /// What each rule gave, in the order in which they were asked.
    #[serde(default)]
    pub rules: Vec<TagDecision>,
}

/// What a rule gave, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagDecision {
    /// The rule as written.
    pub rule: String,
    /// The tag, if it gave one.
    pub tag: Option<String>,
    /// Why it gave none, or what the tag was made of.
    pub reason: String,
}
