//! The hand-off against a real Docker daemon.
//!
//! `DOCKER_HOST`, or the default socket, names the daemon. Where none answers every test here is counted as ignored; in
//! CI (`CI=true`) that is a failure instead.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests find their daemon themselves, and fail by panicking"
)]

mod cases;
mod proxy;
mod store;
#[path = "../support/mod.rs"]
mod support;

use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

/// The docker client beside which barge is tested; an oracle of its own.
pub(crate) struct Docker {
    pub(crate) host: String,
}

impl Docker {
    fn find() -> Option<Self> {
        let host =
            std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".into());
        let docker = Self { host };
        docker
            .command(&["version"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .ok()?
            .success()
            .then_some(docker)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(arguments).env("DOCKER_HOST", &self.host);
        command
    }

    /// Runs docker and gives what it printed.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "docker {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The ID of an image, if it is there.
    pub(crate) fn id(&self, reference: &str) -> Option<String> {
        let output = self
            .command(&["image", "inspect", "--format", "{{.Id}}", reference])
            .output()
            .unwrap();
        output
            .status
            .success()
            .then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    let docker = Docker::find();
    if docker.is_none() && in_ci {
        let missing = || {
            Err(Failed::from(
                "no docker daemon answers, and CI must have one",
            ))
        };
        return libtest_mimic::run(&arguments, vec![Trial::test("daemon", missing)]).exit_code();
    }
    let ignored = docker.is_none();
    let docker: &'static Docker = Box::leak(Box::new(docker.unwrap_or(Docker {
        host: String::new(),
    })));
    let trials = cases::ALL.iter().map(|(name, case)| {
        let run = move || {
            case(docker);
            Ok(())
        };
        Trial::test(*name, run).with_ignored_flag(ignored)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
