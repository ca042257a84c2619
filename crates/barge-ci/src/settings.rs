//! The sections of `barge.toml` that this crate owns. Reading the file is the caller's part.

use serde::{Deserialize, Serialize};

use crate::meta::MetaSettings;
use crate::publish::PublishSettings;
use crate::skip::SkipSettings;

/// `[skip]`, `[meta]` and `[publish]`; without any, the rules of the pipeline that barge replaces.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// What needs no build.
    pub skip: SkipSettings,
    /// What images are called.
    pub meta: MetaSettings,
    /// Which events push their image.
    pub publish: PublishSettings,
}
