//! `barge scan`: an image, a bill of materials or package URLs against advisory data.

mod output;

use std::fs;
use std::mem::ManuallyDrop;
use std::thread;

use barge_image::Digest;
use barge_report::Tool;
use barge_sbom::Distro;
use barge_vuln::output::{ScanJson, age, baseline, count_line, gaps, table};
use barge_vuln::{Options, Policy, Scan, Status, Threshold, UnreadLimit};
use camino::Utf8PathBuf;
use clap::Args;

use self::output::{Evidence, Kind, Output};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Match packages against advisories and judge what is found by the policy
#[derive(Debug, Args)]
#[command(
    after_help = format!("{}\n\nExamples:\n  barge scan --db advisories.index image.tar\n  barge scan --db advisories sbom:bom.json -o sarif=scan.sarif -o html=scan.html\n  barge scan 'purl:pkg:deb/debian/openssl@3.0.17-1?distro=debian-12'", super::INPUTS)
)]
pub(crate) struct Arguments {
    /// An image or a bill; several package URLs make one bill
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    #[command(flatten)]
    store: super::StoreArguments,
    #[command(flatten)]
    scan: super::ScanArguments,
    #[command(flatten)]
    policy: PolicyArguments,
    /// Use exactly the advisory index with this digest, every byte of it
    #[arg(long, value_name = "DIGEST")]
    db_digest: Option<Digest>,
    /// VEX statements, OpenVEX or CycloneDX; may be repeated
    #[arg(long, value_name = "FILE")]
    vex: Vec<Utf8PathBuf>,
    /// A scan in JSON to compare with
    #[arg(long, value_name = "FILE")]
    baseline: Option<Utf8PathBuf>,
    /// The distribution release to go by, such as debian-12, instead of the one in the bill
    #[arg(long, value_name = "RELEASE", value_parser = barge_vuln::distro)]
    distro: Option<Distro>,
    #[arg(
        short,
        long = "output",
        value_name = "FORMAT[=FILE]",
        help = format!("Also write a report, and the file to write it to: {}", super::formats::<Kind>())
    )]
    outputs: Vec<Output>,
    /// The Dockerfile that made the image, from the root of the repository: code scanning shows findings at the
    /// instruction that brought them; by default the settings' Dockerfile
    #[arg(long = "dockerfile", alias = "sarif-path", value_name = "PATH")]
    dockerfile: Option<Utf8PathBuf>,
}

/// The policy, over the settings.
#[derive(Debug, Args)]
#[command(next_help_heading = "Policy")]
struct PolicyArguments {
    /// The least severity that fails, or never
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Threshold>,
    /// The least severity that warns, or never
    #[arg(long, value_name = "SEVERITY")]
    warn_on: Option<Threshold>,
    /// Let flaws of unknown severity fail, too
    #[arg(long)]
    fail_on_unknown: bool,
    /// Refuse to pass when an ecosystem of the image has no advisory data
    #[arg(long)]
    fail_on_missing_data: bool,
    /// Which evidence that cannot be read fails the scan as incomplete: any, database (a package manager's list, a layer), never
    #[arg(long, value_name = "WHICH")]
    fail_on_unread: Option<UnreadLimit>,
    /// Count only flaws that have a fix
    #[arg(long)]
    only_fixed: bool,
    /// Count only flaws that the baseline does not have
    #[arg(long, requires = "baseline")]
    only_new: bool,
    /// The greatest age of the advisory data
    #[arg(long, value_name = "DAYS")]
    max_age: Option<u32>,
}

impl PolicyArguments {
    fn apply(&self, policy: Policy) -> Policy {
        Policy {
            fail_on: self.fail_on.unwrap_or(policy.fail_on),
            warn_on: self.warn_on.unwrap_or(policy.warn_on),
            fail_on_unknown: self.fail_on_unknown || policy.fail_on_unknown,
            fail_on_missing_data: self.fail_on_missing_data || policy.fail_on_missing_data,
            fail_on_unread: self.fail_on_unread.unwrap_or(policy.fail_on_unread),
            only_fixed: self.only_fixed || policy.only_fixed,
            only_new: self.only_new || policy.only_new,
            max_age: self.max_age.or(policy.max_age),
            ..policy
        }
    }
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    let given = arguments.scan.options(context)?;
    // What is cheap to refuse comes before an image is read, or pulled.
    let path = given
        .database
        .ok_or(barge_pipeline::Error::NoAdvisoryData)?;
    let database = barge_vuln::open(path.as_std_path())?;
    if let Some(digest) = arguments.db_digest {
        database.verify_pin(digest)?;
    }
    let options = Options {
        policy: arguments.policy.apply(given.policy),
        statements: statements(arguments, context)?,
        baseline: arguments
            .baseline
            .as_ref()
            .map(|file| Ok::<_, Error>(baseline(&read(context, file)?)?))
            .transpose()?,
        distro: arguments.distro.clone(),
        now: context.now,
        created: context.source_date.unwrap_or(context.now),
    };
    options.check(&database)?;
    let sbom = super::bill_of(context, &arguments.store, &arguments.inputs, given.path)?;
    // Nothing of this outlives the command by much: giving the memory back piece by piece would be for nothing.
    let sbom = ManuallyDrop::new(sbom);
    let scan = ManuallyDrop::new(barge_vuln::scan(&database, &sbom, &options)?);
    let evidence = Evidence {
        database: &database,
        sbom: &sbom,
        scan: &scan,
        dockerfile: arguments.dockerfile.as_deref(),
    };
    write(&arguments.outputs, context, &evidence)?;
    warn(context, &scan);
    Ok(match scan.verdict.status {
        Status::Failed => Exit::Policy,
        Status::Passed | Status::Warned => Exit::Done,
    })
}

/// Writes the reports: those in files at the same time, those on stdout in the order in which they are wanted. Without one
/// of these, the scan is shown.
fn write(outputs: &[Output], context: &Context, evidence: &Evidence<'_>) -> Result<(), Error> {
    let (shown, files): (Vec<&Output>, Vec<&Output>) =
        outputs.iter().partition(|wanted| wanted.is_shown());
    thread::scope(|scope| {
        let files: Vec<_> = files
            .into_iter()
            .map(|wanted| scope.spawn(move || wanted.write(context, evidence)))
            .collect();
        let told = match shown.as_slice() {
            [] => show(context, evidence.scan),
            shown => shown
                .iter()
                .try_for_each(|wanted| wanted.write(context, evidence)),
        };
        // The first of several errors in the order of the arguments, whichever came first.
        let mut written = files.into_iter().map(|file| {
            let done = file.join();
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        written.find(Result::is_err).unwrap_or(told)
    })
}

fn statements(
    arguments: &Arguments,
    context: &Context,
) -> Result<Vec<barge_vuln::vex::Statement>, Error> {
    let mut statements = Vec::new();
    for file in &arguments.vex {
        statements.extend(barge_vuln::vex::parse(
            file.as_str(),
            &read(context, file)?,
        )?);
    }
    Ok(statements)
}

fn read(context: &Context, file: &Utf8PathBuf) -> Result<Vec<u8>, Error> {
    let path = context.folder.join(file);
    fs::read(&path).map_err(|source| Error::File {
        action: "read",
        path,
        source,
    })
}

pub(crate) fn tool() -> Tool {
    Tool {
        name: "barge".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        url: env!("CARGO_PKG_REPOSITORY").into(),
    }
}

/// Shows the scan on stdout, in the format that every command has.
fn show(context: &Context, scan: &Scan<'_>) -> Result<(), Error> {
    let table = table(scan, context.printer.is_wide());
    if context.printer.is_human() && !table.is_empty() {
        context.printer.rendered(|out| {
            table.write(out, context.printer.width(), context.printer.colors())?;
            writeln!(out)
        })?;
    }
    context.printer.result(&ScanJson::from(scan), |out| {
        let data = &scan.data;
        let age = age(data.age_days);
        writeln!(out, "found    {}", count_line(&scan.verdict))?;
        if scan.verdict.suppressed > 0 {
            writeln!(out, "ignored  {}", scan.verdict.suppressed)?;
        }
        writeln!(out, "packages {}", scan.findings.packages)?;
        writeln!(out, "data     {}, newest record {age}", data.digest)?;
        super::run::write_verdict(out, &scan.verdict)
    })?;
    Ok(())
}

/// Tells what makes the result less than it could be.
fn warn(context: &Context, scan: &Scan<'_>) {
    for gap in gaps(scan) {
        context.printer.warning(&gap);
    }
    for rule in &scan.verdict.expired_rules {
        context
            .printer
            .warning(&format!("the ignore rule for {rule} has expired"));
    }
    for rule in &scan.verdict.unused_rules {
        context
            .printer
            .warning(&format!("the ignore rule for {rule} fits nothing"));
    }
}
