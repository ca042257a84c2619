//! `barge run`: the whole way for an event.

use std::io::{self, Write};

use barge_ci::gate::Verdict;
use barge_ci::{Decision, Environment, Switches};
use barge_pipeline::push::Pushed;
use barge_pipeline::run::{Pushing, Run, RunOptions, Step, StepState, run as run_pipeline};
use barge_vuln::Status;
use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::Tone;

/// Go the whole way for an event: plan, build, save, load, verify, report, one verdict, and push what passed
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge run\n  barge run --event pull_request.json --engine docker\n  barge run --db advisories --store dir:/mnt/artifacts\n  barge run --no-push"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    event: super::EventArguments,
    #[command(flatten)]
    build: super::BuildArguments,
    #[command(flatten)]
    store: super::StoreArguments,
    #[command(flatten)]
    retention: super::RetentionArguments,
    #[command(flatten)]
    scan: super::ScanArguments,
    /// Push what the plan publishes also if the event is one of a file, which is a rehearsal otherwise
    #[arg(long, overrides_with = "no_push")]
    push: bool,
    /// Push nothing, whatever the plan says; also by BARGE_PUSH=off
    #[arg(long)]
    no_push: bool,
}

impl Arguments {
    /// Proposals and checkouts are never pushed: the plan sees to that.
    fn pushing(&self, environment: &Environment) -> Pushing {
        let is_rehearsal = self.event.payload().is_some();
        let reason = match Switches::off(environment, "BARGE_PUSH") {
            _ if self.no_push => "switched off by `--no-push`".into(),
            _ if self.push => return Pushing::ByPlan,
            Some(switch) => format!("disabled by operator: {switch}"),
            None if is_rehearsal => {
                "an event from a file is a rehearsal: `--push` makes it real".into()
            }
            None => return Pushing::ByPlan,
        };
        Pushing::Never { reason }
    }
}

#[derive(Serialize)]
struct RunJson<'a> {
    schema: &'static str,
    decision: &'a Decision,
    steps: &'a [Step],
    record: Option<barge_image::Digest>,
    references: Vec<barge_image::Reference>,
    pushed: Option<&'a Pushed>,
    scan: Option<&'a barge_vuln::Verdict>,
    gate: &'a Verdict,
    verdict: &'static str,
    reason: String,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let surroundings = arguments.build.apply(context.surroundings()?);
    let plan = barge_pipeline::plan::plan(&surroundings, arguments.event.payload())?;
    let options = RunOptions {
        store: arguments.store.open(context)?,
        lifetime: arguments.retention.retention,
        verify: arguments.scan.options(context)?,
        pushing: arguments.pushing(&context.environment),
    };
    if context.printer.is_human() {
        context
            .printer
            .human(|out| super::plan::write_decision(out, &plan))?;
    }
    let run = context.block_on(async { Ok(run_pipeline(&surroundings, plan, options).await) })?;
    // What cannot be told elsewhere must not hide how the run ended.
    let told = set_outputs(context, &run).and_then(|()| publish(context, &run));
    let ending = Ending::of(&run);
    show(context, &run, &ending)?;
    match told {
        Err(error) if run.failure.is_none() && ending.exit == Exit::Done => return Err(error),
        Err(error) => context.printer.warning(&error.to_string()),
        Ok(()) => {}
    }
    finish(context, run.failure, &ending)
}

/// Shows what became of each step. An error takes the place of that where programs read.
fn show(context: &Context, run: &Run, ending: &Ending) -> Result<(), Error> {
    if run.failure.is_some() && !context.printer.is_human() {
        return Ok(());
    }
    let built = run.built.iter();
    let json = RunJson {
        schema: "barge/run/v1",
        decision: &run.plan.decision,
        steps: &run.steps,
        record: run.saved.as_ref().map(|saved| saved.digest),
        references: built.flat_map(|built| built.references.clone()).collect(),
        pushed: run.pushed.as_ref(),
        scan: run.verified.as_ref().map(|verified| &verified.scan.verdict),
        gate: &run.verdict,
        verdict: ending.word,
        reason: ending.reason.clone(),
    };
    context
        .printer
        .result(&json, |out| write(context, out, run))
}

/// The error that ended the run, if one did, and the last line.
fn finish(
    context: &Context,
    failure: Option<barge_pipeline::Error>,
    ending: &Ending,
) -> Result<Exit, Error> {
    let failure = failure.map(|error| Error::from(error).shown_by(context));
    if !context.printer.is_human() {
        return match failure {
            Some(failure) => Err(failure.into_error()),
            None => Ok(ending.exit),
        };
    }
    if let Some(failure) = &failure {
        failure.show();
    }
    context.printer.human(|out| ending.write(out))?;
    Ok(failure.map_or(ending.exit, |failure| failure.exit()))
}

/// What the run comes to.
struct Ending {
    word: &'static str,
    tone: Tone,
    reason: String,
    exit: Exit,
}

impl Ending {
    fn of(run: &Run) -> Self {
        let new = |word, tone, reason: String, exit| Self {
            word,
            tone,
            reason,
            exit,
        };
        if let Some(error) = &run.failure {
            return new("failed", Tone::Bad, error.to_string(), Exit::Failed);
        }
        if let Some(cause) = run.plan.decision.skipped() {
            return new(
                "skipped",
                Tone::Warning,
                format!("as planned by rule `{}`: {}", cause.rule, cause.reason),
                Exit::Done,
            );
        }
        let scan = run.verified.as_ref().map(|verified| &verified.scan.verdict);
        match scan {
            Some(scan) => Self::of_scan(scan),
            None if run.verdict.passed => {
                let reason = "nothing was verified, as planned".to_owned();
                new("not verified", Tone::Warning, reason, Exit::Done)
            }
            None => new(
                "failed",
                Tone::Bad,
                "a job that was planned did not run".to_owned(),
                Exit::Failed,
            ),
        }
    }

    pub(crate) fn of_scan(scan: &barge_vuln::Verdict) -> Self {
        let reason = if scan.reasons.is_empty() {
            "nothing that counts was found".to_owned()
        } else {
            scan.reasons.join("; ")
        };
        let (word, tone, exit) = match scan.status {
            Status::Passed => ("passed", Tone::Good, Exit::Done),
            Status::Warned => ("passed with warnings", Tone::Warning, Exit::Done),
            Status::Failed => ("failed", Tone::Bad, Exit::Policy),
        };
        Self {
            word,
            tone,
            reason,
            exit,
        }
    }

    /// The last line of a run.
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "verdict: {}: {}",
            self.tone.paint(self.word),
            self.reason
        )
    }
}

/// The last line of a verification.
pub(crate) fn write_verdict(out: &mut dyn Write, scan: &barge_vuln::Verdict) -> io::Result<()> {
    Ending::of_scan(scan).write(out)
}

fn set_outputs(context: &Context, run: &Run) -> Result<(), Error> {
    match (&run.built, &run.saved) {
        (None, _) if run.plan.decision.skipped().is_some() => super::outputs::skipped(context),
        (Some(built), saved) => {
            super::outputs::built(context, built)?;
            if let Some(saved) = saved {
                super::outputs::saved(context, saved)?;
            }
            let pushed = run.pushed.as_ref();
            pushed.map_or(Ok(()), |pushed| super::outputs::pushed(context, pushed))
        }
        (None, _) => Ok(()),
    }
}

fn publish(context: &Context, run: &Run) -> Result<(), Error> {
    match (&run.verified, &run.plan.decision) {
        (Some(verified), _) => super::report::publish(context, verified),
        (None, Decision::Skip(cause)) => {
            super::report::publish_skip(context, &run.plan.event, cause)
        }
        (None, Decision::Build(_)) => Ok(()),
    }
}

fn write(context: &Context, out: &mut dyn Write, run: &Run) -> io::Result<()> {
    writeln!(out)?;
    for step in &run.steps {
        let (word, tone) = match step.state {
            StepState::Done => ("done", Tone::Good),
            StepState::Refused => ("refused", Tone::Bad),
            StepState::Failed => ("failed", Tone::Bad),
            StepState::Skipped => ("not run", Tone::Warning),
        };
        let name = step.name;
        let time = if step.state == StepState::Skipped {
            String::new()
        } else {
            format!("{:.1} s", step.seconds)
        };
        let reason = step.reason.as_deref().unwrap_or_default();
        writeln!(
            out,
            "{name:<8} {} {time:>7}  {reason}",
            tone.paint(&format!("{word:<8}"))
        )?;
    }
    if let Some(saved) = &run.saved {
        writeln!(out, "\nrecord   {}", saved.digest)?;
    }
    if let Some(pushed) = &run.pushed {
        super::push::write(out, pushed)?;
    }
    run.verified.as_ref().map_or(Ok(()), |verified| {
        super::report::write(context, out, verified)
    })
}
