//! Every way in which a command fails, with its exit code, and how it is shown.

use std::error::Error as _;
use std::io::{self, Write as _};
use std::iter;
use std::path::PathBuf;
use std::process::ExitCode;

use barge_forge::{Annotation, Level};
use camino::Utf8PathBuf;
use serde::Serialize;

use crate::cli::LogFormat;
use crate::context::Context;
use crate::exit::Exit;
use crate::log::{self, ErrorEvent};
use crate::printer::{Printer, Tone};

/// The error of every command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot find the working directory")]
    WorkingDirectory(#[source] io::Error),
    #[error("the working directory `{}` is not UTF-8", .0.display())]
    FolderName(PathBuf),
    #[error("cannot start")]
    Runtime(#[source] io::Error),
    #[error("cannot write the output")]
    Output(#[source] io::Error),
    #[error("interrupted")]
    Interrupted,
    #[error("the environment variable `{name}` holds `{value}`, which is not {expected}")]
    Variable {
        name: &'static str,
        value: String,
        expected: &'static str,
    },
    #[error("cannot {action} `{path}`")]
    File {
        action: &'static str,
        path: Utf8PathBuf,
        source: io::Error,
    },
    #[error("cannot write the report `{path}`")]
    Report {
        path: Utf8PathBuf,
        source: io::Error,
    },
    #[error("`{path}` is not a valid settings file")]
    Settings {
        path: Utf8PathBuf,
        source: Box<toml::de::Error>,
    },
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Reference(#[from] barge_image::reference::ParseReferenceError),
    #[error(transparent)]
    Results(#[from] barge_ci::gate::ResultsError),
    #[error(transparent)]
    Store(#[from] barge_store::Error),
    #[error(transparent)]
    Forge(#[from] barge_forge::Error),
    #[error(transparent)]
    Fetch(#[from] barge_store::http::FetchError),
    #[error(transparent)]
    Sbom(#[from] barge_sbom::Error),
    #[error(transparent)]
    Advisories(#[from] barge_vuln::Error),
    #[error(transparent)]
    Pipeline(#[from] barge_pipeline::Error),
}

impl Error {
    /// The exit code that this error ends a command with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Interrupted => Exit::Interrupted,
            Self::Variable { .. }
            | Self::Settings { .. }
            | Self::Usage(_)
            | Self::Reference(_)
            | Self::Results(_) => Exit::Usage,
            Self::Store(error) => store_exit(error),
            Self::Sbom(error) => sbom_exit(error),
            Self::Advisories(error) => advisories_exit(error),
            Self::Pipeline(error) => pipeline_exit(error),
            _ => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Report { .. } => Some(
                "the scan itself was finished, and what it shows holds; this report is missing or cut short".into(),
            ),
            Self::Settings { .. } => Some("`barge init` writes a commented example".into()),
            Self::Reference(error) => error.hint(),
            Self::Results(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Sbom(error) => error.hint(),
            Self::Advisories(error) => error.hint(),
            Self::Fetch(_) => Some(
                "`barge db update --from` takes a mirror or a folder; a scan needs no network"
                    .into(),
            ),
            Self::Pipeline(error) => error.hint(),
            _ => None,
        }
    }

    /// Notes who will read the error.
    pub(crate) fn shown_by(self, context: &Context) -> Failure {
        Failure::new(self, context.printer.clone(), context.in_actions())
    }

    fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut source = self.source();
        while let Some(error) = source {
            let text = error.to_string();
            // Transparent wrappers say the same as what they wrap.
            if causes.last() != Some(&text) {
                causes.push(text);
            }
            source = error.source();
        }
        causes
    }
}

fn store_exit(error: &barge_store::Error) -> Exit {
    match error {
        barge_store::Error::Address(_) | barge_store::Error::Repository { .. } => Exit::Usage,
        _ => Exit::Store,
    }
}

fn sbom_exit(error: &barge_sbom::Error) -> Exit {
    match error {
        barge_sbom::Error::NoSuchPath { .. } | barge_sbom::Error::PackageUrl(_) => Exit::Usage,
        _ => Exit::Failed,
    }
}

fn advisories_exit(error: &barge_vuln::Error) -> Exit {
    use barge_vuln::Error as Vuln;
    match error {
        error if error.is_missing_evidence() => Exit::Evidence,
        Vuln::OtherDigest { .. } => Exit::Reference,
        Vuln::Policy(_)
        | Vuln::Scheme(_)
        | Vuln::Version(_)
        | Vuln::Release(_)
        | Vuln::ForeignRelease { .. }
        | Vuln::Vex { .. } => Exit::Usage,
        _ => Exit::Failed,
    }
}

fn pipeline_exit(error: &barge_pipeline::Error) -> Exit {
    use barge_engine::Error as Engine;
    use barge_image::Error as Image;
    use barge_pipeline::Error as Pipeline;
    match error {
        Pipeline::Reference(_)
        | Pipeline::Setting(_)
        | Pipeline::Missing { .. }
        | Pipeline::Nameless { .. }
        | Pipeline::ByDigest { .. }
        | Pipeline::Event(_)
        | Pipeline::Unpublished { .. }
        | Pipeline::Meta(_) => Exit::Usage,
        Pipeline::Engine(Engine::Host(_) | Engine::Embedded(_)) => Exit::Usage,
        Pipeline::Names { .. } | Pipeline::Identity { .. } | Pipeline::Foreign { .. } => {
            Exit::Reference
        }
        Pipeline::Engine(
            Engine::NotFound { .. } | Engine::Moved { .. } | Engine::Loaded { .. },
        ) => Exit::Reference,
        Pipeline::Image(Image::NoSuchImage { .. } | Image::Digest { .. }) => Exit::Reference,
        Pipeline::Registry(error) if error.is_not_found() => Exit::Reference,
        Pipeline::Nowhere { source, .. } if source.is_not_found() => Exit::Reference,
        Pipeline::Store(error) => store_exit(error),
        Pipeline::Sbom(error) => sbom_exit(error),
        Pipeline::NoAdvisoryData => Exit::Evidence,
        Pipeline::Scan(error) => advisories_exit(error),
        _ => Exit::Failed,
    }
}

/// An error on its way to the reader.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Error,
    printer: Printer,
    in_actions: bool,
}

#[derive(Serialize)]
struct FailureJson {
    schema: &'static str,
    error: String,
    causes: Vec<String>,
    hint: Option<String>,
    exit_code: u8,
}

impl Failure {
    pub(crate) fn new(error: Error, printer: Printer, in_actions: bool) -> Self {
        Self {
            error,
            printer,
            in_actions,
        }
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        self.error.exit()
    }

    /// The error, to be reported by somebody else.
    pub(crate) fn into_error(self) -> Error {
        self.error
    }

    /// Shows the error to people, or to those who read the log.
    pub(crate) fn show(&self) {
        // An error that cannot be written has only its exit code left.
        drop(self.write());
    }

    /// Shows the error and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let exit = self.error.exit();
        if !self.printer.is_human() {
            let json = FailureJson {
                schema: "barge/error/v1",
                error: self.error.to_string(),
                causes: self.error.causes(),
                hint: self.error.hint(),
                exit_code: exit as u8,
            };
            // As for people: what cannot be written is lost.
            drop(self.printer.json(&json));
        }
        self.show();
        exit.into()
    }

    fn event(&self) -> ErrorEvent {
        ErrorEvent {
            message: self.error.to_string(),
            causes: self.error.causes(),
            hint: self.error.hint(),
            exit_code: self.error.exit() as u8,
        }
    }

    /// What GitHub shows at the run: there is no room for the log beside it, so all is said.
    fn annotation(&self) -> Annotation {
        let causes = self.error.causes().into_iter();
        let hint = self.error.hint().map(|hint| format!("hint: {hint}"));
        let lines = causes
            .map(|cause| format!("caused by: {cause}"))
            .chain(hint);
        let lines = iter::once(self.error.to_string()).chain(lines);
        Annotation {
            level: Level::Error,
            title: "barge".into(),
            message: lines.collect::<Vec<_>>().join("\n"),
            place: None,
        }
    }

    fn write(&self) -> io::Result<()> {
        let mut err = self.printer.stderr();
        if self.in_actions {
            writeln!(err, "{}", self.annotation().command())?;
        }
        if self.printer.log() == LogFormat::Json {
            return log::last_event(&mut err, &self.event());
        }
        writeln!(err, "{} {}", Tone::Bad.paint("error:"), self.error)?;
        for cause in self.error.causes() {
            writeln!(err, "  {} {cause}", Tone::Faint.paint("caused by:"))?;
        }
        match self.error.hint() {
            Some(hint) => writeln!(err, "\n{} {hint}", Tone::Strong.paint("hint:")),
            None => Ok(()),
        }
    }
}
