//! `barge store rm`

use std::io::{self, Write};

use barge_image::{ArtifactName, Digest};
use barge_store::remote::Wanted;
use barge_store::{Pointer, Store};
use clap::Args;
use serde::Serialize;

use crate::commands::StoreArguments;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::Tone;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge store rm charon-pr-7 --run 123456\n  barge store rm charon-pr-7 --all-runs\n  barge store rm --pull-request 7"
)]
pub(crate) struct Arguments {
    /// The artifact's name
    #[arg(required_unless_present = "pull_request")]
    artifact: Option<ArtifactName>,
    /// The run that stored it, where several have used the name
    #[arg(long, requires = "artifact")]
    run: Option<String>,
    /// The attempt of that run; all of them, if not given
    #[arg(long, requires = "run")]
    attempt: Option<u32>,
    /// Remove it of every run
    #[arg(long, requires = "artifact", conflicts_with = "run")]
    all_runs: bool,
    /// Remove everything of this pull request, for instance when it is closed
    #[arg(long, value_name = "NUMBER", conflicts_with = "artifact")]
    pull_request: Option<u64>,
    #[command(flatten)]
    store: StoreArguments,
}

#[derive(Serialize)]
struct RemoveJson {
    schema: &'static str,
    store: String,
    removed: Vec<RemovedJson>,
}

#[derive(Serialize)]
struct RemovedJson {
    artifact: ArtifactName,
    run: String,
    attempt: u32,
    record: Digest,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let store = arguments.store.open(context)?;
    let chosen = match (&arguments.artifact, arguments.pull_request) {
        (Some(name), _) => named(arguments, &store, name)?,
        (None, Some(number)) => of_pull_request(&store, number)?,
        (None, None) => Vec::new(),
    };
    let mut removed = Vec::new();
    // The newest first: a later artifact may lean on layers of an earlier one.
    for pointer in chosen.into_iter().rev() {
        store.home().remove(&pointer)?;
        removed.push(RemovedJson {
            artifact: pointer.artifact,
            run: pointer.run.id,
            attempt: pointer.run.attempt,
            record: pointer.record,
        });
    }
    let json = RemoveJson {
        schema: "barge/store-rm/v1",
        store: store.address().to_string(),
        removed,
    };
    context.printer.result(&json, |out| write(out, &json))?;
    Ok(Exit::Done)
}

fn named(
    arguments: &Arguments,
    store: &Store,
    name: &ArtifactName,
) -> Result<Vec<Pointer>, barge_store::Error> {
    let wanted = Wanted {
        artifact: Some(name.clone()),
        run: None,
    };
    match &arguments.run {
        Some(run) => of_run(store, &wanted, run, arguments.attempt),
        // The store says which there are.
        None if !arguments.all_runs => store.find(name, None).map(|pointer| vec![pointer]),
        None => Ok(store.list(&wanted)?.pointers),
    }
}

fn of_run(
    store: &Store,
    wanted: &Wanted,
    run: &str,
    attempt: Option<u32>,
) -> Result<Vec<Pointer>, barge_store::Error> {
    let (chosen, others): (Vec<_>, Vec<_>) =
        store
            .list(wanted)?
            .pointers
            .into_iter()
            .partition(|pointer| {
                pointer.run.id == run
                    && attempt.is_none_or(|attempt| attempt == pointer.run.attempt)
            });
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let name = wanted.artifact.as_ref().map_or("", ArtifactName::as_str);
    let attempt = attempt.map_or_else(String::new, |attempt| format!(" attempt {attempt}"));
    Err(barge_store::Error::NoSuchArtifact {
        store: store.address().clone(),
        wanted: format!("{name} of run {run}{attempt}"),
        held: others.iter().map(ToString::to_string).collect(),
    })
}

fn of_pull_request(store: &Store, number: u64) -> Result<Vec<Pointer>, barge_store::Error> {
    let mut chosen = store.list(&Wanted::default())?.pointers;
    // Of an artifact that is broken nobody knows what it was of.
    chosen.retain(|pointer| {
        let record = store.record(&pointer.record);
        record.is_ok_and(|record| record.source.pull_request == Some(number))
    });
    Ok(chosen)
}

fn write(out: &mut dyn Write, json: &RemoveJson) -> io::Result<()> {
    if json.removed.is_empty() {
        return writeln!(out, "nothing to remove from {}", json.store);
    }
    for removed in &json.removed {
        let (name, run, attempt) = (&removed.artifact, &removed.run, removed.attempt);
        writeln!(
            out,
            "{} {name} of run {run} attempt {attempt}",
            Tone::Good.paint("removed")
        )?;
    }
    writeln!(
        out,
        "{}",
        Tone::Faint.paint("`barge store gc` frees their bytes")
    )
}
