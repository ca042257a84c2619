//! Walks all jobs of a workflow in the order of their needs, called workflows included.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::model::{Input, Job, Trigger, Workflow};
use crate::scenario::Scenario;
use crate::source::Source;
use crate::symbolic::{Condition, Shape, Symbol, Term, Value, condition_of};

use super::artifact::Artifact;
use super::budget::Budget;
use super::facts::{Fact, FactKind, JobTrace, Need, Place, StepTrace, Store, Trace};
use super::files::Files;
use super::job::{Frame, TOO_LONG, Walk};
use super::matrix;
use super::scope::{Contexts, JobResult, interpolate_field};

const CALL_DEPTH_LIMIT: usize = 4;
/// What names the images that a called workflow is given.
pub(crate) const CALLED: &str = "the called workflow";

/// The files of the repository that a workflow stands in.
pub trait Repository {
    /// A file's text, by its path in the repository.
    fn read(&self, path: &str) -> Option<Source>;

    /// Says whether a file is there.
    fn exists(&self, path: &str) -> bool {
        self.read(path).is_some()
    }
}

/// A repository of which only the workflow itself is known.
impl Repository for () {
    fn read(&self, _: &str) -> Option<Source> {
        None
    }
}

struct Run<'a> {
    scenario: &'a Scenario,
    budget: &'a Budget<'a>,
    jobs: Vec<JobTrace>,
    artifacts: Vec<Artifact>,
    foreign: Option<String>,
}

/// A called workflow's place in the run.
struct Caller<'a> {
    prefix: String,
    condition: Condition,
    inputs: &'a BTreeMap<String, Value>,
    depth: usize,
}

/// A job where it stands, and what it can see.
struct Setting<'a> {
    workflow: &'a Workflow,
    job: &'a Job,
    caller: &'a Caller<'a>,
    declared: &'a BTreeMap<String, Input>,
    needs: &'a BTreeMap<String, JobResult>,
}

/// Walks a workflow in a scenario.
#[must_use]
pub fn trace(workflow: &Workflow, scenario: &Scenario, repository: &dyn Repository) -> Trace {
    let mut foreign = None;
    if workflow.trigger("workflow_call").is_some() {
        foreign = Some("the caller can have uploaded artifacts".to_owned());
    }
    let budget = Budget::new(repository);
    let mut run = Run {
        scenario,
        budget: &budget,
        jobs: Vec::new(),
        artifacts: Vec::new(),
        foreign,
    };
    let inputs = BTreeMap::new();
    let caller = Caller {
        prefix: String::new(),
        condition: Condition::Always,
        inputs: &inputs,
        depth: 0,
    };
    run.workflow(workflow, &caller);
    Trace {
        scenario: scenario.clone(),
        jobs: run.jobs,
        artifacts: run.artifacts,
        foreign_artifacts: run.foreign,
        cut: budget.cut_at(),
    }
}

impl Run<'_> {
    fn workflow(
        &mut self,
        workflow: &Workflow,
        caller: &Caller<'_>,
    ) -> BTreeMap<String, JobResult> {
        let mut results: BTreeMap<String, JobResult> = BTreeMap::new();
        let declared = self.declared(workflow, caller);
        for job in in_order(&workflow.jobs) {
            let result = self.job(workflow, job, caller, &declared, &results);
            results.insert(job.id.clone(), result);
        }
        results
    }

    fn declared(&self, workflow: &Workflow, caller: &Caller<'_>) -> BTreeMap<String, Input> {
        let trigger = if caller.depth > 0 || self.scenario.event.is_none() {
            workflow.trigger("workflow_call")
        } else {
            self.scenario
                .event
                .as_deref()
                .and_then(|event| workflow.trigger(event))
        };
        trigger
            .map(|trigger| trigger.inputs.clone())
            .unwrap_or_default()
    }

    fn job(
        &mut self,
        workflow: &Workflow,
        job: &Job,
        caller: &Caller<'_>,
        declared: &BTreeMap<String, Input>,
        results: &BTreeMap<String, JobResult>,
    ) -> JobResult {
        // Every ancestor must have run: a direct need's own condition already says so of its needs.
        let needed = job.needs.iter().filter_map(|need| results.get(&need.text));
        let success = needed.fold(Condition::Always, |all, need| all.and(&need.ran));
        let needs: BTreeMap<String, JobResult> = job
            .needs
            .iter()
            .filter_map(|need| Some((need.text.clone(), results.get(&need.text)?.clone())))
            .collect();
        let setting = Setting {
            workflow,
            job,
            caller,
            declared,
            needs: &needs,
        };
        let contexts = job_contexts(self.scenario, caller.inputs, declared, &needs, &success);
        let condition = setting.condition(&contexts);
        if !self.budget.take() {
            return self.cut(&setting, &condition);
        }
        if let Some(uses) = &job.uses {
            return self.call(&setting, &uses.text, &condition, &contexts);
        }
        let legs = matrix::legs(job, &contexts);
        self.legs(&setting, &condition, legs)
    }

    fn legs(
        &mut self,
        setting: &Setting<'_>,
        condition: &Condition,
        (legs, symbolic): (Vec<Option<Term>>, bool),
    ) -> JobResult {
        let mut outputs: BTreeMap<String, Value> = BTreeMap::new();
        let mut ran = condition.clone();
        let several = legs.len() > 1;
        for matrix in legs {
            let trace = JobTrace {
                leg: matrix
                    .as_ref()
                    .filter(|_| !symbolic)
                    .map(matrix::describe)
                    .unwrap_or_default(),
                symbolic_leg: symbolic,
                ..setting.trace(condition)
            };
            let (one, alive) = self.leg(setting, trace, matrix);
            ran = ran.and(&alive);
            for (name, value) in one {
                // The last leg wins, but which one is last is not known.
                let differs = several && outputs.get(&name).is_some_and(|known| *known != value);
                let value = if differs {
                    Value::unknown(
                        format!("jobs.{}.outputs.{name}", setting.job.id),
                        Shape::Text,
                    )
                } else {
                    value
                };
                outputs.insert(name, value);
            }
        }
        if self.budget.cut_at().is_some() {
            return JobResult::unknown(condition);
        }
        JobResult {
            ran,
            outputs,
            open: false,
        }
    }

    /// Leaves out a job, which can do anything.
    fn cut(&mut self, setting: &Setting<'_>, condition: &Condition) -> JobResult {
        let trace = setting.trace(condition);
        self.budget.cut(&trace.place);
        self.foreign.get_or_insert_with(|| TOO_LONG.into());
        self.jobs.push(trace);
        JobResult::unknown(condition)
    }

    /// Walks a leg; returns its outputs, and when no step fails.
    fn leg(
        &mut self,
        setting: &Setting<'_>,
        trace: JobTrace,
        matrix: Option<Term>,
    ) -> (BTreeMap<String, Value>, Condition) {
        if trace.condition == Condition::Never {
            self.jobs.push(trace);
            return (BTreeMap::new(), Condition::Always);
        }
        let number = self.jobs.len();
        let mut walk = Walk {
            scenario: self.scenario,
            repository: self.budget.repository,
            budget: self.budget,
            needs: setting.needs,
            matrix,
            artifacts: &mut self.artifacts,
            foreign_artifacts: &mut self.foreign,
            trace,
            leg: number,
            files: Files::default(),
            environment: BTreeMap::new(),
            environment_open: false,
            own_builder: Condition::Never,
            store: Store::Docker,
            alive: Condition::Always,
            data: Vec::new(),
        };
        let (workflow, job) = (setting.workflow, setting.job);
        keep_runner_images(&mut walk, job);
        let frame = Frame {
            source: &workflow.source,
            inputs: setting.caller.inputs,
            declared: setting.declared,
            layers: vec![&job.env, &workflow.env],
            defaults: vec![&job.defaults, &workflow.defaults],
            condition: Condition::Always,
            first_step: 0,
            depth: 0,
        };
        walk.name_containers(job, &frame);
        walk.steps(&job.steps, &frame);
        let (trace, alive) = walk.finish(&job.outputs, &frame);
        let outputs = trace.outputs.clone();
        self.jobs.push(trace);
        (outputs, alive)
    }

    /// Walks the workflow that a job calls.
    fn call(
        &mut self,
        setting: &Setting<'_>,
        uses: &str,
        condition: &Condition,
        contexts: &Contexts<'_>,
    ) -> JobResult {
        let caller = setting.caller;
        let path = uses
            .strip_prefix("./")
            .filter(|_| caller.depth < CALL_DEPTH_LIMIT);
        let called = path.and_then(|path| self.budget.workflow(path));
        // Legs of a called workflow are not told apart: its names stay unknown where they hang on the matrix.
        let Some(called) = called else {
            self.foreign
                .get_or_insert_with(|| format!("the called workflow {uses} can upload artifacts"));
            let mut trace = setting.trace(condition);
            name_inputs(&mut trace, setting, contexts);
            self.jobs.push(trace);
            return JobResult::unknown(condition);
        };
        let trigger = called.trigger("workflow_call");
        let inputs = trigger.map_or_else(BTreeMap::new, |trigger| {
            handed_inputs(trigger, setting.job, contexts)
        });
        let inner = Caller {
            prefix: format!("{}{} / ", caller.prefix, setting.job.id),
            condition: condition.clone(),
            inputs: &inputs,
            depth: caller.depth + 1,
        };
        let results = self.workflow(&called, &inner);
        let none = BTreeMap::new();
        let contexts = job_contexts(self.scenario, &inputs, &none, &results, condition);
        let outputs = trigger.map_or(&[][..], |trigger| trigger.outputs.as_slice());
        let outputs = outputs
            .iter()
            .map(|(name, field)| (name.clone(), interpolate_field(field, &contexts)));
        JobResult {
            ran: condition.clone(),
            outputs: outputs.collect(),
            open: false,
        }
    }
}

/// Records the images that a called workflow is given whose file is not there.
fn name_inputs(trace: &mut JobTrace, setting: &Setting<'_>, contexts: &Contexts<'_>) {
    let speaks = |key: &str| key.to_lowercase().contains("image");
    for (_, field) in setting.job.with.iter().filter(|(key, _)| speaks(key)) {
        let name = interpolate_field(field, contexts).sole_text();
        let Some(name) = name.filter(|name| name.contains("/") && name.contains(":")) else {
            continue;
        };
        if trace.steps.is_empty() {
            let called = StepTrace::of_runner(CALLED, trace.place.clone());
            trace.steps.push(called);
        }
        trace.facts.push(Fact {
            kind: FactKind::Named(name.trim(), Need::Remote, CALLED.into()),
            condition: Condition::Always,
            step: 0,
            place: Place::new(&setting.workflow.source, field.span),
            tolerated: false,
            store: Store::Docker,
        });
    }
}

/// What a job hands to the workflow that it calls.
fn handed_inputs(trigger: &Trigger, job: &Job, contexts: &Contexts<'_>) -> BTreeMap<String, Value> {
    let values = trigger.inputs.iter().map(|(name, declared)| {
        let mut given = job.with.iter();
        let given = given.find(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = match (given, &declared.default) {
            (Some((_, field)), _) => interpolate_field(field, contexts),
            (None, Some(default)) => default_value(default, declared.kind.as_deref()),
            (None, None) => Value::null(),
        };
        (name.clone(), value)
    });
    values.collect()
}

impl Setting<'_> {
    /// When the job runs.
    fn condition(&self, contexts: &Contexts<'_>) -> Condition {
        let own = match &self.job.guard {
            None => contexts.success.clone(),
            Some(guard) => condition_of(&guard.template, guard.field.text.trim(), contexts),
        };
        let condition = self.caller.condition.and(&own);
        if condition.is_large() {
            let name = format!("the condition of job {}", self.job.id);
            return Condition::truthy(&Symbol::new(name, Shape::Boolean));
        }
        condition
    }

    /// A leg of which nothing has been walked.
    fn trace(&self, condition: &Condition) -> JobTrace {
        let named = |id: &str| format!("{}{id}", self.caller.prefix);
        let job = self.job;
        JobTrace {
            id: named(&job.id),
            place: Place::new(&self.workflow.source, job.span),
            leg: Vec::new(),
            symbolic_leg: false,
            condition: condition.clone(),
            needs: job.needs.iter().map(|need| named(&need.text)).collect(),
            steps: Vec::new(),
            facts: Vec::new(),
            outputs: BTreeMap::new(),
            guard: job.guard.clone(),
        }
    }
}

/// A runner of one's own keeps the images of earlier runs.
fn keep_runner_images(walk: &mut Walk<'_>, job: &Job) {
    let hosted = job
        .runs_on
        .as_deref()
        .is_some_and(|label| !label.contains("self-hosted"));
    if hosted || job.node.get("runs-on").is_none() {
        return;
    }
    let place = walk.trace.place.clone();
    let runner = StepTrace::of_runner("the runner", place.clone());
    walk.trace.steps.push(runner);
    let kind = FactKind::DaemonOpaque("a runner that keeps its images".into());
    walk.add(kind, &Condition::Always, 0, &place, true);
}

fn default_value(text: &str, kind: Option<&str>) -> Value {
    match (kind, text) {
        (Some("boolean"), "true") => Term::Boolean(true).into(),
        (Some("boolean"), "false") => Term::Boolean(false).into(),
        _ => Value::text(text),
    }
}

/// What a job's own keys can see.
fn job_contexts<'a>(
    scenario: &'a Scenario,
    inputs: &'a BTreeMap<String, Value>,
    declared: &'a BTreeMap<String, Input>,
    needs: &'a BTreeMap<String, JobResult>,
    success: &Condition,
) -> Contexts<'a> {
    Contexts {
        scenario,
        inputs,
        declared,
        needs,
        matrix: None,
        job: "",
        layers: Vec::new(),
        written: None,
        steps: &[],
        first_step: 0,
        environment_open: true,
        success: success.clone(),
        first_layer: Cell::new(0),
    }
}

/// Jobs with needs before those that need them; the members of a circle are left where they stand.
fn in_order(jobs: &[Job]) -> Vec<&Job> {
    let mut ordered: Vec<&Job> = Vec::with_capacity(jobs.len());
    let mut waiting: Vec<&Job> = jobs.iter().collect();
    while !waiting.is_empty() {
        let ready = |job: &&Job| {
            job.needs.iter().all(|need| {
                ordered.iter().any(|done| done.id == need.text)
                    || !jobs.iter().any(|known| known.id == need.text)
            })
        };
        let (next, rest): (Vec<&Job>, Vec<&Job>) = waiting.into_iter().partition(ready);
        if next.is_empty() {
            ordered.extend(rest);
            break;
        }
        ordered.extend(next);
        waiting = rest;
    }
    ordered
}
