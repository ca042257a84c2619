//! From an event to everything that will be done about it, before anything is done.
//!
//! Only [`Decision::Build`] carries references: whoever wants to save, load or verify an image has to match on the
//! decision first and finds nothing to work with when it is to skip.

use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::event::Event;
use crate::facts::Facts;
use crate::job::{Job, graph};
use crate::meta::{MetaError, Names, strict};
use crate::publish::Destination;
use crate::settings::Settings;
use crate::skip::Judgement;

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
    #[serde(flatten)]
    pub destination: Destination,
    /// What it is called.
    #[serde(flatten)]
    pub names: Names,
}

impl Plan {
    /// Plans what an event leads to.
    ///
    /// # Errors
    /// When the rules give no tag, or a name that no registry accepts.
    pub fn new(event: Event, settings: &Settings, facts: &Facts<'_>) -> Result<Self, MetaError> {
        let decision = match settings.skip.judge(&event, facts) {
            Judgement::Skip(cause) => Decision::Skip(cause),
            Judgement::Build(cause) => Decision::Build(Build {
                cause,
                destination: settings.publish.destination(&event),
                names: strict::names(&event, &settings.meta, facts)?,
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
