//! The compat mode of `barge meta`: inputs from `INPUT_*`, outputs where the runner looks for them, workflow commands
//! on stdout, exit code 1 where the action fails.

use std::cell::OnceCell;
use std::fs;
use std::io::Write;
use std::time::Duration;

use barge_ci::meta::compat::{Api, Output, OutputValue, Payload, Run, Sources, run as run_action};
use barge_forge::Actions;
use barge_image::DOCUMENT_LIMIT;
use barge_pipeline::git::GitProgram;
use barge_pipeline::registry::http_options;
use barge_store::http::{Error as HttpError, Fetch, HttpOptions};
use camino::Utf8PathBuf;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde_json::Value;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

const API_URL: &str = "https://api.github.com";
/// An API that says nothing for so long will not answer.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn run(context: &Context) -> Result<Exit, Error> {
    let environment = &context.environment;
    let path = environment.non_empty("GITHUB_EVENT_PATH");
    let text = path.map(|path| (path, fs::read_to_string(context.folder.join(path))));
    let payload = match &text {
        None => Payload::Unset,
        Some((_, Ok(text))) => Payload::Text(text),
        Some((path, Err(_))) => Payload::Missing(path),
    };
    let run = run_action(&Sources {
        environment,
        payload,
        git: &GitProgram::in_folder(&context.folder),
        api: &GitHubApi::new(context),
        now: context.now.as_millisecond(),
    });
    // Outputs come first: what was set before a failure stays set.
    let outputs = set_outputs(context, &run)?;
    context.printer.human(|out| {
        for notice in &run.notices {
            writeln!(out, "{notice}")?;
        }
        for warning in &run.warnings {
            writeln!(out, "::warning::{}", escape(warning))?;
        }
        write_outputs(out, context, &outputs)?;
        match &run.error {
            Some(error) => writeln!(out, "::error::{}", escape(&error.to_string())),
            None => Ok(()),
        }
    })?;
    Ok(if run.error.is_none() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// Writes the files and variables; gives the outputs as texts.
fn set_outputs(context: &Context, run: &Run) -> Result<Vec<(&'static str, String)>, Error> {
    let folder = OnceCell::new();
    let outputs = run
        .outputs
        .iter()
        .map(|output| Ok((output.name, text(context, output, &folder)?)))
        .collect::<Result<Vec<_>, Error>>()?;
    let environment = &context.environment;
    Actions::new(environment.non_empty("GITHUB_OUTPUT"), None).set_outputs(&outputs)?;
    if run.export {
        let variables: Vec<_> = outputs
            .iter()
            .map(|(name, value)| (variable(name), value.clone()))
            .collect();
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        // The runner reads variables in the same form as outputs.
        Actions::new(environment.non_empty("GITHUB_ENV"), None).set_outputs(&variables)?;
    }
    Ok(outputs)
}

fn variable(output: &str) -> String {
    let name = output.replace('-', "_").to_uppercase();
    format!("DOCKER_METADATA_OUTPUT_{name}")
}

/// The value of an output: its text, or the path of the file that it describes.
fn text(
    context: &Context,
    output: &Output,
    folder: &OnceCell<Utf8PathBuf>,
) -> Result<String, Error> {
    match &output.value {
        OutputValue::Text(text) => Ok(text.clone()),
        OutputValue::File { name, content } => {
            let folder = match folder.get() {
                Some(folder) => folder,
                None => {
                    let made = make_folder(context)?;
                    folder.get_or_init(|| made)
                }
            };
            let path = folder.join(name);
            context.write_file(&path, content.as_bytes())?;
            Ok(path.into_string())
        }
    }
}

fn make_folder(context: &Context) -> Result<Utf8PathBuf, Error> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("docker-actions-toolkit-").rand_bytes(6);
    let made = match context.environment.non_empty("RUNNER_TEMP") {
        Some(parent) => builder.tempdir_in(parent),
        None => builder.tempdir(),
    };
    let folder = made.map_err(|source| Error::File {
        action: "make a folder in",
        path: context
            .environment
            .non_empty("RUNNER_TEMP")
            .unwrap_or("the temporary folder")
            .into(),
        source,
    })?;
    Utf8PathBuf::from_path_buf(folder.keep()).map_err(Error::FolderName)
}

/// Shows the tags, and without a runner everything, since nothing else would tell.
fn write_outputs(
    out: &mut dyn Write,
    context: &Context,
    outputs: &[(&'static str, String)],
) -> std::io::Result<()> {
    let has_runner = context.environment.non_empty("GITHUB_OUTPUT").is_some();
    for (name, value) in outputs {
        if !has_runner {
            writeln!(out, "{name}:")?;
        }
        let shown = !has_runner || *name == "tags";
        // A line that the runner would take for a command stays in the output only.
        let lines = value
            .lines()
            .filter(|line| shown && !line.trim_start().starts_with("::"));
        for line in lines {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

fn escape(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The requests of the action, made when they are needed.
struct GitHubApi {
    base: String,
    token: Option<String>,
    options: HttpOptions,
}

impl GitHubApi {
    fn new(context: &Context) -> Self {
        let environment = &context.environment;
        let own = environment
            .non_empty("INPUT_GITHUB-TOKEN")
            .map(str::trim)
            .filter(|token| !token.is_empty());
        let base = environment.non_empty("GITHUB_API_URL").unwrap_or(API_URL);
        let mut options = http_options(environment);
        options.timeouts.document = PATIENCE;
        Self {
            base: base.trim_end_matches('/').to_owned(),
            token: own
                .or(environment.non_empty("GITHUB_TOKEN"))
                .map(str::to_owned),
            options,
        }
    }

    fn get(&self, path: &str) -> Result<Value, String> {
        let mut headers = vec![("accept", "application/vnd.github.v3+json".to_owned())];
        if let Some(token) = &self.token {
            headers.push(("authorization", format!("token {token}")));
        }
        let fetch = Fetch::new(self.options.clone()).map_err(|error| error.to_string())?;
        let url = format!("{}{path}", self.base);
        let body = fetch.document(&url, headers, DOCUMENT_LIMIT);
        let body = body.map_err(|error| refusal(&error))?;
        serde_json::from_slice(&body).map_err(|_| format!("the answer to {path} is not JSON"))
    }
}

/// The server's own words, with where it explains them, as the action would show them.
fn refusal(error: &HttpError) -> String {
    match error {
        HttpError::Status { said, .. } if !said.is_empty() => said.clone(),
        HttpError::Status { status, .. } => format!("status {status}"),
        other => other.to_string(),
    }
}

impl Api for GitHubApi {
    fn repository(&self, owner: &str, name: &str) -> Result<Value, String> {
        self.get(&format!("/repos/{}/{}", encode(owner), encode(name)))
    }

    fn commit(&self, owner: &str, name: &str, sha: &str) -> Result<Value, String> {
        let (owner, name, sha) = (encode(owner), encode(name), encode(sha));
        self.get(&format!("/repos/{owner}/{name}/commits/{sha}"))
    }
}

/// Percent-encodes a part of a path.
fn encode(part: &str) -> PercentEncode<'_> {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(part, RESERVED)
}
