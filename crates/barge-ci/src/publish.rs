//! Which images are pushed, and which stay on the build machine.

use serde::{Deserialize, Serialize};

use crate::event::{Event, GitReference, Trigger};
use crate::pattern::Glob;

/// Where a built image goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Into the engine of the build machine, for one platform.
    Load,
    /// To the registry, for every platform.
    Push,
}

/// The section `[publish]`: which events push their image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PublishSettings {
    /// Globs of branches that are pushed even if `load_branches` covers them.
    #[serde(alias = "push_branches")]
    pub push_branches: Vec<Glob>,
    /// Globs of branches whose image stays on the build machine, as that of a pull request does.
    #[serde(alias = "load_branches")]
    pub load_branches: Vec<Glob>,
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
    /// Where the image of an event goes: a proposal's stays, a branch's is pushed.
    #[must_use]
    pub fn delivery(&self, event: &Event) -> Delivery {
        let proposal = event.pull_request.is_some()
            || matches!(
                event.trigger,
                Trigger::PullRequest | Trigger::MergeGroup | Trigger::Checkout
            );
        let covers = |globs: &[Glob]| {
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
