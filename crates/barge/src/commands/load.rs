//! `barge load`: what was handed over, into an engine.

use barge_pipeline::load::{Loaded, load};
use barge_pipeline::record::choose;
use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::Tone;

/// Load what was handed over into the engine: the same tags, the same image
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge load\n  barge load --record sha256:0a1b...\n  barge load charon-pr-7 --run 123456"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    record: super::RecordArguments,
    #[command(flatten)]
    store: super::StoreArguments,
}

#[derive(Serialize)]
struct LoadJson<'a> {
    schema: &'static str,
    record: barge_image::Digest,
    #[serde(flatten)]
    loaded: &'a Loaded,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let surroundings = context.surroundings()?;
    let store = arguments.store.open(context)?;
    let chosen = choose(
        &surroundings,
        &store,
        &arguments.record.choice()?,
        arguments.record.any_run,
    )?;
    let loaded = context.block_on(async { Ok(load(&surroundings, &store, &chosen).await?) })?;
    let json = LoadJson {
        schema: "barge/load/v1",
        record: chosen.digest,
        loaded: &loaded,
    };
    context.printer.result(&json, |out| write(out, &loaded))?;
    Ok(Exit::Done)
}

/// What was loaded, for people.
pub(crate) fn write(out: &mut dyn std::io::Write, loaded: &Loaded) -> std::io::Result<()> {
    let Loaded {
        sent_layers,
        layers,
        seconds,
        engine,
        config,
        ..
    } = loaded;
    let done = Tone::Good.paint("loaded");
    writeln!(
        out,
        "{done} into {engine} in {seconds:.1} s: {sent_layers} of {layers} layers sent"
    )?;
    loaded
        .references
        .iter()
        .try_for_each(|reference| writeln!(out, "      {reference}"))?;
    writeln!(out, "      image  {config}")
}
