//! Walks one leg of a job, step by step.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::expression::{Part, Template};
use crate::model::{Defaults, Entry, Field, Guard, Input, Job, Step};
use crate::scenario::Scenario;
use crate::shell::interpret::join_path;
use crate::source::{Source, Span};
use crate::symbolic::{Condition, Shape, Symbol, Term, Text, Value, condition_of, interpolate};

use super::artifact::Artifact;
use super::budget::Budget;
use super::facts::{
    Content, Fact, FactKind, FileUse, JobTrace, Need, Place, Resolution, StepTrace, Store,
};
use super::files::{FileEntry, Files};
use super::run::Repository;
use super::scope::{Contexts, JobResult, interpolate_field};
use super::{machine, path, program};

const ACTION_DEPTH_LIMIT: usize = 4;
const FACT_LIMIT: usize = 20_000;
/// Why what is behind a cut is not known.
pub(super) const TOO_LONG: &str = "the rest of a workflow that is too long";

/// Where steps stand: a workflow's job, or a local action.
pub(super) struct Frame<'a> {
    pub source: &'a Source,
    pub inputs: &'a BTreeMap<String, Value>,
    pub declared: &'a BTreeMap<String, Input>,
    pub layers: Vec<&'a [Entry]>,
    pub defaults: Vec<&'a Defaults>,
    /// The condition of the step that calls the action.
    pub condition: Condition,
    pub first_step: usize,
    pub depth: usize,
}

/// The state of a leg.
pub(super) struct Walk<'a> {
    pub scenario: &'a Scenario,
    pub repository: &'a dyn Repository,
    pub budget: &'a Budget<'a>,
    pub needs: &'a BTreeMap<String, JobResult>,
    pub matrix: Option<Term>,
    pub artifacts: &'a mut Vec<Artifact>,
    pub foreign_artifacts: &'a mut Option<String>,
    pub trace: JobTrace,
    /// The number of this leg in the trace.
    pub leg: usize,
    pub files: Files,
    pub environment: BTreeMap<String, Value>,
    /// Something unknown can have written to GITHUB_ENV.
    pub environment_open: bool,
    /// The condition under which builds go to a builder of their own.
    pub own_builder: Condition,
    /// The store of the engine whose command is read.
    pub store: Store,
    /// Holds while no step has failed.
    pub alive: Condition,
    /// Data that flows through pipes.
    pub data: Vec<machine::Data>,
}

impl Walk<'_> {
    /// Walks the steps of a job or a local action.
    pub(super) fn steps(&mut self, steps: &[Step], frame: &Frame<'_>) {
        self.trace.steps.reserve(steps.len());
        for step in steps {
            if self.trace.facts.len() > FACT_LIMIT || !self.budget.take() {
                return self.cut(step, frame);
            }
            self.step(step, frame);
        }
    }

    /// Records the images that the job's container and services are started from: the runner pulls them.
    pub(super) fn name_containers(&mut self, job: &Job, frame: &Frame<'_>) {
        if job.containers.is_empty() {
            return;
        }
        let step = self.trace.steps.len();
        let place = self.trace.place.clone();
        let containers = StepTrace::of_runner("the job's containers", place);
        self.trace.steps.push(containers);
        for field in &job.containers {
            let place = Place::new(frame.source, field.span);
            let value = interpolate_field(field, &self.contexts(frame, None));
            for (when, name) in value.texts() {
                let kind = FactKind::Named(name.trim(), Need::Remote, "the job's container".into());
                if !name.trim().is_empty() {
                    self.add(kind, &when, step, &place, false);
                }
            }
        }
    }

    /// Leaves out a step and what comes after it, which can do anything.
    fn cut(&mut self, step: &Step, frame: &Frame<'_>) {
        let place = Place::new(frame.source, step.span);
        self.budget.cut(&place);
        let last = self.trace.steps.len().saturating_sub(1);
        self.mark_opaque(last, &frame.condition, &place, TOO_LONG);
        self.foreign_artifacts
            .get_or_insert_with(|| TOO_LONG.into());
    }

    fn contexts<'b>(&'b self, frame: &'b Frame<'_>, step: Option<&'b Step>) -> Contexts<'b> {
        let mut layers: Vec<&[Entry]> = vec![step.map_or(&[], |step| step.env.as_slice())];
        layers.extend(frame.layers.iter().copied());
        Contexts {
            scenario: self.scenario,
            inputs: frame.inputs,
            declared: frame.declared,
            needs: self.needs,
            matrix: self.matrix.as_ref(),
            job: &self.trace.id,
            layers,
            written: Some(&self.environment),
            steps: &self.trace.steps,
            first_step: frame.first_step,
            environment_open: self.environment_open,
            success: self.alive.clone(),
            first_layer: Cell::new(0),
        }
    }

    fn guard_condition(&self, guard: Option<&Guard>, contexts: &Contexts<'_>) -> Condition {
        match guard {
            None => self.alive.clone(),
            Some(guard) => condition_of(&guard.template, guard.field.text.trim(), contexts),
        }
    }

    fn step(&mut self, step: &Step, frame: &Frame<'_>) {
        let contexts = self.contexts(frame, Some(step));
        let mut condition = frame
            .condition
            .and(&self.guard_condition(step.guard.as_deref(), &contexts));
        if condition.is_large() {
            condition = Condition::truthy(&Symbol::new(
                format!("the condition of `{}`", step.title()),
                Shape::Boolean,
            ));
        }
        let title = contexts_title(step, &contexts);
        let number = self.trace.steps.len();
        self.trace.steps.push(StepTrace {
            title,
            id: step.id.as_ref().map(|id| id.text.clone()),
            place: Place {
                source: frame.source.clone(),
                span: step.span,
            },
            guard: step.guard.clone(),
            condition: condition.clone(),
            kind: step
                .action()
                .map_or_else(|| "run".to_owned(), |(name, _)| name.to_owned()),
            outputs: BTreeMap::new(),
            open_outputs: step.run.is_none(),
            script: step
                .run
                .as_ref()
                .map(|run| run.text.clone())
                .unwrap_or_default(),
            tolerated: step.continue_on_error,
        });
        if condition == Condition::Never {
            return;
        }
        match (&step.run, &step.uses) {
            (Some(run), _) => self.run_script(step, run, frame, number, &condition),
            (None, Some(uses)) => self.use_action(step, &uses.text, frame, number, &condition),
            _ => {}
        }
    }

    pub(super) fn run_script(
        &mut self,
        step: &Step,
        run: &Field,
        frame: &Frame<'_>,
        number: usize,
        condition: &Condition,
    ) {
        let shell = step.shell.as_deref().or_else(|| {
            frame
                .defaults
                .iter()
                .find_map(|defaults| defaults.shell.as_deref())
        });
        let place = Place {
            source: frame.source.clone(),
            span: run.span,
        };
        if shell.is_some_and(|shell| !(shell.starts_with("bash") || shell.starts_with("sh"))) {
            self.mark_opaque(
                number,
                condition,
                &place,
                "a script that is no shell script",
            );
            return;
        }
        let contexts = self.contexts(frame, Some(step));
        let prepared = machine::prepare(run, &contexts);
        let directory = step.working_directory.as_ref().or_else(|| {
            frame
                .defaults
                .iter()
                .find_map(|defaults| defaults.working_directory.as_ref())
        });
        let directory = directory
            .and_then(|field| interpolate_field(field, &contexts).sole_text())
            .unwrap_or_default();
        let directory = path::normalize(&directory);
        let setting = machine::Setting {
            run,
            source: frame.source,
            step: number,
            condition,
            directory,
            tolerated: step.continue_on_error,
        };
        machine::run(self, prepared, setting);
    }

    /// An environment variable as a step sees it.
    pub(super) fn variable(&self, name: &str, step: &Step, frame: &Frame<'_>) -> Option<Value> {
        self.contexts(frame, Some(step)).environment(name)
    }

    /// Evaluates an input of a step.
    pub(super) fn input(&self, step: &Step, name: &str, frame: &Frame<'_>) -> Option<Value> {
        let field = step.input(name)?;
        Some(interpolate_field(field, &self.contexts(frame, Some(step))))
    }

    fn use_action(
        &mut self,
        step: &Step,
        uses: &str,
        frame: &Frame<'_>,
        number: usize,
        condition: &Condition,
    ) {
        if let Some(local) = uses.strip_prefix("./") {
            self.use_local(step, local, frame, number, condition);
            return;
        }
        super::action::apply(self, step, frame, number, condition);
    }

    fn use_local(
        &mut self,
        step: &Step,
        local: &str,
        frame: &Frame<'_>,
        number: usize,
        condition: &Condition,
    ) {
        let place = Place {
            source: frame.source.clone(),
            span: step.span,
        };
        let local = local.trim_end_matches('/');
        let action = self.budget.action(local);
        let Some(action) = action.filter(|_| frame.depth < ACTION_DEPTH_LIMIT) else {
            super::action::mention_unread(self, step, frame, number, condition);
            self.mark_opaque(number, condition, &place, &format!("the action ./{local}"));
            return;
        };
        let mut inputs = BTreeMap::new();
        for (name, declared) in &action.inputs {
            let value = match self.input(step, name, frame) {
                Some(value) => value,
                None => match &declared.default {
                    Some(default) => interpolate(default, &self.contexts(frame, Some(step))),
                    None => Value::text(""),
                },
            };
            inputs.insert(name.clone(), value.map(|term| Term::Text(term.printed())));
        }
        let mut layers: Vec<&[Entry]> = vec![&step.env];
        layers.extend(frame.layers.iter().copied());
        let inner = Frame {
            source: &action.source,
            inputs: &inputs,
            declared: &action.inputs,
            layers,
            defaults: Vec::new(),
            condition: condition.clone(),
            first_step: self.trace.steps.len(),
            depth: frame.depth + 1,
        };
        self.steps(&action.steps, &inner);
        let contexts = self.contexts(&inner, None);
        let outputs = action
            .outputs
            .iter()
            .map(|(name, field)| (name.clone(), interpolate_field(field, &contexts)))
            .collect();
        if let Some(trace) = self.trace.steps.get_mut(number) {
            trace.outputs = outputs;
            trace.open_outputs = false;
        }
    }

    /// Records a fact.
    pub(super) fn add(
        &mut self,
        kind: FactKind,
        condition: &Condition,
        step: usize,
        place: &Place,
        tolerated: bool,
    ) {
        if *condition == Condition::Never {
            return;
        }
        let fact = |kind| Fact {
            kind,
            condition: condition.clone(),
            step,
            place: place.clone(),
            tolerated,
            store: self.store,
        };
        if names_several(&kind) {
            self.trace.facts.push(fact(FactKind::SeveralInOne));
        }
        self.trace.facts.push(fact(kind));
    }

    /// Says that something unknown happened to everything.
    pub(super) fn mark_opaque(
        &mut self,
        step: usize,
        condition: &Condition,
        place: &Place,
        reason: &str,
    ) {
        self.add(
            FactKind::DaemonOpaque(reason.to_owned()),
            condition,
            step,
            place,
            true,
        );
        self.mark_files_opaque(step, condition, place, reason);
        self.environment_open = true;
        if let Some(trace) = self.trace.steps.get_mut(step) {
            trace.open_outputs = true;
        }
    }

    /// Says that something unknown happened to files.
    pub(super) fn mark_files_opaque(
        &mut self,
        step: usize,
        condition: &Condition,
        place: &Place,
        reason: &str,
    ) {
        self.add(
            FactKind::FilesOpaque(reason.to_owned()),
            condition,
            step,
            place,
            true,
        );
        self.files.mark_opaque(reason);
    }

    /// Records that a file was written.
    pub(super) fn write_file(
        &mut self,
        file: &Text,
        content: Content,
        condition: &Condition,
        step: usize,
        place: &Place,
    ) {
        self.add(
            FactKind::Written(file.clone(), content.clone()),
            condition,
            step,
            place,
            false,
        );
        self.files.add(FileEntry {
            path: file.clone(),
            content,
            condition: condition.clone(),
            place: place.clone(),
        });
    }

    /// Says whether how many of these artifacts there are hangs on what is not known.
    pub(super) fn artifacts_vary(&self, numbers: &[usize]) -> bool {
        let mut found = numbers
            .iter()
            .filter_map(|number| self.artifacts.get(*number));
        found.any(|artifact| artifact.condition != Condition::Always)
    }

    /// Reads a file, for a load, a scan or an upload.
    pub(super) fn read_file(
        &mut self,
        file: &Text,
        usage: FileUse,
        condition: &Condition,
        step: usize,
        place: &Place,
        tolerated: bool,
    ) -> Resolution {
        let resolution = self.files.resolve(file, usage, self.repository);
        self.add(
            FactKind::Read(file.clone(), usage, resolution.clone()),
            condition,
            step,
            place,
            tolerated,
        );
        resolution
    }

    /// The path of a file in a step's directory.
    pub(super) fn file_path(directory: &Text, file: &Text) -> Text {
        if path::is_in_workspace(file) {
            return path::normalize(file);
        }
        path::normalize(&join_path(directory, &path::normalize(file)))
    }

    /// Ends the leg: evaluates its outputs.
    pub(super) fn finish(mut self, outputs: &[Entry], frame: &Frame<'_>) -> (JobTrace, Condition) {
        let contexts = self.contexts(frame, None);
        let outputs: BTreeMap<String, Value> = outputs
            .iter()
            .map(|(name, field)| (name.clone(), interpolate_field(field, &contexts)))
            .collect();
        self.trace.outputs = outputs;
        (self.trace, self.alive)
    }
}

/// A list of several lines stands where one image is named: `"$TAGS@$DIGEST"`.
fn names_several(kind: &FactKind) -> bool {
    match kind {
        FactKind::Named(name, ..)
        | FactKind::Pushed(name)
        | FactKind::Attested(name)
        | FactKind::DigestRead(name) => name.contains("\n") && name.trim().contains("\n"),
        _ => false,
    }
}

fn contexts_title(step: &Step, contexts: &Contexts<'_>) -> String {
    let title = step.title();
    if !title.contains("${{") {
        return title;
    }
    interpolate(&title, contexts)
        .sole_text()
        .map_or(title, |text| text.describe())
}

/// Says whether an action is known to leave images and files alone.
pub(super) fn is_inert(name: &str) -> bool {
    program::is_inert_action(name)
}

/// The spans of the expressions in a text, with their canonical texts.
pub(super) fn expression_spans(field: &Field) -> Vec<(Span, String)> {
    let template = Template::parse(&field.text);
    let spans = template.parts.iter().filter_map(|part| match part {
        Part::Expression(range, expression) => {
            Some((Span::new(range.start, range.end), expression.to_string()))
        }
        _ => None,
    });
    spans.collect()
}
