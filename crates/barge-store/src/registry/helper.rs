//! Docker's credential helpers: programs `docker-credential-NAME` that read a registry from stdin and write JSON
//! (docker/docker-credential-helpers, "Development").

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::str::FromStr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::error::Error;
use crate::http::Error as HttpError;

/// Helpers that ask a person or a dead agent would wait for ever.
const PATIENCE: Duration = Duration::from_secs(30);
const ANSWER_LIMIT: u64 = 1 << 20;
/// How helpers say that they know no login; they end with an error then.
const NOT_FOUND: &str = "credentials not found";

/// A credential helper by name.
#[derive(Debug, Clone)]
pub(super) struct Helper(String);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

impl FromStr for Helper {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let allowed = |c: u8| c.is_ascii_alphanumeric() || b"-_.".contains(&c);
        if !name.is_empty() && name.bytes().all(allowed) {
            return Ok(Self(name.to_owned()));
        }
        Err(HttpError::Setting {
            what: "a credential helper",
            value: name.escape_default().to_string(),
            reason: "it is no program name".into(),
        }
        .into())
    }
}

impl Helper {
    /// Asks for the user and the secret of a registry; `None` when the helper knows none.
    pub(super) fn get(
        &self,
        registry: &str,
        search_path: Option<&OsStr>,
    ) -> Result<Option<(String, String)>, String> {
        let program = format!("docker-credential-{}", self.0);
        let mut command = Command::new(&program);
        if let Some(path) = search_path {
            command.env("PATH", path);
        }
        let child = command
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.map_err(|error| format!("cannot run `{program}`: {error}"))?;
        let answer = converse(&mut child, registry);
        // Whatever went wrong, nothing is left running.
        if answer.is_err() {
            child.kill().ok();
        }
        let status = child
            .wait()
            .map_err(|error| format!("`{program}` is lost: {error}"))?;
        let answer = answer.map_err(|reason| format!("`{program}` {reason}"))?;
        judge(&program, status, &answer)
    }
}

fn converse(child: &mut Child, registry: &str) -> Result<Vec<u8>, String> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    if let Some(mut stdin) = stdin {
        // A helper that ends without reading has its say on stdout.
        stdin.write_all(registry.as_bytes()).ok();
    }
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answer = Vec::new();
        let read = stdout.map(|stdout| stdout.take(ANSWER_LIMIT).read_to_end(&mut answer));
        sender.send(read.transpose().map(|_| answer)).ok();
    });
    let deadline = Instant::now() + PATIENCE;
    let answer = receiver
        .recv_timeout(PATIENCE)
        .map_err(|_| format!("did not answer in {} s", PATIENCE.as_secs()))?
        .map_err(|error| format!("cannot be read: {error}"))?;
    // A helper that closed its output and stays is not waited for either.
    while Instant::now() < deadline {
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Ok(Some(_)) => return Ok(answer),
            Err(error) => return Err(format!("is lost: {error}")),
        }
    }
    Err(format!("did not end in {} s", PATIENCE.as_secs()))
}

fn judge(
    program: &str,
    status: ExitStatus,
    answer: &[u8],
) -> Result<Option<(String, String)>, String> {
    if !status.success() {
        let said = String::from_utf8_lossy(answer);
        let said = said.trim();
        if said.starts_with(NOT_FOUND) {
            return Ok(None);
        }
        let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(format!("`{program}` failed ({status}): {said}"));
    }
    // The answer is a secret: what is wrong with it is not shown.
    let answer: Answer = serde_json::from_slice(answer)
        .map_err(|_| format!("`{program}` answered something else than credentials"))?;
    Ok((!answer.secret.is_empty()).then_some((answer.username, answer.secret)))
}
