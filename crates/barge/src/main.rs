//! The command line of barge: arguments, settings, one file per command, output, exit codes; nothing else.

mod cli;
mod commands;
mod context;
mod env;
mod error;
mod exit;
mod log;
mod printer;
mod progress;
mod settings;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    log::start(&cli.output);
    let result = context::Context::new(&cli.output).and_then(|context| {
        let outcome = cli.command.run(&context);
        outcome.map_err(|error| error.shown_by(&context))
    });
    match result {
        Ok(exit) => exit.into(),
        Err(error) => error.report(),
    }
}
