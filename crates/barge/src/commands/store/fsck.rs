//! `barge store fsck`

use std::collections::BTreeSet;
use std::io::{self, Write};

use barge_pipeline::TemporaryFolder;
use barge_store::directory::{Check, Finding};
use barge_store::remote::{Listing, Wanted};
use barge_store::{DirectoryStore, Store};
use camino::Utf8Path;
use clap::Args;
use serde::Serialize;

use crate::commands::StoreArguments;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::{Tone, bytes};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge store fsck\n  barge store fsck --quick\n  barge store fsck --repair --store dir:/mnt/artifacts"
)]
pub(crate) struct Arguments {
    /// Look at the length of layers instead of reading them
    #[arg(long)]
    quick: bool,
    /// Remove what is damaged beyond use, so that it is packed again, and put the list of names right
    #[arg(long, conflicts_with = "quick")]
    repair: bool,
    #[command(flatten)]
    store: StoreArguments,
}

const SCHEMA: &str = "barge/store-fsck/v1";

#[derive(Serialize)]
struct CheckJson {
    schema: &'static str,
    store: String,
    artifacts: usize,
    blobs: Option<usize>,
    bytes: Option<u64>,
    unused_blobs: Option<usize>,
    damaged: bool,
    repaired: bool,
    removed: Vec<String>,
    findings: Vec<FindingJson>,
}

#[derive(Serialize)]
struct FindingJson {
    trouble: &'static str,
    damage: bool,
    path: String,
    message: String,
    artifacts: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let store = arguments.store.open(context)?;
    let json = match store.folder() {
        Some(folder) => in_folder(folder, arguments)?,
        None if arguments.repair || arguments.quick => {
            let address = store.address();
            let what = format!("`{address}` is no folder: it can only be checked whole");
            return Err(Error::Usage(what));
        }
        None => elsewhere(&store)?,
    };
    context.printer.result(&json, |out| write(out, &json))?;
    Ok(if json.damaged {
        Exit::Store
    } else {
        Exit::Done
    })
}

fn in_folder(folder: &DirectoryStore, arguments: &Arguments) -> Result<CheckJson, Error> {
    let how = if arguments.quick {
        Check::Quick
    } else {
        Check::Whole
    };
    let report = folder.check(how)?;
    let removed = if arguments.repair {
        folder.repair(&report)?
    } else {
        BTreeSet::new()
    };
    let findings = report.findings.iter();
    Ok(CheckJson {
        schema: SCHEMA,
        store: format!("dir:{}", folder.root()),
        artifacts: report.artifacts,
        blobs: Some(report.blobs),
        bytes: Some(report.bytes),
        unused_blobs: Some(report.unused),
        damaged: findings.clone().any(|finding| finding.trouble.is_damage()),
        repaired: arguments.repair,
        removed: removed.iter().map(|path| within(folder, path)).collect(),
        findings: findings
            .map(|finding| FindingJson::new(folder, finding))
            .collect(),
    })
}

/// Of a store elsewhere every artifact is fetched anew, as jobs would do.
fn elsewhere(store: &Store) -> Result<CheckJson, Error> {
    let scratch = TemporaryFolder::new()?;
    let afresh = store.behind(scratch.path());
    let Listing { pointers, broken } = store.list(&Wanted::default())?;
    let broken = broken.iter();
    let broken = broken.map(|error| FindingJson::elsewhere("malformed", "artifacts", error, &[]));
    let mut findings: Vec<_> = broken.collect();
    for pointer in &pointers {
        if let Err(error) = afresh.check(pointer) {
            let (path, artifacts) = (pointer.record.to_string(), [pointer.to_string()]);
            findings.push(FindingJson::elsewhere(
                "unusable", &path, &error, &artifacts,
            ));
        }
    }
    Ok(CheckJson {
        schema: SCHEMA,
        store: store.address().to_string(),
        artifacts: pointers.len(),
        blobs: None,
        bytes: None,
        unused_blobs: None,
        damaged: !findings.is_empty(),
        repaired: false,
        removed: Vec::new(),
        findings,
    })
}

impl FindingJson {
    fn new(folder: &DirectoryStore, finding: &Finding) -> Self {
        Self {
            trouble: finding.trouble.word(),
            damage: finding.trouble.is_damage(),
            path: within(folder, &finding.path),
            message: finding.trouble.to_string(),
            artifacts: finding.artifacts.clone(),
        }
    }

    fn elsewhere(
        trouble: &'static str,
        path: &str,
        error: &barge_store::Error,
        artifacts: &[String],
    ) -> Self {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        Self {
            trouble,
            damage: true,
            path: path.to_owned(),
            message: cause.unwrap_or_else(|| error.to_string()),
            artifacts: artifacts.to_vec(),
        }
    }
}

fn within(folder: &DirectoryStore, path: &Utf8Path) -> String {
    path.strip_prefix(folder.root()).unwrap_or(path).to_string()
}

fn write(out: &mut dyn Write, json: &CheckJson) -> io::Result<()> {
    for finding in &json.findings {
        let tone = if finding.damage {
            Tone::Bad
        } else {
            Tone::Warning
        };
        let word = if finding.damage { "damaged" } else { "untidy" };
        writeln!(
            out,
            "{} {}: {}",
            tone.paint(word),
            finding.path,
            finding.message
        )?;
        let mut artifacts = finding.artifacts.iter();
        artifacts.try_for_each(|artifact| writeln!(out, "        needed by {artifact}"))?;
    }
    let artifacts = json.artifacts;
    match (json.blobs, json.bytes, json.unused_blobs) {
        (Some(blobs), Some(size), Some(unused)) => {
            let size = bytes(size);
            writeln!(
                out,
                "looked at {artifacts} artifacts, {blobs} blobs, {size}; {unused} unused"
            )?;
        }
        _ => writeln!(out, "fetched {artifacts} artifacts")?,
    }
    for removed in &json.removed {
        writeln!(out, "{} {removed}", Tone::Good.paint("removed"))?;
    }
    match (json.damaged, json.repaired) {
        (false, _) => writeln!(out, "{}", Tone::Good.paint("no damage")),
        (true, true) => writeln!(
            out,
            "save the images named above again, or remove them with `barge store rm`"
        ),
        (true, false) if json.blobs.is_none() => {
            writeln!(out, "{}", Tone::Bad.paint("the store is damaged"))
        }
        (true, false) => writeln!(
            out,
            "{}: `--repair` removes what is beyond use, so that the next save packs it again",
            Tone::Bad.paint("the store is damaged")
        ),
    }
}
