//! `barge push`: what was handed over, to its registries.

use std::io::{self, Write};

use barge_pipeline::push::{Pushed, push};
use barge_pipeline::record::choose;
use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::Tone;

/// Push what was handed over to its registries: under all its names, or under none
#[derive(Debug, Args)]
#[command(
    after_help = "What is pushed is what was verified, byte for byte; let the gate pass it first. Images of pull requests, merge queues and checkouts are refused, and so are those of branches that `[publish] load-branches` names.\n\nLogins are those of docker: `docker login`, credential helpers and DOCKER_CONFIG.\n\nExamples:\n  barge push\n  barge push --record sha256:0a1b...\n  barge push charon-v1.2.3 --run 123456"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    record: super::RecordArguments,
    #[command(flatten)]
    store: super::StoreArguments,
}

#[derive(Serialize)]
struct PushJson<'a> {
    schema: &'static str,
    #[serde(flatten)]
    pushed: &'a Pushed,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let surroundings = context.surroundings()?;
    let store = arguments.store.open(context)?;
    let (choice, any_run) = (arguments.record.choice()?, arguments.record.any_run);
    let chosen = choose(&surroundings, &store, &choice, any_run)?;
    let pushed = context.block_on(async { Ok(push(&surroundings, &store, &chosen).await?) })?;
    super::outputs::pushed(context, &pushed)?;
    let json = PushJson {
        schema: "barge/push/v1",
        pushed: &pushed,
    };
    context.printer.result(&json, |out| write(out, &pushed))?;
    Ok(Exit::Done)
}

/// What was pushed, for people.
pub(crate) fn write(out: &mut dyn Write, pushed: &Pushed) -> io::Result<()> {
    let Pushed {
        sent_blobs,
        blobs,
        seconds,
        ..
    } = pushed;
    let done = Tone::Good.paint("pushed");
    writeln!(
        out,
        "{done} in {seconds:.1} s: {sent_blobs} of {blobs} blobs sent"
    )?;
    let mut names = pushed.references.iter();
    names.try_for_each(|name| writeln!(out, "      {name}"))
}
