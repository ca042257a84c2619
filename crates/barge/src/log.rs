//! Details for `-v` and machines: the library crates trace what they ask of engines and stores.

use std::io;

use tracing::level_filters::LevelFilter;

use crate::cli::{LogFormat, OutputArgs};

/// Sends traces to stderr, in the shape that was asked for.
pub(crate) fn start(output: &OutputArgs) {
    let level = match (output.log, output.verbose) {
        (_, true) => LevelFilter::DEBUG,
        // In text, status and warnings are written by the printer.
        (LogFormat::Text, false) => LevelFilter::OFF,
        (LogFormat::Json, false) => LevelFilter::INFO,
    };
    let lines = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(level)
        .with_target(false);
    match output.log {
        LogFormat::Json => lines.json().flatten_event(true).init(),
        LogFormat::Text => lines.without_time().with_ansi(false).init(),
    }
}
