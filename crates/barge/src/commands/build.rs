//! `barge build`: build by the plan.

use barge_ci::Decision;
use barge_pipeline::Built;
use barge_pipeline::build::{build, forget};
use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::Tone;

/// Build by the plan, and record the names and the identity of what came out
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge build\n  barge build --engine embedded\n  barge build --event pull_request.json"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    event: super::EventArguments,
    #[command(flatten)]
    build: super::BuildArguments,
}

#[derive(Serialize)]
struct BuildJson<'a> {
    schema: &'static str,
    skipped: Option<&'a barge_ci::Cause>,
    built: Option<&'a Built>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let surroundings = arguments.build.apply(context.surroundings()?);
    let plan = barge_pipeline::plan::plan(&surroundings, arguments.event.payload())?;
    let schema = "barge/build/v1";
    match &plan.decision {
        Decision::Skip(cause) => {
            forget(&surroundings)?;
            super::outputs::skipped(context)?;
            let json = BuildJson {
                schema,
                skipped: Some(cause),
                built: None,
            };
            context.printer.result(&json, |out| {
                writeln!(
                    out,
                    "{} by rule `{}`: {}",
                    Tone::Warning.paint("skipped"),
                    cause.rule,
                    cause.reason
                )
            })?;
        }
        Decision::Build(decision) => {
            let built = context
                .block_on(async { Ok(build(&surroundings, &plan.event, decision).await?) })?;
            super::outputs::built(context, &built)?;
            let json = BuildJson {
                schema,
                skipped: None,
                built: Some(&built),
            };
            context.printer.result(&json, |out| write(out, &built))?;
        }
    }
    Ok(Exit::Done)
}

/// What was built, for people.
pub(crate) fn write(out: &mut dyn std::io::Write, built: &Built) -> std::io::Result<()> {
    let id = built.home.image_id();
    writeln!(
        out,
        "{} {} by {} for {}",
        Tone::Good.paint("built"),
        id,
        built.facts.engine,
        built.platform
    )?;
    built
        .references
        .iter()
        .try_for_each(|reference| writeln!(out, "      {reference}"))
}
