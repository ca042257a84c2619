//! Progress on stderr: bars for people who watch, JSON events for programs, nothing but steps and warnings for logs.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use barge_image::archive::Passing;
use barge_pipeline::{Notice, Observer};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::LogFormat;
use crate::printer::{Printer, bytes};

/// Programs hear of a transfer once a second, and at the end of each layer.
const PACE: Duration = Duration::from_secs(1);
const LINE: &str = "{msg:14} {wide_bar} {bytes:>10} of {total_bytes:10} {bytes_per_sec:>12}";
const OPEN_LINE: &str = "{msg:14} {spinner} {bytes} {bytes_per_sec}";
const MAY_NOT_READ: &str = "the daemon exports the image; where barge may read the daemon's folder, as root or after \
     `sudo setcap cap_dac_read_search+ep \"$(command -v barge)\"`, a save takes much less time";

/// Shows notices. Bars vanish by themselves when stderr is no terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    printer: Printer,
    bars: MultiProgress,
    transfer: Mutex<Option<Transfer>>,
}

/// An image on its way.
#[derive(Debug)]
struct Transfer {
    layers: usize,
    total: Option<u64>,
    passed: u64,
    layer: Option<Layer>,
    bar: ProgressBar,
    told: Instant,
}

/// The layer that passes at present.
#[derive(Debug)]
struct Layer {
    number: usize,
    size: u64,
    passed: u64,
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new(printer: Printer) -> Self {
        let bars = MultiProgress::new();
        if printer.log() == LogFormat::Json || printer.is_quiet() {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self {
            printer,
            bars,
            transfer: Mutex::new(None),
        }
    }

    fn begin(&self, layers: usize, total: Option<u64>) {
        let Ok(mut transfer) = self.transfer.lock() else {
            return;
        };
        if let Some(before) = transfer.take() {
            before.end();
        }
        if layers > 0 {
            *transfer = Some(Transfer::new(&self.bars, layers, total));
        }
    }

    fn pass(&self, passing: Passing) {
        // The read that finds the end of a layer passes nothing.
        if passing == Passing::Bytes(0) {
            return;
        }
        let Ok(mut transfer) = self.transfer.lock() else {
            return;
        };
        let transfer = transfer.get_or_insert_with(|| Transfer::new(&self.bars, 0, None));
        match passing {
            Passing::Layer { size } => {
                let number = transfer.layer.as_ref().map_or(1, |layer| layer.number + 1);
                if let Some(layer) = transfer.layer.take() {
                    layer.bar.finish_and_clear();
                }
                let name = format!("layer {number} of {}", transfer.layers.max(number));
                let bar = self
                    .bars
                    .insert_before(&transfer.bar, bar(&name, Some(size)));
                transfer.layer = Some(Layer {
                    number,
                    size,
                    passed: 0,
                    bar,
                });
            }
            Passing::Bytes(count) => {
                transfer.count(count);
                let layer = transfer.layer.as_ref();
                let complete = layer.is_some_and(|layer| layer.passed == layer.size);
                if let Some(layer) = layer
                    && (complete || transfer.told.elapsed() >= PACE)
                {
                    self.tell(transfer, layer);
                    transfer.told = Instant::now();
                }
            }
        }
    }

    /// Tells programs how far a transfer is.
    fn tell(&self, transfer: &Transfer, layer: &Layer) {
        if self.printer.log() == LogFormat::Json && !self.printer.is_quiet() {
            tracing::info!(
                layer = layer.number,
                layers = transfer.layers,
                layer_bytes = layer.passed,
                layer_size = layer.size,
                bytes = transfer.passed,
                size = transfer.total,
                "transfer: {} passed",
                bytes(transfer.passed)
            );
        }
    }

    fn above_bars(&self, show: impl FnOnce()) {
        self.bars.suspend(show);
    }
}

impl Transfer {
    fn new(bars: &MultiProgress, layers: usize, total: Option<u64>) -> Self {
        Self {
            layers,
            total,
            passed: 0,
            layer: None,
            bar: bars.add(bar("in total", total)),
            told: Instant::now(),
        }
    }

    fn count(&mut self, count: u64) {
        self.passed += count;
        self.bar.inc(count);
        // An engine's own estimate may fall short.
        if self.bar.length().is_some_and(|length| length < self.passed) {
            self.bar.set_length(self.passed);
        }
        if let Some(layer) = &mut self.layer {
            layer.passed += count;
            layer.bar.inc(count);
        }
    }

    fn end(self) {
        if let Some(layer) = self.layer {
            layer.bar.finish_and_clear();
        }
        self.bar.finish_and_clear();
    }
}

fn bar(name: &str, length: Option<u64>) -> ProgressBar {
    let (bar, template) = match length {
        Some(length) => (ProgressBar::new(length), LINE),
        None => (ProgressBar::new_spinner(), OPEN_LINE),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.with_message(name.to_owned())
}

impl Observer for Progress {
    fn notice(&self, notice: &Notice) {
        let printer = &self.printer;
        match notice {
            Notice::Transfer { layers, bytes } => self.begin(*layers, *bytes),
            Notice::Passing(passing) => self.pass(*passing),
            Notice::BuildStep(step) => self.above_bars(|| printer.status(step)),
            Notice::BuildOutput(line) => self.above_bars(|| printer.status(&format!("  {line}"))),
            Notice::Warning(text) => self.above_bars(|| printer.warning(text)),
            Notice::MayNotRead => self.above_bars(|| printer.status(MAY_NOT_READ)),
            Notice::Moves { reference, from } => {
                let text = format!("`{reference}` moves here from image {}", from.short());
                self.above_bars(|| printer.warning(&text));
            }
            _ => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(transfer) = self.transfer.get_mut().ok().and_then(Option::take) {
            transfer.end();
        }
    }
}
