//! `barge completions`: shell completions.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Write completions for a shell to stdout
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  barge completions bash > /etc/bash_completion.d/barge")]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Error> {
    context.printer.human(|out| {
        let mut script = Vec::new();
        clap_complete::generate(arguments.shell, &mut Cli::command(), "barge", &mut script);
        out.write_all(&script)
    })?;
    Ok(Exit::Done)
}
