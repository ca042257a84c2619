//! The arguments of every command. Commands themselves live in [`crate::commands`], one file each.

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Carries a container image from the job that builds it to the jobs that must trust it, by its exact name and bytes, and
/// says whether it is safe to merge.
#[derive(Debug, Parser)]
#[command(
    name = "barge",
    version,
    max_term_width = 110,
    propagate_version = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How every command talks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// What results look like on stdout
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// When to use colours; by default BARGE_COLOR, else on terminals
    #[arg(long, global = true, value_enum)]
    pub(crate) color: Option<ColorChoice>,
    /// Tell nothing but results, warnings and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Tell more: every request to an engine, where vulnerable packages lie
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// What status, warnings and details look like on stderr
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log: LogFormat,
    /// Work in this folder instead of the current one
    #[arg(short = 'C', long, global = true, value_name = "FOLDER")]
    pub(crate) directory: Option<Utf8PathBuf>,
    /// The settings file; by default BARGE_SETTINGS, else barge.toml in the working directory
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) settings: Option<Utf8PathBuf>,
}

/// The shape of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    Human,
    /// Versioned JSON for programs
    Json,
}

/// The shape of everything but results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On terminals
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// The commands, in the order of the way of the data.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of it")]
pub(crate) enum Command {
    Run(commands::run::Arguments),
    Plan(commands::plan::Arguments),
    Meta(commands::meta::Arguments),
    Build(commands::build::Arguments),
    Save(commands::save::Arguments),
    Load(commands::load::Arguments),
    Sbom(commands::sbom::Arguments),
    Scan(commands::scan::Arguments),
    Verify(commands::verify::Arguments),
    Gate(commands::gate::Arguments),
    Push(commands::push::Arguments),
    Check(commands::check::Arguments),
    Db(commands::db::Arguments),
    Store(commands::store::Arguments),
    Init(commands::init::Arguments),
    Completions(commands::completions::Arguments),
}

impl Command {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Error> {
        match self {
            Self::Run(arguments) => commands::run::run(arguments, context),
            Self::Plan(arguments) => commands::plan::run(arguments, context),
            Self::Meta(arguments) => commands::meta::run(arguments, context),
            Self::Build(arguments) => commands::build::run(arguments, context),
            Self::Save(arguments) => commands::save::run(arguments, context),
            Self::Load(arguments) => commands::load::run(arguments, context),
            Self::Sbom(arguments) => commands::sbom::run(arguments, context),
            Self::Scan(arguments) => commands::scan::run(arguments, context),
            Self::Db(arguments) => commands::db::run(arguments, context),
            Self::Verify(arguments) => commands::verify::run(arguments, context),
            Self::Gate(arguments) => commands::gate::run(arguments, context),
            Self::Push(arguments) => commands::push::run(arguments, context),
            Self::Check(arguments) => commands::check::run(arguments, context),
            Self::Store(arguments) => commands::store::run(arguments, context),
            Self::Init(arguments) => commands::init::run(arguments, context),
            Self::Completions(arguments) => commands::completions::run(arguments, context),
        }
    }
}
