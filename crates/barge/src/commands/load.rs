//! `barge load`: what was handed over, into an engine.

use barge_image::Selection;
use barge_pipeline::input::Input;
use barge_pipeline::load::{Loaded, load, load_file};
use barge_pipeline::record::choose;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::Tone;

/// Load what was handed over, or an archive or layout, into the engine: the same tags, the same image
#[derive(Debug, Args)]
#[command(
    after_help = "Instead of an artifact it takes an image in an archive or a layout of any tool: a path, docker-archive:FILE[:NAME],\noci-archive:FILE[:NAME] or oci:DIR[:NAME].\n\nExamples:\n  barge load\n  barge load --record sha256:0a1b...\n  barge load charon-pr-7 --run 123456\n  barge load image.tar\n  barge load oci:layout --tag ghcr.io/example/app:pr-7"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    record: super::RecordArguments,
    /// Load an archive or layout under these names, not under its own
    #[arg(long = "tag", value_name = "REFERENCE")]
    tags: Vec<String>,
    #[command(flatten)]
    store: super::StoreArguments,
}

#[derive(Serialize)]
struct LoadJson<'a> {
    schema: &'static str,
    record: Option<barge_image::Digest>,
    file: Option<&'a Utf8Path>,
    #[serde(flatten)]
    loaded: &'a Loaded,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let surroundings = context.surroundings()?;
    let store = arguments.store.open(context)?;
    let schema = "barge/load/v1";
    if let Some((path, selection)) = arguments.file(&surroundings.folder)? {
        let names = super::references(&arguments.tags)?;
        let load = load_file(&surroundings, &store, &path, selection, &names);
        let loaded = context.block_on(async { Ok(load.await?) })?;
        let json = LoadJson {
            schema,
            record: None,
            file: Some(&path),
            loaded: &loaded,
        };
        context.printer.result(&json, |out| write(out, &loaded))?;
        return Ok(Exit::Done);
    }
    let chosen = choose(
        &surroundings,
        &store,
        &arguments.record.choice()?,
        arguments.record.any_run,
    )?;
    let loaded = context.block_on(async { Ok(load(&surroundings, &store, &chosen).await?) })?;
    let json = LoadJson {
        schema,
        record: Some(chosen.digest),
        file: None,
        loaded: &loaded,
    };
    context.printer.result(&json, |out| write(out, &loaded))?;
    Ok(Exit::Done)
}

impl Arguments {
    /// The archive or layout that was named instead of an artifact.
    fn file(&self, folder: &Utf8Path) -> Result<Option<(Utf8PathBuf, Selection)>, Error> {
        let word = self.record.artifact.as_slice();
        let refused = |text: &str| Err(Error::Usage(format!("{text}: {}", word.concat())));
        match Input::parse(word, folder) {
            Ok(Input::Files { path, name }) => {
                let platform = None;
                Ok(Some((path, Selection { name, platform })))
            }
            Ok(Input::Engine(..) | Input::Registry(_) | Input::Bill(_)) => {
                refused("only artifacts, archives and layouts can be loaded")
            }
            Ok(Input::Anywhere(_)) if word.iter().any(|word| is_archive(word)) => {
                refused("there is no such file")
            }
            _ if self.tags.is_empty() => Ok(None),
            _ => refused("an artifact is loaded under its own names, without `--tag`"),
        }
    }
}

/// Whether it is a name that people give to archives and hardly to artifacts.
fn is_archive(word: &str) -> bool {
    [".tar", ".tar.gz", ".tgz", ".tar.zst"]
        .iter()
        .any(|ending| word.ends_with(ending))
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
