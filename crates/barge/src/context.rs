//! What every command is handed.

use std::fs;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use barge_ci::Environment;
use barge_pipeline::{Surroundings, temporary};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::cli::{ColorChoice, OutputArgs};
use crate::env;
use crate::error::{Error, Failure};
use crate::printer::Printer;
use crate::progress::Progress;
use crate::settings::Settings;

/// How long work on other threads has to end when the user interrupts.
const PARTING: Duration = Duration::from_millis(500);

/// The process's surroundings, read once.
#[derive(Debug)]
pub(crate) struct Context {
    /// The environment.
    pub(crate) environment: Environment,
    /// The time of the run.
    pub(crate) now: Timestamp,
    /// `SOURCE_DATE_EPOCH`, if set: what reproducible outputs carry instead of `now`.
    pub(crate) source_date: Option<Timestamp>,
    /// What people see before paths in the working directory: the folder that they named.
    pub(crate) named_folder: Utf8PathBuf,
    /// The working directory.
    pub(crate) folder: Utf8PathBuf,
    /// Where output goes.
    pub(crate) printer: Printer,
    settings_file: Option<Utf8PathBuf>,
    /// Read when first asked for: some commands work beside a file that cannot be read.
    settings: OnceLock<Settings>,
}

impl Context {
    pub(crate) fn new(output: &OutputArgs) -> Result<Self, Failure> {
        let environment = env::environment();
        let by_variable = env::color(&environment);
        let color = output
            .color
            .or(by_variable.as_ref().ok().copied().flatten());
        let printer = Printer::new(output, color.unwrap_or(ColorChoice::Auto));
        let in_actions = in_actions(&environment);
        let context = by_variable.and_then(|_| Self::read(output, environment, printer.clone()));
        context.map_err(|error| Failure::new(error, printer, in_actions))
    }

    fn read(
        output: &OutputArgs,
        environment: Environment,
        printer: Printer,
    ) -> Result<Self, Error> {
        if let Some(folder) = &output.directory {
            // Every path that is typed is meant from there, as with `git -C` and `make -C`.
            std::env::set_current_dir(folder).map_err(|source| Error::File {
                action: "work in",
                path: folder.clone(),
                source,
            })?;
        }
        let folder = std::env::current_dir().map_err(Error::WorkingDirectory)?;
        Ok(Self {
            named_folder: output.directory.clone().unwrap_or_default(),
            now: env::now(&environment)?,
            source_date: env::source_date(&environment)?,
            folder: Utf8PathBuf::from_path_buf(folder).map_err(Error::FolderName)?,
            settings_file: output
                .settings
                .clone()
                .or_else(|| env::settings(&environment)),
            settings: OnceLock::new(),
            environment,
            printer,
        })
    }

    /// What `barge.toml` says, if there is one; read once, so that all of a command goes by the same.
    pub(crate) fn settings(&self) -> Result<&Settings, Error> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let settings = Settings::read(self.settings_file.as_deref(), &self.folder)?;
        Ok(self.settings.get_or_init(|| settings))
    }

    /// What the pipeline's steps are handed.
    pub(crate) fn surroundings(&self) -> Result<Surroundings, Error> {
        let settings = self.settings()?;
        Ok(Surroundings {
            environment: self.environment.clone(),
            now: self.now,
            source_date: self.source_date,
            folder: self.folder.clone(),
            planning: settings.planning(),
            build: settings.build.clone(),
            store: settings.store.clone(),
            observer: Arc::new(Progress::new(self.printer.clone())),
        })
    }

    /// Writes a file that somebody named. It may be a device: it is written where it is, and not put in place.
    pub(crate) fn write_file(&self, name: &Utf8Path, bytes: &[u8]) -> Result<(), Error> {
        let path = self.folder.join(name);
        fs::write(&path, bytes).map_err(|source| Error::File {
            action: "write",
            path,
            source,
        })
    }

    /// Whether GitHub Actions or a runner that speaks its commands is listening.
    pub(crate) fn in_actions(&self) -> bool {
        in_actions(&self.environment)
    }

    /// Runs async work until it is done or the user interrupts.
    pub(crate) fn block_on<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let runtime = tokio::runtime::Runtime::new().map_err(Error::Runtime)?;
        let result = runtime.block_on(async {
            tokio::select! {
                result = work => result,
                () = interrupted() => Err(Error::Interrupted),
            }
        });
        if let Err(Error::Interrupted) = result {
            // Work on other threads ends when the connections that it waits for do, and cleans up after itself; what waits
            // for something else is left behind.
            runtime.shutdown_timeout(PARTING);
            temporary::sweep();
        } else {
            // Blocking threads may still wait for a daemon; nothing of theirs is wanted any more.
            runtime.shutdown_background();
        }
        result
    }
}

/// Returns when the user or the CI system wants the program to end.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}

fn in_actions(environment: &Environment) -> bool {
    environment.is_true("GITHUB_ACTIONS")
}
