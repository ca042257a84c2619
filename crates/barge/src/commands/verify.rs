//! `barge verify`: an artifact or image, without an engine.

use barge_image::{Digest, Reference};
use barge_pipeline::record::choose;
use barge_pipeline::verify::{Verified, verify_record};
use barge_vuln::Status;
use barge_vuln::output::ScanJson;
use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Verify what was handed over: every layer, its packages, advisories, the policy; no engine needed
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge verify --db advisories\n  barge verify --record sha256:0a1b... --db osv.index\n  barge verify --path /app/charon"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    record: super::RecordArguments,
    #[command(flatten)]
    store: super::StoreArguments,
    #[command(flatten)]
    scan: super::ScanArguments,
}

#[derive(Serialize)]
struct VerifyJson<'a> {
    schema: &'static str,
    record: Digest,
    image: Digest,
    references: &'a [Reference],
    seconds: f64,
    scan: ScanJson<'a>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let surroundings = context.surroundings()?;
    let store = arguments.store.open(context)?;
    let chosen = choose(
        &surroundings,
        &store,
        &arguments.record.choice()?,
        arguments.record.any_run,
    )?;
    let options = arguments.scan.options(context)?;
    let verified = context
        .block_on(async { Ok(verify_record(&surroundings, &store, &chosen, options).await?) })?;
    super::report::publish(context, &verified)?;
    let json = VerifyJson {
        schema: "barge/verify/v1",
        record: chosen.digest,
        image: verified.image,
        references: &verified.references,
        seconds: verified.seconds,
        scan: ScanJson::from(&verified.scan),
    };
    context.printer.result(&json, |out| {
        super::report::write(context, out, &verified)?;
        super::run::write_verdict(out, &verified.scan.verdict)
    })?;
    Ok(exit(&verified))
}

/// The exit code that evidence ends a command with.
fn exit(verified: &Verified) -> Exit {
    if verified.scan.verdict.status == Status::Failed {
        Exit::Policy
    } else {
        Exit::Done
    }
}
