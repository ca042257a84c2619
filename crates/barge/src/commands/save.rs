//! `barge save`: what was built, into the store or an archive.

use std::slice;

use barge_engine::docker::Product;
use barge_image::Reference;
use barge_pipeline::TemporaryFolder;
use barge_pipeline::adopt;
use barge_pipeline::input::Input;
use barge_pipeline::save::{Archived, Saved, archive, save};
use barge_pipeline::{Built, Surroundings};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::{Tone, bytes};

/// Save what was built, by the references that the build recorded, into the store or an archive
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge save\n  barge save --store dir:/mnt/artifacts --retention 7d\n  barge save ghcr.io/example/app:pr-7\n  barge save docker-archive:image.tar --tag ghcr.io/example/app:pr-7\n  barge save registry:ghcr.io/example/app:pr-7\n  barge save -o image.tar"
)]
pub(crate) struct Arguments {
    /// Save these references of the engine (REFERENCE, docker:REFERENCE, podman:REFERENCE), all of one image, instead of
    /// what was built last; or the image in an archive or layout (a path, docker-archive:FILE, oci-archive:FILE, oci:DIR),
    /// or in its registry (registry:REFERENCE)
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Save an archive or layout, or the image of a registry, under these names, not under its own
    #[arg(long = "tag", value_name = "REFERENCE", requires = "images")]
    tags: Vec<String>,
    #[command(flatten)]
    store: super::StoreArguments,
    #[command(flatten)]
    retention: super::RetentionArguments,
    /// Write an archive that every engine loads, instead of using the store
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["store", "retention"])]
    output: Option<Utf8PathBuf>,
}

#[derive(Serialize)]
struct SaveJson<'a> {
    schema: &'static str,
    saved: Option<&'a Saved>,
    archive: Option<&'a Archived>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let surroundings = context.surroundings()?;
    let (built, _pulled) = what(arguments, context, &surroundings)?;
    let schema = "barge/save/v1";
    if let Some(path) = &arguments.output {
        let archived =
            context.block_on(async { Ok(archive(&surroundings, &built, path).await?) })?;
        let json = SaveJson {
            schema,
            saved: None,
            archive: Some(&archived),
        };
        context
            .printer
            .result(&json, |out| write_archived(out, &archived))?;
        return Ok(Exit::Done);
    }
    let store = arguments.store.open(context)?;
    let lifetime = arguments.retention.retention;
    let saved =
        context.block_on(async { Ok(save(&surroundings, &built, &store, lifetime).await?) })?;
    super::outputs::saved(context, &saved)?;
    let json = SaveJson {
        schema,
        saved: Some(&saved),
        archive: None,
    };
    context.printer.result(&json, |out| write(out, &saved))?;
    Ok(Exit::Done)
}

/// What is to be saved, and the folder that an image of a registry lies in until it is.
fn what(
    arguments: &Arguments,
    context: &Context,
    surroundings: &Surroundings,
) -> Result<(Built, Option<TemporaryFolder>), Error> {
    let tags = super::references(&arguments.tags)?;
    let built = match Input::parse(&arguments.images, &surroundings.folder) {
        Ok(Input::Files { path, name }) => {
            let adopted = adopt::file(surroundings, &path, name, &tags);
            context.block_on(async { Ok(adopted.await?) })?
        }
        Ok(Input::Registry(reference)) => {
            let pulled = TemporaryFolder::new()?;
            let adopted = adopt::registry_image(surroundings, &reference, pulled.path(), &tags);
            let built = context.block_on(async { Ok(adopted.await?) })?;
            return Ok((built, Some(pulled)));
        }
        _ if !tags.is_empty() => {
            return Err(Error::Usage(
                "`--tag` names archives, layouts and images of registries; an engine's have names"
                    .into(),
            ));
        }
        _ if arguments.images.is_empty() => super::last_build(surroundings)?,
        _ => {
            let (product, references) = in_engine(&arguments.images, &surroundings.folder)?;
            let adopted = adopt::engine_image(surroundings, product, &references);
            context.block_on(async { Ok(adopted.await?) })?
        }
    };
    Ok((built, None))
}

/// The names of an engine's image, and which engine is meant, if one of them says so.
fn in_engine(
    words: &[String],
    folder: &Utf8Path,
) -> Result<(Option<Product>, Vec<Reference>), Error> {
    let (mut products, mut references) = (Vec::new(), Vec::new());
    for word in words {
        if let Ok(Input::Engine(product, reference)) = Input::parse(slice::from_ref(word), folder) {
            products.push(product);
            references.push(reference);
        } else {
            references.push(word.parse()?);
        }
    }
    if products.windows(2).any(|pair| pair[0] != pair[1]) {
        let text = "an image is saved from one engine: `docker:` or `podman:`".into();
        return Err(Error::Usage(text));
    }
    Ok((products.pop(), references))
}

/// What was saved, for people: names, size, digest, time.
pub(crate) fn write(out: &mut dyn std::io::Write, saved: &Saved) -> std::io::Result<()> {
    let record = &saved.record;
    let (plain, stored) = (bytes(record.image.size), bytes(saved.stored_size));
    let seconds = saved.seconds;
    writeln!(
        out,
        "{} {} in {seconds:.1} s: {plain}, {stored} stored",
        Tone::Good.paint("saved"),
        record.artifact
    )?;
    record
        .references
        .iter()
        .try_for_each(|reference| writeln!(out, "      {reference}"))?;
    writeln!(out, "      image  {}", record.image.config)?;
    writeln!(out, "      record {}", saved.digest)
}

fn write_archived(out: &mut dyn std::io::Write, archived: &Archived) -> std::io::Result<()> {
    let (size, seconds) = (bytes(archived.size), archived.seconds);
    writeln!(
        out,
        "{} {} in {seconds:.1} s: {size}",
        Tone::Good.paint("saved"),
        archived.path
    )?;
    archived
        .references
        .iter()
        .try_for_each(|reference| writeln!(out, "      {reference}"))?;
    writeln!(out, "      image  {}", archived.config)
}
