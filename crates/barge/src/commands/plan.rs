//! `barge plan`: every decision with the rule that caused it, before anything is done.

use std::io::{self, Write};

use barge_ci::{Decision, Delivery, Destination, Plan};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::Tone;

/// Show every decision with the rule that caused it, before anything is done
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge plan\n  barge plan --event pull_request.json\n  barge plan --format json | jq .decision\n  barge plan --workflow .github/workflows/ci.yml --matrix\n  barge plan --workflow ci.yml --event pull_request --assume skip_build=true\n  barge plan --workflow ci.yml --all-events --html plan.html"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    event: super::EventArguments,
    /// Plan an existing GitHub workflow instead; --event is then the name of an event
    #[arg(long, value_name = "FILE")]
    workflow: Option<Utf8PathBuf>,
    /// The event's payload, for --workflow
    #[arg(long, value_name = "FILE", requires = "workflow")]
    payload: Option<Utf8PathBuf>,
    /// A value nobody can know beforehand, by its context path, for --workflow
    #[arg(long = "var", value_name = "PATH=VALUE", requires = "workflow")]
    values: Vec<String>,
    /// A step output or input by its bare name, for --workflow
    #[arg(long = "assume", value_name = "NAME=VALUE", requires = "workflow")]
    assumptions: Vec<String>,
    /// One row for each of the usual events, for --workflow
    #[arg(long, requires = "workflow", conflicts_with = "payload")]
    matrix: bool,
    /// One row for each event of `on:` and each value of the outputs that decide, for --workflow
    #[arg(long, requires = "workflow", conflicts_with_all = ["payload", "matrix"])]
    all_events: bool,
    /// Write the jobs and hand-offs as one page, for --workflow
    #[arg(long, value_name = "FILE", requires = "workflow")]
    html: Option<Utf8PathBuf>,
}

#[derive(Serialize)]
struct PlanJson<'a> {
    schema: &'static str,
    #[serde(flatten)]
    plan: &'a Plan,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    if let Some(workflow) = &arguments.workflow {
        let question = super::workflow_plan::Question {
            workflow,
            event: arguments.event.payload().map(Utf8Path::as_str),
            payload: arguments.payload.as_deref(),
            values: &arguments.values,
            assumptions: &arguments.assumptions,
            rows: match (arguments.matrix, arguments.all_events) {
                (true, _) => super::workflow_plan::Rows::Usual,
                (_, true) => super::workflow_plan::Rows::All,
                _ => super::workflow_plan::Rows::None,
            },
            html: arguments.html.as_deref(),
        };
        return super::workflow_plan::run(&question, context);
    }
    let surroundings = context.surroundings()?;
    let plan = barge_pipeline::plan::plan(&surroundings, arguments.event.payload())?;
    let json = PlanJson {
        schema: barge_ci::plan::PLAN_SCHEMA,
        plan: &plan,
    };
    context.printer.result(&json, |out| write(out, &plan))?;
    Ok(Exit::Done)
}

/// The plan for people: the decision, then the jobs.
fn write(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    write_decision(out, plan)?;
    writeln!(out)?;
    for job in &plan.jobs {
        writeln!(out, "{:<8} {:<8} {}", job.id, job.state, job.cause.reason)?;
    }
    Ok(())
}

/// What happened, what was decided by which rule, and the names.
pub(crate) fn write_decision(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    let event = &plan.event;
    let place = event
        .reference
        .as_ref()
        .map_or_else(String::new, |reference| format!(" on {reference}"));
    writeln!(
        out,
        "{} {}{place}, commit {}",
        Tone::Strong.paint("event"),
        event.trigger,
        event.head.short()
    )?;
    let cause = plan.decision.cause();
    match &plan.decision {
        Decision::Skip(_) => {
            writeln!(
                out,
                "{} by rule `{}`: {}",
                Tone::Warning.paint("skip "),
                cause.rule,
                cause.reason
            )?;
        }
        Decision::Build(build) => {
            writeln!(
                out,
                "{} by rule `{}`: {}",
                Tone::Good.paint("build"),
                cause.rule,
                cause.reason
            )?;
            for reference in &build.names.references {
                writeln!(out, "      {reference}")?;
            }
            let Destination { delivery, reason } = &build.destination;
            let word = match delivery {
                Delivery::Push => Tone::Good.paint("push "),
                Delivery::Load => Tone::Warning.paint("keep "),
            };
            writeln!(out, "{word} {reason}")?;
        }
    }
    Ok(())
}
