//! Details for `-v` and machines: the library crates trace what they ask of engines and stores.

use std::io::{self, Write};

use serde::Serialize;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};

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

/// The event with which a command ends that fails.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorEvent {
    /// What failed.
    pub(crate) message: String,
    /// Why, outermost first.
    pub(crate) causes: Vec<String>,
    /// What to do next.
    pub(crate) hint: Option<String>,
    /// The exit code that follows.
    pub(crate) exit_code: u8,
}

/// Writes the event in the shape of all others. Traces have no lists, so it does not go through them.
pub(crate) fn last_event(out: &mut dyn Write, event: &ErrorEvent) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        timestamp: String,
        level: &'static str,
        #[serde(flatten)]
        event: &'a ErrorEvent,
    }
    let mut timestamp = String::new();
    // A time that cannot be told is left out.
    SystemTime
        .format_time(&mut Writer::new(&mut timestamp))
        .unwrap_or_default();
    let level = "ERROR";
    serde_json::to_writer(
        &mut *out,
        &Line {
            timestamp,
            level,
            event,
        },
    )?;
    writeln!(out)
}
