//! `barge store gc`

use std::io::{self, Write};

use barge_image::Digest;
use barge_store::gc::{Collect, Collected, collect};
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
    after_help = "Examples:\n  barge store gc --dry-run\n  barge store gc --store s3://bucket/images --grace 2d"
)]
pub(crate) struct Arguments {
    /// Bytes that somebody stored or relied on so recently stay; a save must not take longer than this
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration)]
    grace: SignedDuration,
    /// Only tell what would go
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    store: StoreArguments,
}

fn duration(text: &str) -> Result<SignedDuration, ParseLifetimeError> {
    parse_duration(text)
}

#[derive(Serialize)]
struct CollectJson {
    schema: &'static str,
    store: String,
    dry_run: bool,
    expired: Vec<String>,
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
        dry_run: arguments.dry_run,
    };
    let Collected {
        expired,
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
        expired: expired.iter().map(ToString::to_string).collect(),
        broken: broken.iter().map(ToString::to_string).collect(),
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
    let mut expired = json.expired.iter();
    expired.try_for_each(|artifact| writeln!(out, "{done} {artifact}, expired"))?;
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
