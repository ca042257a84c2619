//! From an event to everything that will be done about it, before anything is done.
//!
//! Only [`Decision::Build`] carries references: whoever wants to save, load or verify an image has to match on the
//! decision first and finds nothing to work with when it is to skip.

use std::collections::BTreeMap;

use barge_image::Reference;
use serde::{Deserialize, Serialize};

use crate::event::{Event, GitReference, Trigger};
use crate::job::{Job, Switches, graph};
use crate::meta::MetaError;
use crate::settings::Settings;
use crate::skip::{Cause, Judgement};

/// The schema of a plan's JSON form.
pub const PLAN_SCHEMA: &str = "barge/plan/v1";

/// What an event leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What happened.
    pub event: Event,
    /// Whether an image is built, and then under which names.
    pub decision: Decision,
    /// What runs, is skipped or is blocked.
    pub jobs: Vec<Job>,
}

/// The one answer to "build or not", made before anything runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum Decision {
    /// Build the image under these names.
    Build(Build),
    /// Build nothing.
    Skip(Cause),
}

/// What is to be built and what it will be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Why it is built.
    #[serde(flatten)]
    pub cause: Cause,
    /// Where the image goes.
    pub delivery: Delivery,
    /// What it is called.
    #[serde(flatten)]
    pub names: Names,
}

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

/// Where a built image goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Into the engine of the build machine, for one platform.
    Load,
    /// To the registry, for every platform.
    Push,
}

impl Plan {
    /// Plans what an event leads to.
    ///
    /// # Errors
    /// When the rules give no tag, or a name that no registry accepts.
    pub fn new(event: Event, settings: &Settings, facts: &Facts<'_>) -> Result<Self, MetaError> {
        let decision = match settings.skip.judge(&event, facts.head_message) {
            Judgement::Skip(cause) => Decision::Skip(cause),
            Judgement::Build(cause) => Decision::Build(Build {
                cause,
                delivery: settings.publish.delivery(&event),
                names: crate::meta::strict::names(&event, &settings.meta, facts)?,
            }),
        };
        let jobs = graph(decision.skipped(), facts.switches);
        Ok(Self {
            event,
            decision,
            jobs,
        })
    }
}

/// What a plan needs to know beside the event and the settings.
#[derive(Debug, Clone)]
pub struct Facts<'f> {
    /// The time of the run, or `SOURCE_DATE_EPOCH`.
    pub now: jiff::Timestamp,
    /// When the commit was made, if known.
    pub commit_time: Option<jiff::Timestamp>,
    /// The head commit's message from git, where the event has none.
    pub head_message: Option<&'f str>,
    /// Jobs that the operator has switched off.
    pub switches: &'f Switches,
    /// The tags of the repository, for `latest = "highest"`.
    pub tags: &'f [String],
}

impl Decision {
    /// The build, if there is one.
    #[must_use]
    pub fn build(&self) -> Option<&Build> {
        match self {
            Self::Build(build) => Some(build),
            Self::Skip(_) => None,
        }
    }

    /// Why nothing is built, if so.
    #[must_use]
    pub fn skipped(&self) -> Option<&Cause> {
        match self {
            Self::Build(_) => None,
            Self::Skip(cause) => Some(cause),
        }
    }

    /// What the decision rests on.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        match self {
            Self::Build(build) => &build.cause,
            Self::Skip(cause) => cause,
        }
    }
}

/// The section `[publish]`: which events push their image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PublishSettings {
    /// Globs of branches that are pushed even if `load_branches` covers them.
    pub push_branches: Vec<crate::pattern::Glob>,
    /// Globs of branches whose image stays on the build machine, as that of a pull request does.
    pub load_branches: Vec<crate::pattern::Glob>,
}

impl Default for PublishSettings {
    fn default() -> Self {
        Self {
            push_branches: vec!["feature/beta-release".into()],
            load_branches: vec!["feature/**".into()],
        }
    }
}

impl PublishSettings {
    fn delivery(&self, event: &Event) -> Delivery {
        let proposal = event.pull_request.is_some()
            || matches!(
                event.trigger,
                Trigger::PullRequest | Trigger::MergeGroup | Trigger::Checkout
            );
        let covers = |globs: &[crate::pattern::Glob]| {
            let branch = event.reference.as_ref().and_then(GitReference::branch);
            branch.is_some_and(|branch| globs.iter().any(|glob| glob.is_match(branch)))
        };
        if proposal || covers(&self.load_branches) && !covers(&self.push_branches) {
            Delivery::Load
        } else {
            Delivery::Push
        }
    }
}
