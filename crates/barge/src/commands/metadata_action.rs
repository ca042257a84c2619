//! The compat mode of `barge meta`: inputs from `INPUT_*`, outputs where the runner looks for them, workflow commands
//! on stdout, exit code 1 where the action fails.

use std::cell::OnceCell;
use std::fs;
use std::io::Write;
use std::time::Duration;

use barge_ci::meta::compat::{Api, Output, OutputValue, Payload, Run, Sources, run as run_action};
use barge_forge::Actions;
use barge_pipeline::git::GitProgram;
use camino::Utf8PathBuf;
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
            fs::write(&path, content).map_err(|source| Error::File {
                action: "write",
                path: path.clone(),
                source,
            })?;
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
    agent: OnceCell<ureq::Agent>,
}

impl GitHubApi {
    fn new(context: &Context) -> Self {
        let environment = &context.environment;
        let own = environment
            .non_empty("INPUT_GITHUB-TOKEN")
            .map(str::trim)
            .filter(|token| !token.is_empty());
        let base = environment.non_empty("GITHUB_API_URL").unwrap_or(API_URL);
        Self {
            base: base.trim_end_matches('/').to_owned(),
            token: own
                .or(environment.non_empty("GITHUB_TOKEN"))
                .map(str::to_owned),
            agent: OnceCell::new(),
        }
    }

    fn get(&self, path: &str) -> Result<Value, String> {
        let agent = self.agent.get_or_init(|| {
            let config = ureq::Agent::config_builder()
                .timeout_global(Some(PATIENCE))
                .http_status_as_error(false);
            config.build().new_agent()
        });
        let mut request = agent
            .get(format!("{}{path}", self.base))
            .header("accept", "application/vnd.github.v3+json")
            .header("user-agent", "barge");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("token {token}"));
        }
        let mut response = request.call().map_err(|error| error.to_string())?;
        let body = response.body_mut().read_to_string();
        let body = body.map_err(|error| error.to_string())?;
        let value: Option<Value> = serde_json::from_str(&body).ok();
        let status = response.status();
        if !status.is_success() {
            return Err(refusal(status.as_u16(), value.as_ref()));
        }
        value.ok_or_else(|| format!("the answer to {path} is not JSON"))
    }
}

/// The server's own words, with where it explains them.
fn refusal(status: u16, answer: Option<&Value>) -> String {
    let field = |name: &str| answer.and_then(|answer| answer.get(name)?.as_str());
    let message = field("message").map_or_else(|| format!("status {status}"), str::to_owned);
    match field("documentation_url") {
        Some(url) => format!("{message} - {url}"),
        None => message,
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
fn encode(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
