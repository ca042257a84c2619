//! Output: results on stdout, everything else on stderr, colours only where a person looks.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::cli::{ColorChoice, Format, LogFormat, OutputArgs};
use crate::error::Error;

/// Terminals of so many columns are wide.
const WIDE: usize = 150;

/// What parts of human output mean; colours follow meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// A heading or a name that matters.
    Strong,
    /// Success.
    Good,
    /// A warning.
    Warning,
    /// A failure.
    Bad,
    /// What may be overlooked.
    Faint,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Strong => Style::new().bold(),
            Self::Good => AnsiColor::Green.on_default().bold(),
            Self::Warning => AnsiColor::Yellow.on_default().bold(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Faint => Style::new().dimmed(),
        }
    }

    /// The text in this tone; streams strip what they cannot show.
    pub(crate) fn paint(self, text: &str) -> String {
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}

/// Where output goes and how it looks.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    format: Format,
    color: anstream::ColorChoice,
    quiet: bool,
    verbose: bool,
    log: LogFormat,
}

impl Printer {
    pub(crate) fn new(output: &OutputArgs, color: ColorChoice) -> Self {
        let color = match color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        Self {
            format: output.format,
            color,
            quiet: output.quiet,
            verbose: output.verbose,
            log: output.log,
        }
    }

    /// What status and warnings look like.
    pub(crate) fn log(&self) -> LogFormat {
        self.log
    }

    /// Whether only results, warnings and errors are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether results are for people.
    pub(crate) fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    /// Whether stdout shows colours.
    pub(crate) fn colors(&self) -> bool {
        match self.color {
            anstream::ColorChoice::Auto => {
                AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
                    && io::stdout().is_terminal()
            }
            choice => choice != anstream::ColorChoice::Never,
        }
    }

    /// Whether tables have room for what is wanted less: on wide terminals, and for who asks to be told more.
    pub(crate) fn is_wide(&self) -> bool {
        self.verbose || self.width().is_some_and(|width| width >= WIDE)
    }

    /// The width of the terminal behind stdout, in columns; none when there is none.
    pub(crate) fn width(&self) -> Option<usize> {
        let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
        Some(usize::from(width.0))
    }

    /// Tells the CI system's runner something, on stderr, which it reads as well as stdout.
    pub(crate) fn command(&self, command: &str) {
        // Nobody is left to tell when stderr fails.
        drop(writeln!(io::stderr().lock(), "{command}"));
    }

    /// Writes a command's result: JSON as it is, or by the given hand for people.
    pub(crate) fn result(
        &self,
        value: &impl Serialize,
        human: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        match self.format {
            Format::Json => self.json(value),
            Format::Human => self.human(human),
        }
    }

    /// Writes for people.
    pub(crate) fn human(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        let mut out = BufWriter::new(AutoStream::new(io::stdout(), self.color).lock());
        written(write(&mut out).and_then(|()| out.flush()))
    }

    /// Writes what was made for [`Printer::colors`] already, as it is: in a long table the search for codes to strip takes
    /// longer than all else.
    pub(crate) fn rendered(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        let mut out = io::stdout().lock();
        written(write(&mut out).and_then(|()| out.flush()))
    }

    /// Writes a value as JSON.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Error> {
        written(barge_report::json::write(io::stdout().lock(), value))
    }

    /// Tells what is going on, for people who watch.
    pub(crate) fn status(&self, text: &str) {
        match self.log {
            _ if self.quiet => {}
            LogFormat::Json => tracing::info!("{text}"),
            LogFormat::Text => self.tell(&Tone::Faint.paint(text)),
        }
    }

    /// Tells something that is wrong and does not stop the work.
    pub(crate) fn warning(&self, text: &str) {
        match self.log {
            LogFormat::Json => tracing::warn!("{text}"),
            LogFormat::Text => self.tell(&format!("{} {text}", Tone::Warning.paint("warning:"))),
        }
    }

    fn tell(&self, text: &str) {
        // Nobody is left to tell when stderr fails.
        drop(writeln!(self.stderr(), "{text}"));
    }

    /// Where all but results goes.
    pub(crate) fn stderr(&self) -> AutoStream<io::StderrLock<'static>> {
        AutoStream::new(io::stderr(), self.color).lock()
    }
}

/// A reader that has gone away, such as `head`, has seen what it wanted.
fn written(result: io::Result<()>) -> Result<(), Error> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(()),
    }
}

/// A length in bytes, for people: `1.5 MB`, in powers of ten as docker does.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = 0;
    // What one digit behind the point would round up to a thousand is one of the next unit.
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{count} B")
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_short() {
        let shown = [0, 999, 1_000, 999_949, 999_950, 999_999_999, u64::MAX].map(bytes);
        let expected = [
            "0 B",
            "999 B",
            "1.0 kB",
            "999.9 kB",
            "1.0 MB",
            "1.0 GB",
            "18446744.1 TB",
        ];
        assert_eq!(shown, expected);
    }
}
