//! `barge store`: what the store holds, and looking after it.

mod fsck;
mod gc;
mod ls;
mod rm;
mod show;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Look after the store: what it holds, for how long, and whether it is whole
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  barge store ls\n  barge store show charon-pr-7 --run 123456\n  barge store rm --pull-request 7\n  barge store gc --dry-run\n  barge store fsck --store dir:/mnt/artifacts"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// List the artifacts, with their runs and names
    Ls(ls::Arguments),
    /// Show an artifact: its record and its layers
    Show(show::Arguments),
    /// Remove artifacts; `barge store gc` frees their bytes
    Rm(rm::Arguments),
    /// Remove expired artifacts, and bytes that no artifact needs
    Gc(gc::Arguments),
    /// Look for damage, and name it; exit code 4 when there is any
    Fsck(fsck::Arguments),
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    match &arguments.command {
        StoreCommand::Ls(arguments) => ls::run(arguments, context),
        StoreCommand::Show(arguments) => show::run(arguments, context),
        StoreCommand::Rm(arguments) => rm::run(arguments, context),
        StoreCommand::Gc(arguments) => gc::run(arguments, context),
        StoreCommand::Fsck(arguments) => fsck::run(arguments, context),
    }
}
