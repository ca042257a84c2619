//! `barge store show`

use std::io::{self, Write};

use barge_image::record::{Record, Source};
use barge_image::{Digest, Image};
use barge_pipeline::record::choose;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::ls::kept;
use crate::commands::{RecordArguments, StoreArguments};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::{Tone, bytes};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge store show\n  barge store show charon-pr-7 --run 123456\n  barge store show --record sha256:0a1b..."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    record: RecordArguments,
    #[command(flatten)]
    store: StoreArguments,
}

#[derive(Serialize)]
struct ShowJson<'a> {
    schema: &'static str,
    digest: Digest,
    record: &'a Record,
    layers: Vec<LayerJson>,
}

#[derive(Serialize)]
struct LayerJson {
    diff_id: Digest,
    blob: Option<Digest>,
    size: Option<u64>,
    stored_size: u64,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let store = arguments.store.open(context)?;
    // To look at a record is no use of it: it may be of any run.
    let chosen = choose(
        &context.surroundings()?,
        &store,
        &arguments.record.choice()?,
        true,
    )?;
    let image = store.image(&chosen.digest, &chosen.record)?;
    let json = ShowJson {
        schema: "barge/store-show/v1",
        digest: chosen.digest,
        record: &chosen.record,
        layers: layers(&image),
    };
    context
        .printer
        .result(&json, |out| write(out, context.now, &json))?;
    Ok(Exit::Done)
}

fn layers(image: &Image) -> Vec<LayerJson> {
    let layers = image.layers.iter().map(|layer| LayerJson {
        diff_id: layer.diff_id,
        blob: layer.blob.as_ref().map(|blob| blob.digest),
        size: layer.noted_plain_size(),
        stored_size: layer.content.len(),
    });
    layers.collect()
}

fn write(out: &mut dyn Write, now: Timestamp, show: &ShowJson<'_>) -> io::Result<()> {
    let Record {
        artifact,
        references,
        image,
        source,
        build,
        created,
        expires,
        ..
    } = show.record;
    writeln!(out, "{}", Tone::Strong.paint(artifact.as_str()))?;
    references
        .iter()
        .try_for_each(|name| writeln!(out, "  {name}"))?;
    writeln!(
        out,
        "  record   {}\n  image    {}",
        show.digest, image.config
    )?;
    writeln!(out, "  manifest {}", image.manifest.digest)?;
    writeln!(
        out,
        "  platform {}, {} layers, {}",
        image.platform,
        image.layers,
        bytes(image.size)
    )?;
    write_source(out, source)?;
    writeln!(
        out,
        "  built    by {} at {created}, {}",
        build.engine,
        kept(now, *expires)
    )?;
    for (index, layer) in show.layers.iter().enumerate() {
        let (diff_id, stored) = (layer.diff_id, bytes(layer.stored_size));
        let plain = layer
            .size
            .map_or_else(String::new, |size| format!("{} plain, ", bytes(size)));
        writeln!(out, "  layer {index:<2} {diff_id}  {plain}{stored} stored")?;
    }
    Ok(())
}

fn write_source(out: &mut dyn Write, source: &Source) -> io::Result<()> {
    let pull_request = source.pull_request.map(|number| format!(" #{number}"));
    let pull_request = pull_request.unwrap_or_default();
    let (event, repository, run) = (&source.event, &source.repository, &source.run);
    writeln!(
        out,
        "  from     {event} of {repository}{pull_request}, run {run}"
    )?;
    if source.commit.is_empty() {
        return Ok(());
    }
    writeln!(out, "  commit   {}", source.commit)
}
