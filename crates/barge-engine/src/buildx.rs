//! Building with the buildx plugin of the docker client, which leaves the image as a layout and skips blobs that are there.
//!
//! It is the one way to BuildKit's session, and where a builder can write a layout the image need not go through the
//! daemon's store and out of it again. A builder of the `docker` driver can if the daemon has
//! a containerd store.

use std::process::Stdio;
use std::time::Duration;

use barge_image::Descriptor;
use camino::Utf8Path;
use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::blocking::blocking;
use crate::docker::{BuildEvent, BuildOptions, DockerHost};
use crate::embedded::BuildContext;
use crate::error::Error;

/// Lines of the builder's output that are kept for an error message.
const TAIL: usize = 20;
/// How much of a line is looked at at once, in bytes.
const LINE: u64 = 64 << 10;
/// The answer of a client that only tells its version.
const VERSION: Duration = Duration::from_secs(10);

/// The plugin, in the hands of the docker client, at a daemon.
#[derive(Debug, Clone)]
pub struct Buildx {
    host: DockerHost,
    version: String,
}

/// What `--metadata-file` tells.
#[derive(Debug, Deserialize)]
struct Metadata {
    #[serde(rename = "containerimage.descriptor")]
    descriptor: Descriptor,
}

impl Buildx {
    /// Finds the plugin; `None` where there is no docker client or it has no plugin.
    pub async fn find(host: &DockerHost) -> Option<Self> {
        let mut command = client(host);
        command.arg("version").stdout(Stdio::piped());
        let output = tokio::time::timeout(VERSION, command.output()).await;
        let output = output.ok()?.ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text.split_whitespace().nth(1).unwrap_or("unknown");
        output.status.success().then(|| Self {
            host: host.clone(),
            version: version.trim_start_matches('v').to_owned(),
        })
    }

    /// How the builder is called in records and messages.
    #[must_use]
    pub fn name(&self) -> String {
        format!("buildx {}", self.version)
    }

    /// Builds into a layout and gives the manifest.
    ///
    /// # Errors
    /// When a step fails, the client cannot be run, or the deadline passes.
    pub async fn build(
        &self,
        options: &BuildOptions,
        context: BuildContext,
        layout: &Utf8Path,
        deadline: Duration,
        tell: impl Fn(BuildEvent) + Send + 'static,
    ) -> Result<Descriptor, Error> {
        let metadata = tempfile::NamedTempFile::new().map_err(Error::Context)?;
        let mut command = client(&self.host);
        command
            .args(arguments(options, layout))
            .arg("--metadata-file")
            .arg(metadata.path())
            .arg("-")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped());
        // Dropping the child ends it, which makes the daemon give the build up.
        let child = command.spawn().map_err(|source| self.broken(source))?;
        tokio::time::timeout(deadline, self.run(child, context, tell))
            .await
            .unwrap_or(Err(Error::Deadline { after: deadline }))?;
        let bytes = std::fs::read(metadata.path());
        let bytes = bytes.map_err(|source| self.broken(source))?;
        let metadata: Metadata = serde_json::from_slice(&bytes).map_err(|error| Error::Answer {
            action: "build".into(),
            problem: error.to_string(),
        })?;
        let (media_type, digest) = (metadata.descriptor.media_type, metadata.descriptor.digest);
        Ok(Descriptor::new(
            media_type,
            digest,
            metadata.descriptor.size,
        ))
    }

    async fn run(
        &self,
        mut child: Child,
        context: BuildContext,
        tell: impl Fn(BuildEvent),
    ) -> Result<(), Error> {
        let stdin = child.stdin.take();
        let sent = tokio::spawn(send(context, stdin));
        let mut log = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            let mut stderr = BufReader::new(stderr);
            while let Some(line) = next_line(&mut stderr).await.map_err(|e| self.broken(e))? {
                log.push(line.clone());
                log.drain(..log.len().saturating_sub(TAIL));
                tell(event(line));
            }
        }
        let status = child.wait().await.map_err(|source| self.broken(source))?;
        if !status.success() {
            let message = log
                .iter()
                .rev()
                .find_map(|line| line.strip_prefix("ERROR: "));
            return Err(Error::Build {
                message: message.unwrap_or("buildx gave no reason").to_owned(),
                step: None,
                log,
            });
        }
        let sent = sent.await;
        sent.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
            .map_err(Error::Context)
    }

    fn broken(&self, source: std::io::Error) -> Error {
        Error::Broken {
            host: self.host.clone(),
            action: "build by buildx".into(),
            source: Box::new(source),
        }
    }
}

fn client(host: &DockerHost) -> Command {
    let mut command = Command::new("docker");
    command
        .arg("buildx")
        .env("DOCKER_HOST", host.to_string())
        .envs(host.tls_variables())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Names are left out: BuildKit would write them into the layout's index as one, joined by commas.
fn arguments(options: &BuildOptions, layout: &Utf8Path) -> Vec<String> {
    // The value is a line of comma-separated values: what holds a comma is quoted.
    let dest = format!("\"dest={}\"", layout.as_str().replace('"', "\"\""));
    let mut arguments = vec![
        "build".to_owned(),
        "--progress=plain".into(),
        "--provenance=false".into(),
        format!("--output=type=oci,tar=false,compression=zstd,oci-mediatypes=true,{dest}"),
        format!("--file={}", options.dockerfile),
    ];
    let pair = |name: &str, (key, value): (&String, &String)| format!("--{name}={key}={value}");
    arguments.extend(options.arguments.iter().map(|each| pair("build-arg", each)));
    arguments.extend(options.labels.iter().map(|each| pair("label", each)));
    let target = options
        .target
        .iter()
        .map(|target| format!("--target={target}"));
    arguments.extend(target);
    let platform = options.platform.iter();
    arguments.extend(platform.map(|platform| format!("--platform={platform}")));
    let network = options.network.iter();
    arguments.extend(network.map(|network| format!("--network={network}")));
    arguments.extend(options.no_cache.then(|| "--no-cache".to_owned()));
    arguments.extend(options.pull.then(|| "--pull".to_owned()));
    arguments
}

/// Writes the context into the client, whose input ends with it.
async fn send(context: BuildContext, stdin: Option<ChildStdin>) -> std::io::Result<()> {
    let Some(stdin) = stdin else {
        return Ok(());
    };
    let pipe = std::fs::File::from(stdin.into_owned_fd()?);
    blocking(move || context.write(pipe)).await
}

/// The next line of the builder's output. It holds what compilers print, in any encoding; a line beyond the limit comes in
/// pieces.
async fn next_line(output: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = output.take(LINE).read_until(b'\n', &mut line).await?;
    let text = String::from_utf8_lossy(&line);
    Ok((read > 0).then(|| text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// `#5 [2/3] COPY app /app` begins a step; everything else is output.
fn event(line: String) -> BuildEvent {
    let step = line
        .strip_prefix('#')
        .and_then(|rest| rest.split_once(' '))
        .filter(|(number, rest)| number.parse::<u32>().is_ok() && rest.starts_with('['))
        .map(|(_, step)| step.to_owned());
    match step {
        Some(step) if !step.starts_with("[internal]") => BuildEvent::Started { step },
        _ => BuildEvent::Output { line },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_from_output() {
        let started = |step: &str| BuildEvent::Started { step: step.into() };
        assert_eq!(
            event("#5 [2/3] COPY a /a".into()),
            started("[2/3] COPY a /a")
        );
        for line in ["#1 [internal] load x", "#5 DONE 0.1s", "plain", "# [x"] {
            assert_eq!(event(line.into()), BuildEvent::Output { line: line.into() });
        }
    }

    /// A client that prints this and fails.
    async fn failing(script: &str) -> (Error, Vec<BuildEvent>) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let dockerfile = root.join("Dockerfile");
        std::fs::write(&dockerfile, "FROM scratch\n").unwrap();
        let context = BuildContext::read(root, &dockerfile, None).unwrap();
        let buildx = Buildx {
            host: DockerHost::Unix("/nowhere".into()),
            version: "0".into(),
        };
        let mut client = Command::new("sh");
        client.args(["-c", script]);
        client.stdin(Stdio::piped()).stderr(Stdio::piped());
        let told = std::sync::Mutex::new(Vec::new());
        let tell = |event| told.lock().unwrap().push(event);
        let failed = buildx.run(client.spawn().unwrap(), context, tell).await;
        (failed.unwrap_err(), told.into_inner().unwrap())
    }

    #[tokio::test]
    async fn output_of_any_encoding_and_length_is_read_to_its_end() {
        let script = r#"cat >/dev/null; exec >&2; printf '#7 0.1 f\374r\r\n'; yes x | head -c 200000 | tr -d '\n'
            printf '\nERROR: it failed\n'; exit 1"#;
        let (error, told) = failing(script).await;
        assert!(
            matches!(&error, Error::Build { message, .. } if message == "it failed"),
            "{error:?}"
        );
        let line = "#7 0.1 f\u{fffd}r".to_owned();
        assert_eq!(told[0], BuildEvent::Output { line });
        assert_eq!(told.len(), 4);
    }

    #[test]
    fn folders_with_commas_and_quotes_are_one_value() {
        let options = BuildOptions::default();
        let arguments = arguments(&options, Utf8Path::new("/a,\"b"));
        assert!(
            arguments[3].ends_with(",\"dest=/a,\"\"b\""),
            "{arguments:?}"
        );
    }
}
