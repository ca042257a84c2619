//! Progress on stderr: bars for people who watch, nothing but steps and warnings for logs.

use std::sync::Mutex;
use std::time::Duration;

use barge_pipeline::{Notice, Observer};
use indicatif::{ProgressBar, ProgressStyle};

use crate::printer::Printer;

/// Shows notices. The bar vanishes by itself when stderr is no terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    printer: Printer,
    bar: Mutex<Option<ProgressBar>>,
}

impl Progress {
    pub(crate) fn new(printer: Printer) -> Self {
        Self {
            printer,
            bar: Mutex::new(None),
        }
    }

    fn pass(&self, bytes: u64) {
        let Ok(mut bar) = self.bar.lock() else { return };
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {bytes} ({bytes_per_sec})") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        bar.inc(bytes);
    }

    fn above_bar(&self, show: impl FnOnce()) {
        match self.bar.lock().ok().as_deref() {
            Some(Some(bar)) => bar.suspend(show),
            _ => show(),
        }
    }
}

impl Observer for Progress {
    fn notice(&self, notice: &Notice) {
        let printer = &self.printer;
        match notice {
            Notice::Bytes(bytes) => self.pass(*bytes),
            Notice::BuildStep(step) => self.above_bar(|| printer.status(step)),
            Notice::BuildOutput(line) => self.above_bar(|| printer.status(&format!("  {line}"))),
            Notice::Warning(text) => self.above_bar(|| printer.warning(text)),
            Notice::Moves { reference, from } => {
                let text = format!("`{reference}` moves here from image {}", from.short());
                self.above_bar(|| printer.warning(&text));
            }
            _ => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Ok(Some(bar)) = self.bar.get_mut() {
            bar.finish_and_clear();
        }
    }
}
