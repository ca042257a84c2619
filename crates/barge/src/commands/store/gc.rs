//! `barge store gc`

use std::io::{self, Write};

use barge_image::Digest;
use barge_store::Pointer;
use barge_store::gc::{Budget, Collect, Collected, collect};
use barge_store::lifetime::{ParseLifetimeError, parse_duration};
use barge_store::remote::HeldBlob;
use clap::Args;
use jiff::SignedDuration;
use serde::Serialize;

use crate::commands::StoreArguments;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::printer::{Tone, bytes};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge store gc --dry-run\n  barge store gc --store s3://bucket/images --grace 2d\n  barge store gc --keep-count 200 --keep-bytes 50GB"
)]
pub(crate) struct Arguments {
    /// Bytes that somebody stored or relied on so recently stay; a save must not take longer than this
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration)]
    grace: SignedDuration,
    /// Keep at most so many artifacts: the oldest go first, and none that is kept for ever or younger than the grace period
    #[arg(long, value_name = "NUMBER")]
    keep_count: Option<usize>,
    /// Keep at most so much of what artifacts need, such as 500MB or 20GB, by the same rules
    #[arg(long, value_name = "SIZE", value_parser = size)]
    keep_bytes: Option<u64>,
    /// Only tell what would go
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    store: StoreArguments,
}

fn duration(text: &str) -> Result<SignedDuration, ParseLifetimeError> {
    parse_duration(text)
}

/// A length in bytes, in the units that people buy storage in.
fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 5] = [
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1000),
        ("B", 1),
    ];
    let parsed = UNITS.iter().find_map(|(unit, bytes)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*bytes)
    });
    parsed.ok_or_else(|| {
        format!("`{text}` is not a size: give a whole number and `B`, `kB`, `MB`, `GB` or `TB`, such as `20GB`")
    })
}

#[derive(Serialize)]
struct CollectJson {
    schema: &'static str,
    store: String,
    dry_run: bool,
    expired: Vec<String>,
    over_budget: Vec<String>,
    broken: Vec<String>,
    blobs: Vec<BlobJson>,
    freed: u64,
    needed_blobs: usize,
    young_blobs: usize,
    cache_freed: u64,
}

#[derive(Serialize)]
struct BlobJson {
    digest: Digest,
    size: u64,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let store = arguments.store.open(context)?;
    let what = Collect {
        now: context.now,
        grace: arguments.grace,
        budget: Budget {
            artifacts: arguments.keep_count,
            bytes: arguments.keep_bytes,
        },
        dry_run: arguments.dry_run,
    };
    let Collected {
        expired,
        over_budget,
        broken,
        blobs,
        young,
        needed,
    } = collect(store.home(), &what)?;
    let cache = store.cache().filter(|cache| cache.root().exists());
    let cache = cache.map(|cache| collect(cache, &what)).transpose()?;
    let json = CollectJson {
        schema: "barge/store-gc/v1",
        store: store.address().to_string(),
        dry_run: arguments.dry_run,
        expired: named(&expired),
        over_budget: named(&over_budget),
        broken: named(&broken),
        freed: length(&blobs),
        blobs: blobs
            .into_iter()
            .map(|blob| BlobJson {
                digest: blob.digest,
                size: blob.size,
            })
            .collect(),
        needed_blobs: needed,
        young_blobs: young,
        cache_freed: cache.map_or(0, |cache| length(&cache.blobs)),
    };
    for broken in &json.broken {
        let what = format!("{broken} has no usable record; see `barge store fsck`");
        context.printer.warning(&what);
    }
    context.printer.result(&json, |out| write(out, &json))?;
    Ok(Exit::Done)
}

fn named(pointers: &[Pointer]) -> Vec<String> {
    pointers.iter().map(ToString::to_string).collect()
}

fn length(blobs: &[HeldBlob]) -> u64 {
    blobs.iter().map(|blob| blob.size).sum()
}

fn write(out: &mut dyn Write, json: &CollectJson) -> io::Result<()> {
    let done = if json.dry_run {
        "would remove"
    } else {
        "removed"
    };
    let done = Tone::Good.paint(done);
    for (artifacts, why) in [
        (&json.expired, "expired"),
        (&json.over_budget, "over the budget"),
    ] {
        let mut artifacts = artifacts.iter();
        artifacts.try_for_each(|artifact| writeln!(out, "{done} {artifact}, {why}"))?;
    }
    writeln!(
        out,
        "{done} {} blobs, {}",
        json.blobs.len(),
        bytes(json.freed)
    )?;
    if json.cache_freed > 0 {
        writeln!(
            out,
            "{done} {} that were kept on this machine",
            bytes(json.cache_freed)
        )?;
    }
    let (needed, young) = (json.needed_blobs, json.young_blobs);
    writeln!(
        out,
        "kept {needed} blobs that artifacts need, {young} that may be needed soon"
    )
}
