//! `barge db`: advisory data. A scan never fetches; this does.

mod compare;
mod show;
mod update;

use std::collections::BTreeSet;
use std::io::{self, Write};

use barge_image::Digest;
use barge_vuln::output::age;
use barge_vuln::{Database, INDEX, Meta};
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::commands::DatabaseArguments;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Fetch, compile and look into advisory data
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Update(update::Arguments),
    Build(BuildArguments),
    Status(StatusArguments),
    Compare(compare::Arguments),
    Show(show::Arguments),
}

/// Compile records or archives into one index
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  barge db build --from advisories --output advisories.index")]
struct BuildArguments {
    /// A folder of OSV records or <Ecosystem>/all.zip archives, with KEV, EPSS and CVSS files beside them
    #[arg(long, value_name = "DIR")]
    from: Utf8PathBuf,
    /// The index
    #[arg(short, long, value_name = "FILE")]
    output: Utf8PathBuf,
}

/// Tell age, size and digest of the data
#[derive(Debug, Args)]
struct StatusArguments {
    #[command(flatten)]
    db: DatabaseArguments,
    /// Check every byte against the digest
    #[arg(long)]
    verify: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    match &arguments.command {
        Command::Update(arguments) => update::run(arguments, context),
        Command::Build(arguments) => build(arguments, context),
        Command::Status(arguments) => status(arguments, context),
        Command::Compare(arguments) => compare::run(arguments, context),
        Command::Show(arguments) => show::run(arguments, context),
    }
}

/// The index that `update` made, if it ever ran here: what scans use unless told otherwise.
pub(crate) fn updated_index(context: &Context) -> Result<Option<Utf8PathBuf>, Error> {
    let index = folder(context)?.join(INDEX);
    Ok(index.exists().then_some(index))
}

fn folder(context: &Context) -> Result<Utf8PathBuf, Error> {
    Ok(context.surroundings()?.workspace().root().join("db"))
}

fn open(context: &Context, wanted: &DatabaseArguments) -> Result<Database, Error> {
    let path = wanted
        .path(context)?
        .ok_or(barge_pipeline::Error::NoAdvisoryData)?;
    Ok(barge_vuln::open(path.as_std_path())?)
}

/// Compiles a folder, or of it what belongs to these ecosystems, and tells what came of it.
fn compile(
    context: &Context,
    from: &Utf8Path,
    ecosystems: &BTreeSet<String>,
    output: &Utf8Path,
) -> Result<Exit, Error> {
    let builder = barge_vuln::compile_ecosystems(from.as_std_path(), ecosystems)?;
    for name in builder.passed_over() {
        tracing::debug!("passed over `{name}`: it is no record");
    }
    for problem in builder.problems() {
        context
            .printer
            .warning(&format!("left out `{}`: {}", problem.name, problem.reason));
    }
    let hidden = builder
        .problem_count()
        .saturating_sub(builder.problems().len() as u64);
    if hidden > 0 {
        context.printer.warning(&format!("left out {hidden} more"));
    }
    let bytes = builder.finish()?;
    barge_vuln::write_file(output.as_std_path(), &bytes)?;
    let status = Status::of(&Database::from_bytes(bytes)?, context);
    context.printer.result(&status, |out| status.write(out))?;
    Ok(Exit::Done)
}

fn build(arguments: &BuildArguments, context: &Context) -> Result<Exit, Error> {
    let from = context.folder.join(&arguments.from);
    let output = context.folder.join(&arguments.output);
    compile(context, &from, &BTreeSet::new(), &output)
}

fn status(arguments: &StatusArguments, context: &Context) -> Result<Exit, Error> {
    let database = open(context, &arguments.db)?;
    if arguments.verify {
        database.verify()?;
    }
    let status = Status::of(&database, context);
    context.printer.result(&status, |out| status.write(out))?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Status {
    schema: &'static str,
    digest: Digest,
    bytes: usize,
    age_days: Option<i64>,
    #[serde(flatten)]
    meta: Meta,
}

impl Status {
    fn of(database: &Database, context: &Context) -> Self {
        let meta = database.meta().clone();
        Self {
            schema: "barge/db-status/v1",
            digest: database.digest(),
            bytes: database.size(),
            age_days: meta.age_days(context.now),
            meta,
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let meta = &self.meta;
        let age = age(self.age_days);
        writeln!(out, "digest     {}", self.digest)?;
        writeln!(out, "size       {:.1} MB", self.bytes as f64 / 1e6)?;
        writeln!(
            out,
            "records    {} ({} withdrawn)",
            meta.records, meta.withdrawn
        )?;
        writeln!(out, "age        {age}")?;
        writeln!(out, "cve facts  {}", meta.cves)?;
        writeln!(out, "problems   {}", meta.problems)?;
        writeln!(out, "sources")?;
        for source in &meta.sources {
            let (name, records, newest) = (&source.name, source.records, &source.newest);
            writeln!(out, "  {name:<28} {records:>8} records, newest {newest}")?;
        }
        writeln!(out, "ecosystems")?;
        for ecosystem in &meta.ecosystems {
            let (name, packages, entries) =
                (&ecosystem.name, ecosystem.packages, ecosystem.entries);
            writeln!(
                out,
                "  {name:<40} {packages:>8} packages {entries:>8} entries"
            )?;
        }
        Ok(())
    }
}
