//! `barge db`: advisory data. A scan never fetches; this does.

mod update;

use std::io::{self, Write};

use barge_vuln::version::{Scheme, Version, compare};
use barge_vuln::{Database, Meta, RecordText};
use camino::Utf8PathBuf;
use clap::{Args, Subcommand};
use serde::Serialize;

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
    Compare(CompareArguments),
    Show(ShowArguments),
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
    /// An index file or a folder; by default what `barge db update` made
    #[arg(long, env = "BARGE_DB", value_name = "PATH")]
    db: Option<Utf8PathBuf>,
    /// Check every byte against the digest
    #[arg(long)]
    verify: bool,
}

/// Tell how two versions order: -1, 0 or 1
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge db compare --scheme deb 1.0~rc1 1.0\n  printf 'maven\\t1.0\\t1.0-rc1\\n' | barge db compare --stdin"
)]
struct CompareArguments {
    /// The scheme: deb, rpm, apk, pep440, semver, maven, gem, nuget, composer, ...
    #[arg(long, required_unless_present = "stdin")]
    scheme: Option<Scheme>,
    /// One version
    #[arg(required_unless_present = "stdin")]
    left: Option<String>,
    /// The other
    #[arg(required_unless_present = "stdin")]
    right: Option<String>,
    /// Read lines of scheme, version, version with tabs between
    #[arg(long, conflicts_with_all = ["scheme", "left", "right"])]
    stdin: bool,
}

/// Show all records of a flaw
#[derive(Debug, Args)]
struct ShowArguments {
    /// Any of its ids
    id: String,
    /// An index file or a folder; by default what `barge db update` made
    #[arg(long, env = "BARGE_DB", value_name = "PATH")]
    db: Option<Utf8PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    match &arguments.command {
        Command::Update(arguments) => update::run(arguments, context),
        Command::Build(arguments) => build(arguments, context),
        Command::Status(arguments) => status(arguments, context),
        Command::Compare(arguments) => compare_versions(arguments, context),
        Command::Show(arguments) => show(arguments, context),
    }
}

/// The index that `update` made, if it ever ran here: what scans use unless told otherwise.
pub(crate) fn updated_index(context: &Context) -> Result<Option<Utf8PathBuf>, Error> {
    let index = folder(context)?.join(INDEX);
    Ok(index.exists().then_some(index))
}

const INDEX: &str = "advisories.index";

fn folder(context: &Context) -> Result<Utf8PathBuf, Error> {
    Ok(context.surroundings()?.workspace().root().join("db"))
}

fn open(context: &Context, path: Option<&Utf8PathBuf>) -> Result<Database, Error> {
    let path = match path.cloned().or(context.settings()?.db.path) {
        Some(path) => context.folder.join(path),
        None => updated_index(context)?.ok_or(barge_pipeline::Error::NoAdvisoryData)?,
    };
    Ok(barge_vuln::open(path.as_std_path())?)
}

/// Compiles a folder and tells what came of it.
fn compile(context: &Context, from: &Utf8PathBuf, output: &Utf8PathBuf) -> Result<Exit, Error> {
    let builder = barge_vuln::compile(from.as_std_path())?;
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
    compile(context, &from, &context.folder.join(&arguments.output))
}

fn status(arguments: &StatusArguments, context: &Context) -> Result<Exit, Error> {
    let database = open(context, arguments.db.as_ref())?;
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
    digest: String,
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
            digest: database.digest().to_owned(),
            bytes: database.size(),
            age_days: meta.age_days(context.now),
            meta,
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let meta = &self.meta;
        let age = self
            .age_days
            .map_or_else(|| "n/a".to_owned(), |days| format!("{days} days"));
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

#[derive(Serialize)]
struct Comparison {
    schema: &'static str,
    scheme: String,
    left: String,
    right: String,
    order: i8,
}

fn compare_versions(arguments: &CompareArguments, context: &Context) -> Result<Exit, Error> {
    if arguments.stdin {
        context
            .printer
            .human(|out| compare_lines(io::stdin().lock(), out))?;
        return Ok(Exit::Done);
    }
    let (Some(scheme), Some(left), Some(right)) =
        (arguments.scheme, &arguments.left, &arguments.right)
    else {
        return Err(Error::Usage(
            "a comparison needs a scheme and two versions".into(),
        ));
    };
    let comparison = Comparison {
        schema: "barge/db-compare/v1",
        scheme: scheme.to_string(),
        left: left.clone(),
        right: right.clone(),
        order: compare(scheme, left, right).map_err(barge_vuln::Error::from)? as i8,
    };
    context
        .printer
        .result(&comparison, |out| writeln!(out, "{}", comparison.order))?;
    Ok(Exit::Done)
}

/// Answers each line, whatever is wrong with others.
fn compare_lines(mut lines: impl io::BufRead, out: &mut dyn Write) -> io::Result<()> {
    let mut line = Vec::new();
    let mut out = io::BufWriter::new(out);
    loop {
        line.clear();
        if lines.by_ref().read_until(b'\n', &mut line)? == 0 {
            return out.flush();
        }
        let text = String::from_utf8_lossy(&line);
        match compare_line(text.trim_end_matches(['\n', '\r'])) {
            Ok(order) => writeln!(out, "{order}")?,
            Err(reason) => writeln!(out, "error: {reason}")?,
        }
    }
}

fn compare_line(line: &str) -> Result<i8, String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [scheme, left, right] = fields[..] else {
        return Err("a line is scheme, version, version with tabs between".to_owned());
    };
    let scheme: Scheme = scheme.parse().map_err(|error| format!("{error}"))?;
    let read = |text| Version::parse(scheme, text).map_err(|error| error.to_string());
    let order = read(left)?.compare(&read(right)?);
    Ok(order.map_or(0, |order| order as i8))
}

#[derive(Serialize)]
struct Shown {
    schema: &'static str,
    ids: Vec<String>,
    records: Vec<ShownRecord>,
}

#[derive(Serialize)]
struct ShownRecord {
    id: String,
    summary: String,
    withdrawn: bool,
    aliases: Vec<String>,
    upstream: Vec<String>,
    related: Vec<String>,
    ratings: Vec<String>,
    details: String,
    references: Vec<String>,
}

fn show(arguments: &ShowArguments, context: &Context) -> Result<Exit, Error> {
    let database = open(context, arguments.db.as_ref())?;
    let Some(group) = database.find(&arguments.id)? else {
        return Err(Error::Usage(format!(
            "no record has the id `{}`",
            arguments.id
        )));
    };
    let (ids, numbers) = database.group(group)?;
    let mut shown = Shown {
        schema: "barge/db-show/v1",
        ids: ids.into_iter().map(str::to_owned).collect(),
        records: Vec::new(),
    };
    for number in numbers {
        let record = database.record(number)?;
        let text = database.texts(std::slice::from_ref(&record))?.pop();
        let RecordText {
            details,
            references,
        } = text.unwrap_or_default();
        let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        shown.records.push(ShownRecord {
            id: record.id.to_owned(),
            summary: record.summary.to_owned(),
            withdrawn: record.withdrawn,
            aliases: owned(&record.aliases),
            upstream: owned(&record.upstream),
            related: owned(&record.related),
            ratings: record
                .ratings
                .iter()
                .map(|rating| rating.score.to_string())
                .collect(),
            details,
            references,
        });
    }
    context.printer.result(&shown, |out| shown.write(out))?;
    Ok(Exit::Done)
}

impl Shown {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "ids {}", self.ids.join(", "))?;
        for record in &self.records {
            let withdrawn = if record.withdrawn { " (withdrawn)" } else { "" };
            writeln!(out, "\n{}{withdrawn}: {}", record.id, record.summary)?;
            for (name, list) in [
                ("aliases", &record.aliases),
                ("upstream", &record.upstream),
                ("related", &record.related),
                ("severity", &record.ratings),
                ("links", &record.references),
            ] {
                if !list.is_empty() {
                    writeln!(out, "{name:<9}{}", list.join(" "))?;
                }
            }
            if !record.details.is_empty() {
                let text: String = record
                    .details
                    .lines()
                    .map(|line| barge_report::one_line(line) + "\n")
                    .collect();
                write!(out, "\n{text}")?;
            }
        }
        Ok(())
    }
}
