//! What a rule is given: the workflow, its walks, and the places in them that most rules start from.

use crate::finding::{Case, Finding, Severity};
use crate::flow::{Fact, FactKind, FileUse, JobTrace, Need, Resolution, StepTrace, Trace};
use crate::model::Workflow;
use crate::reference;
use crate::symbolic::{Assignment, Candidate, Condition, Satisfiable, Text};

use super::presence::Presence;

/// A workflow with its walks.
#[derive(Debug)]
pub struct Context<'a> {
    pub(super) workflow: &'a Workflow,
    /// One walk per scenario.
    pub(super) traces: &'a [Trace],
    /// The repository's name, `Owner/name`, when it is known.
    pub(super) repository: Option<&'a str>,
    images: Vec<ImageUse<'a>>,
}

/// A fact with the walk and the leg it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) trace: &'a Trace,
    pub(super) job: &'a JobTrace,
    /// The fact's number in its leg.
    pub(super) number: usize,
    pub(super) fact: &'a Fact,
}

/// An image that a program names, and what its daemon can hold then. What may fail without harm is left out.
#[derive(Debug)]
pub(super) struct ImageUse<'a> {
    pub(super) site: Site<'a>,
    pub(super) name: &'a Text,
    pub(super) need: Need,
    pub(super) program: &'a str,
    pub(super) presence: Presence<'a>,
}

/// A file that is read. What may fail without harm is left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileRead<'a> {
    pub(super) site: Site<'a>,
    pub(super) file: &'a Text,
    pub(super) usage: FileUse,
    pub(super) resolution: &'a Resolution,
}

impl<'a> Context<'a> {
    /// Looks up what most rules ask for.
    #[must_use]
    pub fn new(workflow: &'a Workflow, traces: &'a [Trace], repository: Option<&'a str>) -> Self {
        let mut context = Self {
            workflow,
            traces,
            repository,
            images: Vec::new(),
        };
        context.images = context.sites().filter_map(ImageUse::at).collect();
        context
    }

    /// Every leg with its walk.
    pub(super) fn jobs(&self) -> impl Iterator<Item = (&'a Trace, &'a JobTrace)> + use<'a> {
        let traces = self.traces.iter();
        traces.flat_map(|trace| trace.jobs.iter().map(move |job| (trace, job)))
    }

    /// Every fact.
    pub(super) fn sites(&self) -> impl Iterator<Item = Site<'a>> + use<'a> {
        self.jobs().flat_map(|(trace, job)| Site::all(trace, job))
    }

    /// Every image that is named.
    pub(super) fn images(&self) -> &[ImageUse<'a>] {
        &self.images
    }

    /// Every file that is read.
    pub(super) fn reads(&self) -> impl Iterator<Item = FileRead<'a>> + use<'a> {
        self.sites().filter_map(|site| match &site.fact.kind {
            FactKind::Read(file, usage, resolution) if site.counts() => Some(FileRead {
                site,
                file,
                usage: *usage,
                resolution,
            }),
            _ => None,
        })
    }
}

impl<'a> Site<'a> {
    /// The facts of a leg, in order.
    pub(super) fn all(trace: &'a Trace, job: &'a JobTrace) -> impl Iterator<Item = Self> {
        let facts = job.facts.iter().enumerate();
        facts.map(move |(number, fact)| Self {
            trace,
            job,
            number,
            fact,
        })
    }

    /// What happened before it in its leg.
    pub(super) fn before(&self) -> &'a [Fact] {
        self.job.facts.get(..self.number).unwrap_or_default()
    }

    /// When it happens, its job's condition included.
    pub(super) fn condition(&self) -> Condition {
        self.job.condition.and(&self.fact.condition)
    }

    /// A case in which it happens, in words; nothing when none is certain to exist.
    pub(super) fn case(&self) -> Option<Case> {
        self.case_when(&Condition::Always)
    }

    /// A case in which it happens while something else holds.
    pub(super) fn case_when(&self, also: &Condition) -> Option<Case> {
        case(self.trace, &self.condition().and(also))
    }

    /// Its failure would be noticed, or should be: a scan that may fail is not meant to fail in every run.
    fn counts(&self) -> bool {
        !self.fact.tolerated || self.is_silent_scan()
    }

    /// A scanner's action that may fail without failing the job.
    pub(super) fn is_silent_scan(&self) -> bool {
        let scans = match &self.fact.kind {
            FactKind::Read(_, usage, _) => *usage == FileUse::Scan,
            FactKind::Named(_, need, _) => *need == Need::LocalOrRemote,
            _ => false,
        };
        let of_action = |step: &StepTrace| step.tolerated && step.kind != "run";
        scans && self.step().is_some_and(of_action)
    }

    /// A finding on it, as grave as its failure would be.
    pub(super) fn weighed(&self, mut finding: Finding) -> Finding {
        if self.is_silent_scan() {
            finding.severity = finding.severity.min(Severity::Warning);
        }
        finding
    }

    /// Its step.
    pub(super) fn step(&self) -> Option<&'a StepTrace> {
        self.job.steps.get(self.fact.step)
    }
}

impl<'a> ImageUse<'a> {
    fn at(site: Site<'a>) -> Option<Self> {
        let FactKind::Named(name, need, program) = &site.fact.kind else {
            return None;
        };
        site.counts().then(|| Self {
            site,
            name,
            need: *need,
            program,
            presence: Presence::before(&site, name, program),
        })
    }

    /// Says whether the image must be in the daemon: it is asked for there, or its name means nothing elsewhere.
    pub(super) fn is_local(&self) -> bool {
        match self.need {
            Need::Local => true,
            Need::LocalOrRemote => reference::Name::of(self.name).is_bare(),
            Need::Remote => false,
        }
    }
}

/// A case in which a condition holds, in words: the event, then what must hold. Nothing when none is certain to exist.
pub(super) fn case(trace: &Trace, condition: &Condition) -> Option<Case> {
    let assignments = case_of(condition)?;
    let case = Case::of_event(&trace.scenario.label);
    if assignments.is_empty() {
        return Some(case);
    }
    let parts = assignments
        .iter()
        .map(|assignment| spelled(trace, assignment));
    Some(case.when(parts.collect::<Vec<_>>().join(", ")))
}

/// An assignment with names and texts as the file spells them: expressions ignore case, people do not.
fn spelled(trace: &Trace, assignment: &Assignment) -> String {
    let text = assignment.to_string();
    let Some(source) = trace.jobs.first().map(|job| &job.place.source) else {
        return text;
    };
    let name = assignment.subject.name();
    let quoted = match &assignment.value {
        Candidate::Text(value) | Candidate::Starting(value) => format!("'{value}'"),
        Candidate::Other => format!("'{}'", assignment.others.join("' or '")),
    };
    let mut shown = text;
    for part in [name, &quoted] {
        if !part.contains(['.', '\'']) {
            continue;
        }
        if let Some(spelling) = source.spelling(part) {
            shown = shown.replacen(part, spelling, 1);
        }
    }
    shown
}

/// The case in which something holds, if it is certain that one exists.
pub(super) fn case_of(condition: &Condition) -> Option<Vec<Assignment>> {
    match condition.satisfiable() {
        Satisfiable::Yes(case) => (!case
            .iter()
            .any(|assignment| assignment.subject.doubt().is_some()))
        .then_some(case),
        Satisfiable::No | Satisfiable::Unknown => None,
    }
}

/// `step "Build image"`.
pub(super) fn step_name(job: &JobTrace, fact: &Fact) -> String {
    let step = job.steps.get(fact.step);
    step.map_or_else(|| "a step".into(), StepTrace::quoted)
}

/// `, only if steps.skip.outputs.skip_build != 'true'`, from the step's own words.
pub(super) fn guard_words(job: &JobTrace, fact: &Fact) -> String {
    match job
        .steps
        .get(fact.step)
        .and_then(|step| step.guard.as_ref())
    {
        Some(guard) => format!(", only if {}", guard.bare()),
        None if fact.condition != Condition::Always => format!(", only if {}", fact.condition),
        None => String::new(),
    }
}

/// A text in backticks, as messages print it.
pub(super) fn shown(text: &Text) -> String {
    let shown = text.describe();
    let shown: String = shown
        .chars()
        .map(|c| if c == '\n' { ' ' } else { c })
        .take(120)
        .collect();
    format!("`{shown}`")
}
