//! The whole way for one event: plan, build, save, load, verify, gate, push. Each step runs only on what the one before
//! gave it, and nothing leaves for a registry before the gate has let it pass.

use std::time::Instant;

use barge_ci::gate::Outcome;
use barge_ci::{
    Build, Decision, Delivery, Destination, Event, JobId, JobState, Plan, Results, Verdict,
};
use barge_store::{Lifetime, Store};
use barge_vuln::Status;
use serde::Serialize;

use crate::build;
use crate::built::Built;
use crate::elapsed::seconds_since;
use crate::engine;
use crate::error::Error;
use crate::load::{self, Loaded};
use crate::push::{self, Pushed};
use crate::record::Chosen;
use crate::save::{self, Saved};
use crate::surroundings::Surroundings;
use crate::verify::{self, Verified, VerifyOptions};

/// What a run works with, beside its surroundings.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The store.
    pub store: Store,
    /// How long the image is kept, if not as the settings say.
    pub lifetime: Option<Lifetime>,
    /// How the image is verified.
    pub verify: VerifyOptions,
    /// Whether it is pushed.
    pub pushing: Pushing,
}

/// Whether a run pushes what its plan lets out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushing {
    /// As the plan says.
    ByPlan,
    /// Whatever the plan says, it pushes nothing.
    Never {
        /// Why, for people.
        reason: String,
    },
}

/// The steps of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepName {
    /// Build the image.
    Build,
    /// Save it into the store.
    Save,
    /// Load it into the engine again.
    Load,
    /// Verify what the store holds.
    Verify,
    /// Push it to its registries.
    Push,
}

impl StepName {
    /// All steps, in order.
    const ALL: [Self; 5] = [
        Self::Build,
        Self::Save,
        Self::Load,
        Self::Verify,
        Self::Push,
    ];
}

impl std::fmt::Display for StepName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Build => "build",
            Self::Save => "save",
            Self::Load => "load",
            Self::Verify => "verify",
            Self::Push => "push",
        })
    }
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// It did its work.
    Done,
    /// It did its work, and what it found fails.
    Refused,
    /// It failed.
    Failed,
    /// It was not to run.
    Skipped,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Which.
    pub name: StepName,
    /// How it ended.
    pub state: StepState,
    /// Why, if it did not do its work.
    pub reason: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// What became of a run.
#[derive(Debug)]
pub struct Run {
    /// What was planned.
    pub plan: Plan,
    /// What became of each step.
    pub steps: Vec<Step>,
    /// What was built, if it came to that.
    pub built: Option<Built>,
    /// What was saved, if it came to that.
    pub saved: Option<Saved>,
    /// What was loaded, if it came to that.
    pub loaded: Option<Loaded>,
    /// The evidence, if it came to that.
    pub verified: Option<Verified>,
    /// What was pushed, if it came to that.
    pub pushed: Option<Pushed>,
    /// The error that ended the run early.
    pub failure: Option<Error>,
    /// Whether it all counts as passed.
    pub verdict: Verdict,
}

/// Goes the whole way for a plan. Errors end the way, not the report: they are part of what is returned.
pub async fn run(surroundings: &Surroundings, plan: Plan, options: RunOptions) -> Run {
    let mut way = Way::default();
    let (store, pushing) = (options.store.clone(), options.pushing.clone());
    let mut failure = match &plan.decision {
        Decision::Skip(cause) => {
            StepName::ALL
                .into_iter()
                .for_each(|name| way.skip(name, &cause.reason));
            build::forget(surroundings).err()
        }
        Decision::Build(decision) => way.go(surroundings, &plan, decision, options).await.err(),
    };
    let verdict = way.results(&plan).judge(&plan.jobs);
    if let (Some(build), None) = (plan.decision.build(), &failure) {
        match way.why_no_push(&build.destination, &pushing, &verdict) {
            Some(reason) => way.skip(StepName::Push, &reason),
            None => failure = way.push(surroundings, &store).await.err(),
        }
    }
    let Way {
        steps,
        built,
        saved,
        loaded,
        verified,
        pushed,
    } = way;
    Run {
        plan,
        steps,
        built,
        saved,
        loaded,
        verified,
        pushed,
        failure,
        verdict,
    }
}

/// A run on its way.
#[derive(Default)]
struct Way {
    steps: Vec<Step>,
    built: Option<Built>,
    saved: Option<Saved>,
    loaded: Option<Loaded>,
    verified: Option<Verified>,
    pushed: Option<Pushed>,
}

impl Way {
    async fn go(
        &mut self,
        surroundings: &Surroundings,
        plan: &Plan,
        decision: &Build,
        options: RunOptions,
    ) -> Result<(), Error> {
        let built = self.build(surroundings, &plan.event, decision).await?;
        if let Some(reason) = off(plan, JobId::Save) {
            [StepName::Save, StepName::Load, StepName::Verify]
                .into_iter()
                .for_each(|name| self.skip(name, reason));
            return Ok(());
        }
        let started = Instant::now();
        let saved = save::save(surroundings, &built, &options.store, options.lifetime).await;
        let saved = self.note(StepName::Save, started, saved)?;
        let chosen = Chosen::from(&saved);
        self.saved = Some(saved);
        self.load(surroundings, &options.store, &chosen).await?;
        if let Some(reason) = off(plan, JobId::Verify) {
            self.skip(StepName::Verify, reason);
            return Ok(());
        }
        self.verify(surroundings, &chosen, options).await
    }

    async fn build(
        &mut self,
        surroundings: &Surroundings,
        event: &Event,
        decision: &Build,
    ) -> Result<Built, Error> {
        let started = Instant::now();
        let built = build::build(surroundings, event, decision).await;
        let built = self.note(StepName::Build, started, built)?;
        self.built = Some(built.clone());
        Ok(built)
    }

    /// Loads into the engine where there is one; the embedded builder's images need none.
    async fn load(
        &mut self,
        surroundings: &Surroundings,
        store: &Store,
        chosen: &Chosen,
    ) -> Result<(), Error> {
        let started = Instant::now();
        if let Err(error) = engine::holding(surroundings).await {
            self.skip(
                StepName::Load,
                &format!("{error}; the checks that follow need none"),
            );
            return Ok(());
        }
        let loaded = load::load(surroundings, store, chosen).await;
        self.loaded = Some(self.note(StepName::Load, started, loaded)?);
        Ok(())
    }

    async fn verify(
        &mut self,
        surroundings: &Surroundings,
        chosen: &Chosen,
        options: RunOptions,
    ) -> Result<(), Error> {
        let started = Instant::now();
        let verified =
            verify::verify_record(surroundings, &options.store, chosen, options.verify).await;
        let verified = self.note(StepName::Verify, started, verified)?;
        if verified.scan.verdict.status == Status::Failed
            && let Some(step) = self.steps.last_mut()
        {
            step.state = StepState::Refused;
            step.reason = Some(verified.scan.verdict.reasons.join("; "));
        }
        self.verified = Some(verified);
        Ok(())
    }

    /// Why the image is not pushed, if so.
    fn why_no_push(
        &self,
        destination: &Destination,
        pushing: &Pushing,
        verdict: &Verdict,
    ) -> Option<String> {
        match (destination.delivery, pushing) {
            (Delivery::Load, _) => Some(destination.reason.clone()),
            (Delivery::Push, Pushing::Never { reason }) => Some(reason.clone()),
            (Delivery::Push, Pushing::ByPlan) if self.saved.is_none() => {
                Some("nothing was saved, and the store's image is what is pushed".into())
            }
            (Delivery::Push, Pushing::ByPlan) => {
                (!verdict.passed).then(|| "the gate is closed".into())
            }
        }
    }

    async fn push(&mut self, surroundings: &Surroundings, store: &Store) -> Result<(), Error> {
        let Some(saved) = &self.saved else {
            return Ok(());
        };
        let started = Instant::now();
        let pushed = push::push(surroundings, store, &Chosen::from(saved)).await;
        self.pushed = Some(self.note(StepName::Push, started, pushed)?);
        Ok(())
    }

    fn note<T>(
        &mut self,
        name: StepName,
        started: Instant,
        result: Result<T, Error>,
    ) -> Result<T, Error> {
        let (state, reason) = match &result {
            Ok(_) => (StepState::Done, None),
            Err(error) => (StepState::Failed, Some(error.to_string())),
        };
        self.steps.push(Step {
            name,
            state,
            reason,
            seconds: seconds_since(started),
        });
        result
    }

    fn skip(&mut self, name: StepName, reason: &str) {
        self.steps.push(Step {
            name,
            state: StepState::Skipped,
            reason: Some(reason.to_owned()),
            seconds: 0.0,
        });
    }

    /// The results of the plan's jobs. A step that was never reached counts as skipped, which the plan did not say.
    fn results(&self, plan: &Plan) -> Results {
        let outcome = |name: StepName| match self
            .steps
            .iter()
            .find(|step| step.name == name)
            .map(|step| step.state)
        {
            Some(StepState::Done) => Outcome::Success,
            Some(StepState::Failed | StepState::Refused) => Outcome::Failure,
            Some(StepState::Skipped) | None => Outcome::Skipped,
        };
        let report = if off(plan, JobId::Report).is_some() {
            Outcome::Skipped
        } else {
            Outcome::Success
        };
        Results::from_outcomes([
            (JobId::Build, outcome(StepName::Build)),
            (JobId::Save, outcome(StepName::Save)),
            (JobId::Verify, outcome(StepName::Verify)),
            (JobId::Test, Outcome::Skipped),
            (JobId::Report, report),
        ])
    }
}

/// Why a job of the plan is not to run.
fn off(plan: &Plan, id: JobId) -> Option<&str> {
    let job = plan.jobs.iter().find(|job| job.id == id)?;
    (job.state != JobState::Run).then_some(job.cause.reason.as_str())
}
