//! `barge store ls`

use std::io::{self, Write};

use barge_image::{ArtifactName, Digest, Reference};
use barge_store::remote::Wanted;
use barge_store::{Pointer, Store};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::StoreArguments;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::{Tone, bytes};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  barge store ls\n  barge store ls charon-pr-7 --format json")]
pub(crate) struct Arguments {
    /// Only artifacts of this name
    artifact: Option<ArtifactName>,
    #[command(flatten)]
    store: StoreArguments,
}

#[derive(Serialize)]
struct ListJson {
    schema: &'static str,
    store: String,
    artifacts: Vec<ArtifactJson>,
}

#[derive(Serialize)]
struct ArtifactJson {
    artifact: ArtifactName,
    run: String,
    attempt: u32,
    record: Digest,
    image: Digest,
    references: Vec<Reference>,
    size: u64,
    created: Timestamp,
    expires: Option<Timestamp>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let store = arguments.store.open(context)?;
    let wanted = Wanted {
        artifact: arguments.artifact.clone(),
        run: None,
    };
    let mut artifacts = Vec::new();
    let listing = store.list(&wanted)?;
    for broken in listing.broken {
        let cause = std::error::Error::source(&broken).map(ToString::to_string);
        let what = format!(
            "{broken}: {}; see `barge store fsck`",
            cause.unwrap_or_default()
        );
        context.printer.warning(&what);
    }
    for pointer in listing.pointers {
        match listed(&store, &pointer) {
            Ok(listed) => artifacts.push(listed),
            // One broken artifact must not hide the others.
            Err(error) => {
                let what = format!("{pointer} is broken: {error}; see `barge store fsck`");
                context.printer.warning(&what);
            }
        }
    }
    let json = ListJson {
        schema: "barge/store-ls/v1",
        store: store.address().to_string(),
        artifacts,
    };
    context
        .printer
        .result(&json, |out| write(out, context.now, &json))?;
    Ok(Exit::Done)
}

fn listed(store: &Store, pointer: &Pointer) -> Result<ArtifactJson, barge_store::Error> {
    let record = store.record(&pointer.record)?;
    Ok(ArtifactJson {
        artifact: pointer.artifact.clone(),
        run: pointer.run.id.clone(),
        attempt: pointer.run.attempt,
        record: pointer.record,
        image: record.image.config,
        references: record.references,
        size: record.image.size,
        created: record.created,
        expires: pointer.expires,
    })
}

fn write(out: &mut dyn Write, now: Timestamp, listing: &ListJson) -> io::Result<()> {
    if listing.artifacts.is_empty() {
        return writeln!(out, "{} holds nothing", listing.store);
    }
    for artifact in &listing.artifacts {
        let name = Tone::Strong.paint(artifact.artifact.as_str());
        let (run, attempt, size) = (&artifact.run, artifact.attempt, bytes(artifact.size));
        let kept = kept(now, artifact.expires);
        writeln!(out, "{name}  run {run} attempt {attempt}  {size}  {kept}")?;
        let mut references = artifact.references.iter();
        references.try_for_each(|reference| writeln!(out, "  {reference}"))?;
        writeln!(
            out,
            "  image  {}\n  record {}",
            artifact.image, artifact.record
        )?;
    }
    Ok(())
}

/// For how long something is kept, in words.
pub(super) fn kept(now: Timestamp, expires: Option<Timestamp>) -> String {
    match expires {
        None => "kept until removed".into(),
        Some(expires) if expires <= now => format!("expired {}", expires.strftime("%F")),
        Some(expires) => format!("kept until {}", expires.strftime("%F")),
    }
}
