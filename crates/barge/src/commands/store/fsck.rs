//! `barge store fsck`

use std::io::{self, Write};

use barge_store::DirectoryStore;
use barge_store::directory::{Check, Finding, Report};
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

#[derive(Serialize)]
struct CheckJson {
    schema: &'static str,
    store: String,
    artifacts: usize,
    blobs: usize,
    bytes: u64,
    unused_blobs: usize,
    damaged: bool,
    repaired: bool,
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
    let folder = store.folder().ok_or_else(|| {
        let address = store.address();
        Error::Usage(format!(
            "`{address}` checks itself: only a folder can be looked through"
        ))
    })?;
    let how = if arguments.quick {
        Check::Quick
    } else {
        Check::Whole
    };
    let report = folder.check(how)?;
    if arguments.repair {
        folder.repair(&report)?;
    }
    let json = CheckJson::new(folder, &report, arguments.repair);
    context.printer.result(&json, |out| write(out, &json))?;
    Ok(if json.damaged {
        Exit::Store
    } else {
        Exit::Done
    })
}

impl CheckJson {
    fn new(folder: &DirectoryStore, report: &Report, repaired: bool) -> Self {
        let findings = report.findings.iter();
        Self {
            schema: "barge/store-fsck/v1",
            store: format!("dir:{}", folder.root()),
            artifacts: report.artifacts,
            blobs: report.blobs,
            bytes: report.bytes,
            unused_blobs: report.unused,
            damaged: findings.clone().any(|finding| finding.trouble.is_damage()),
            repaired,
            findings: findings
                .map(|finding| FindingJson::new(folder, finding))
                .collect(),
        }
    }
}

impl FindingJson {
    fn new(folder: &DirectoryStore, finding: &Finding) -> Self {
        let path = finding
            .path
            .strip_prefix(folder.root())
            .unwrap_or(&finding.path);
        Self {
            trouble: finding.trouble.word(),
            damage: finding.trouble.is_damage(),
            path: path.to_string(),
            message: finding.trouble.to_string(),
            artifacts: finding.artifacts.clone(),
        }
    }
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
    let (artifacts, blobs, size) = (json.artifacts, json.blobs, bytes(json.bytes));
    writeln!(
        out,
        "looked at {artifacts} artifacts, {blobs} blobs, {size}; {} unused",
        json.unused_blobs
    )?;
    match (json.damaged, json.repaired) {
        (false, _) => writeln!(out, "{}", Tone::Good.paint("no damage")),
        (true, true) => writeln!(
            out,
            "removed what was beyond use: save the images named above again"
        ),
        (true, false) => writeln!(
            out,
            "{}: `--repair` removes what is beyond use, so that the next save packs it again",
            Tone::Bad.paint("the store is damaged")
        ),
    }
}
