//! The hand-off against a real Docker daemon.
//!
//! `DOCKER_HOST`, or the default socket, names the daemon. Where none answers every test here is counted as ignored; in
//! CI (`CI=true`) that is a failure instead.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests find their daemon themselves, and fail by panicking"
)]

mod addresses;
mod cases;
mod engines;
mod files;
mod platforms;
mod proxy;
mod store;
#[path = "../support/mod.rs"]
mod support;

use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};

/// The docker client beside which barge is tested; an oracle of its own. Podman answers it, too.
pub(crate) struct Docker {
    pub(crate) host: String,
    version: String,
    driver: String,
}

impl Docker {
    fn find() -> Option<Self> {
        let host =
            std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".into());
        Self::at(host)
    }

    fn at(host: String) -> Option<Self> {
        let mut docker = Self {
            host,
            version: String::new(),
            driver: String::new(),
        };
        let told = docker.answer(&["info", "--format", "{{.ServerVersion}} {{.DriverStatus}}"])?;
        let (version, driver) = told.split_once(' ')?;
        (docker.version, docker.driver) = (version.to_owned(), driver.to_owned());
        Some(docker)
    }

    /// What docker printed, if it succeeded.
    fn answer(&self, arguments: &[&str]) -> Option<String> {
        let output = self.command(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    }

    pub(crate) fn is_podman(&self) -> bool {
        self.answer(&[
            "version",
            "--format",
            "{{(index .Server.Components 0).Name}}",
        ])
        .is_some_and(|name| name.starts_with("Podman"))
    }

    pub(crate) fn has_containerd_store(&self) -> bool {
        self.driver.contains("io.containerd.snapshotter")
    }

    /// Whether it loads archives whose layers are zstd: Docker from 23 on, Podman always.
    pub(crate) fn takes_zstd(&self) -> bool {
        let major = self
            .version
            .split('.')
            .next()
            .and_then(|major| major.parse().ok());
        self.is_podman() || major.is_some_and(|major: u32| major >= 23)
    }

    /// Whether it tells which manifests of an image are complete: from API 1.48 on.
    pub(crate) fn tells_manifests(&self) -> bool {
        let major = self.version.split('.').next();
        major.is_some_and(|major| major.parse().is_ok_and(|major: u32| major >= 28))
    }

    /// Whether its layers lie open to this process.
    pub(crate) fn data_is_here(&self) -> bool {
        let root = self.answer(&["info", "--format", "{{.DockerRootDir}}/image/{{.Driver}}"]);
        root.is_some_and(|root| std::fs::read_dir(root + "/layerdb").is_ok())
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
        self.answer(&["image", "inspect", "--format", "{{.Id}}", reference])
    }
}

/// The engines of `BARGE_ENGINES`, by name.
fn further_engines() -> Vec<(String, Docker)> {
    let listed = std::env::var("BARGE_ENGINES").unwrap_or_default();
    let engine = |word: &str| {
        let (name, host) = word.split_once('=').unwrap();
        let engine = Docker::at(host.to_owned());
        (
            name.to_owned(),
            engine.unwrap_or_else(|| panic!("{name} does not answer at {host}")),
        )
    };
    listed.split_whitespace().map(engine).collect()
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
    let mut engines = further_engines();
    if in_ci && engines.is_empty() {
        let missing = || {
            Err(Failed::from(
                "BARGE_ENGINES names no engine, and CI must have them",
            ))
        };
        return libtest_mimic::run(&arguments, vec![Trial::test("engines", missing)]).exit_code();
    }
    let Some(docker) = docker else {
        let ignored = cases::ALL.iter().map(|(name, _)| ignored_trial(name));
        return libtest_mimic::run(&arguments, ignored.collect()).exit_code();
    };
    let host = docker.host.clone();
    let docker: &'static Docker = Box::leak(Box::new(docker));
    engines.extend(Docker::at(host).map(|own| ("docker".to_owned(), own)));
    let engines: &'static [(String, Docker)] = engines.leak();
    let mut trials: Vec<Trial> = cases::ALL
        .iter()
        .map(|(name, case)| trial((*name).to_owned(), move || case(docker)))
        .collect();
    for (engine, at) in engines {
        let by_buildx = at.has_containerd_store() && buildx().is_some();
        let further = if by_buildx { engines::BUILDX } else { &[] };
        for (name, case) in engines::ALL.iter().chain(further) {
            trials.push(trial(format!("{engine}::{name}"), move || case(docker, at)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The plugin of the docker client, where one is at hand.
pub(crate) fn buildx() -> Option<std::path::PathBuf> {
    std::env::var_os("BARGE_BUILDX").map(Into::into)
}

fn trial(name: String, case: impl FnOnce() + Send + 'static) -> Trial {
    let run = move || {
        case();
        Ok(())
    };
    Trial::test(name, run)
}

fn ignored_trial(name: &str) -> Trial {
    Trial::test(name, || Ok(())).with_ignored_flag(true)
}
