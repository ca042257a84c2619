//! What the end-to-end tests share: a checkout, the binary in clean surroundings, event payloads.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// The time of every run in tests.
pub(crate) const NOW: &str = "2026-03-04T05:06:07Z";

/// A git checkout in a temporary folder.
pub(crate) struct Checkout {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

/// What a run of the binary left.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Checkout {
    /// A checkout whose image holds one file and one npm package.
    pub(crate) fn new() -> Self {
        let checkout = Self {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        };
        checkout.write(
            "Dockerfile",
            "FROM scratch\nCOPY app /app\nCMD [\"/app/run\"]\n",
        );
        checkout.write("app/run", "hello\n");
        checkout.write(
            "app/node_modules/left/package.json",
            r#"{"name": "left", "version": "1.2.0"}"#,
        );
        checkout.write(".dockerignore", ".barge\n.git\n");
        checkout.git(&["init", "--quiet", "--initial-branch", "main"]);
        checkout.git(&[
            "remote",
            "add",
            "origin",
            "https://github.com/Wikid82/Charon.git",
        ]);
        checkout.git(&["add", "."]);
        checkout.git(&["commit", "--quiet", "--message", "Start"]);
        checkout
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Sets a variable for all later runs.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Advisories that hit the package of the checkout, of this CVSS 3.1 impact.
    pub(crate) fn advisories(&self, vector: &str) -> String {
        let advisory = json!({
            "schema_version": "1.7.0", "id": "TEST-1", "modified": "2026-01-01T00:00:00Z", "summary": "left is not right",
            "severity": [{"type": "CVSS_V3", "score": vector}],
            "affected": [{
                "package": {"ecosystem": "npm", "name": "left"},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.3.0"}]}],
            }],
        });
        self.write("advisories/TEST-1.json", &advisory.to_string());
        self.file("advisories").to_string_lossy().into_owned()
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        let status = Command::new("git")
            .args([
                "-c",
                "user.name=Test",
                "-c",
                "user.email=test@example.invalid",
            ])
            .args(arguments)
            .env("GIT_AUTHOR_DATE", NOW)
            .env("GIT_COMMITTER_DATE", NOW)
            .current_dir(self.path())
            .status();
        assert!(status.unwrap().success(), "git {arguments:?}");
    }

    /// Runs barge here, with nothing of the caller's CI or docker settings.
    pub(crate) fn barge(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// Such a run, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_barge"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("BARGE_NOW", NOW)
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Ran {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts the exit code and gives the run back.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Asserts that stderr says something.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "no `{text}` in:\n{}",
            self.stderr
        );
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in:\n{}", self.stdout))
    }

    /// The last line of stdout.
    pub(crate) fn last_line(&self) -> &str {
        self.stdout.trim_end().lines().last().unwrap_or_default()
    }
}

/// A pull request of a repository, as GitHub describes it.
pub(crate) fn pull_request(owner: &str, number: u64, title: &str) -> Value {
    let repository = json!({
        "name": "Charon", "full_name": format!("{owner}/Charon"), "owner": {"login": owner}, "default_branch": "main",
        "html_url": format!("https://github.com/{owner}/Charon"), "fork": false,
    });
    json!({
        "action": "opened",
        "number": number,
        "pull_request": {
            "number": number, "title": title, "draft": false, "labels": [], "user": {"login": "someone"},
            "head": {"ref": "topic", "sha": "a".repeat(40), "repo": repository},
            "base": {"ref": "main", "sha": "b".repeat(40), "repo": repository},
            "merge_commit_sha": "c".repeat(40),
        },
        "repository": repository,
        "sender": {"login": "someone"},
    })
}
