//! `barge store`: what the store holds.

use barge_store::DirectoryStore;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::{Tone, bytes};

/// Look after the store
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// List the artifacts, with their runs and names
    Ls(super::StoreArguments),
}

#[derive(Serialize)]
struct StoreJson {
    schema: &'static str,
    store: String,
    artifacts: Vec<ArtifactJson>,
}

#[derive(Serialize)]
struct ArtifactJson {
    artifact: barge_image::ArtifactName,
    run: String,
    attempt: u32,
    record: barge_image::Digest,
    image: barge_image::Digest,
    references: Vec<barge_image::Reference>,
    size: u64,
    created: Timestamp,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let StoreCommand::Ls(store) = &arguments.command;
    let store = DirectoryStore::at(&store.root(context)?);
    let artifacts = store.list()?.into_iter().map(|pointer| {
        let record = store.record(&pointer.record)?;
        Ok(ArtifactJson {
            artifact: pointer.artifact,
            run: pointer.run.id,
            attempt: pointer.run.attempt,
            record: pointer.record,
            image: record.image.config,
            references: record.references,
            size: record.image.size,
            created: record.created,
        })
    });
    let artifacts = artifacts.collect::<Result<Vec<_>, Error>>()?;
    let json = StoreJson {
        schema: "barge/store-ls/v1",
        store: format!("dir:{}", store.root()),
        artifacts,
    };
    context.printer.result(&json, |out| write(out, &json))?;
    Ok(Exit::Done)
}

fn write(out: &mut dyn std::io::Write, listing: &StoreJson) -> std::io::Result<()> {
    if listing.artifacts.is_empty() {
        return writeln!(out, "{} holds nothing", listing.store);
    }
    for artifact in &listing.artifacts {
        let name = Tone::Strong.paint(artifact.artifact.as_str());
        writeln!(
            out,
            "{name}  run {} attempt {}  {}",
            artifact.run,
            artifact.attempt,
            bytes(artifact.size)
        )?;
        artifact
            .references
            .iter()
            .try_for_each(|reference| writeln!(out, "  {reference}"))?;
        writeln!(
            out,
            "  image  {}\n  record {}",
            artifact.image, artifact.record
        )?;
    }
    Ok(())
}
