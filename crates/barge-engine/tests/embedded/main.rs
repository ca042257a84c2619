//! The embedded builder: alone, and beside a real daemon with the same Dockerfile, the same config, the same files.
//!
//! Where no daemon answers, the comparisons are counted as ignored; in CI that is a failure instead.
#![expect(
    clippy::unwrap_used,
    reason = "a test helper that cannot go on fails its test"
)]

mod cases;
mod context;
mod daemon;
mod local;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, ExitCode};

use barge_engine::embedded::{Build, Built, Error, NamedContext};
use barge_image::archive::{LayerForm, write};
use barge_image::compression::Compression;
use barge_image::{Layout, Platform};
use camino::{Utf8Path, Utf8PathBuf};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Map, Value};

use cases::{BASE, BASE_FILES, CASES, Case, FAILING, Oracle};
use daemon::Daemon;

struct Bench {
    daemon: Daemon,
    base: String,
    base_archive: tempfile::NamedTempFile,
}

impl Bench {
    fn new() -> Option<Self> {
        let daemon = Daemon::find()?;
        let folder = tempfile::tempdir().unwrap();
        context::write(folder.path(), BASE_FILES);
        fs::write(folder.path().join("Dockerfile"), BASE).unwrap();
        let base = format!("barge-embedded-base:{}", std::process::id());
        daemon
            .build(&base, 2, "", &context::tar(folder.path()))
            .unwrap();
        let base_archive = tempfile::NamedTempFile::new().unwrap();
        fs::write(
            base_archive.path(),
            daemon
                .call("GET", &format!("/images/{base}/get"), "", b"")
                .unwrap(),
        )
        .unwrap();
        Some(Self {
            daemon,
            base,
            base_archive,
        })
    }

    fn ours(
        &self,
        folder: &Utf8Path,
        case: &Case,
    ) -> Result<(Layout, Built, tempfile::TempDir), Error> {
        let mut build = build(folder, case);
        let archive = Utf8PathBuf::from_path_buf(self.base_archive.path().to_owned()).unwrap();
        build.contexts.insert(
            self.base.clone(),
            NamedContext::Image {
                path: archive,
                name: None,
            },
        );
        let out = tempfile::tempdir().unwrap();
        let layout = Layout::create(Utf8Path::from_path(out.path()).unwrap()).unwrap();
        let built = build.plan()?.execute(&layout, &|_| {})?;
        Ok((layout, built, out))
    }

    fn theirs(&self, folder: &Utf8Path, case: &Case, tag: &str) -> Result<(), String> {
        if case.oracle == Oracle::Classic {
            return self.classic(folder, tag);
        }
        let object = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| (name.to_string(), Value::from(*value)));
            encoded(&Value::from(pairs.collect::<Map<_, _>>()).to_string())
        };
        let target = case.target.unwrap_or_default();
        let query = format!(
            "&target={target}&buildargs={}&labels={}",
            object(case.arguments),
            object(case.labels)
        );
        self.daemon
            .build(tag, 2, &query, &context::tar(folder.as_std_path()))
    }

    fn classic(&self, folder: &Utf8Path, tag: &str) -> Result<(), String> {
        let output = Command::new("docker")
            .env("DOCKER_BUILDKIT", "0")
            .args(["build", "-q", "-t", tag])
            .arg(folder)
            .output();
        let output = output.map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn compare(&self, case: &Case, number: usize) -> Result<(), String> {
        let folder = self.folder(case.files, case.dockerfile);
        let path = Utf8Path::from_path(folder.path()).unwrap();
        let tag = |whose: &str| format!("barge-embedded-{whose}:{}-{number}", std::process::id());
        let (theirs, ours) = (tag("theirs"), tag("ours"));
        self.theirs(path, case, &theirs)?;
        let (layout, built, _out) = self.ours(path, case).map_err(|error| shown(&error))?;
        self.load(&layout, &built, &ours)?;
        let identity = self.daemon.inspect(&ours)["Id"].clone();
        assert_eq!(
            identity,
            Value::from(built.config.digest().to_string()),
            "{}",
            case.name
        );
        let result = self.differences(&theirs, &ours);
        self.daemon.remove(&theirs);
        self.daemon.remove(&ours);
        result
    }

    /// A Dockerfile that docker refuses is refused here too, by its line.
    fn refuse(&self, dockerfile: &'static str, number: usize) -> Result<(), String> {
        let case = cases::case("refused", dockerfile);
        let folder = self.folder(case.files, dockerfile);
        let path = Utf8Path::from_path(folder.path()).unwrap();
        let tag = format!("barge-embedded-failing:{}-{number}", std::process::id());
        if self.theirs(path, &case, &tag).is_ok() {
            self.daemon.remove(&tag);
            return Err("docker builds it".into());
        }
        match self.ours(path, &case) {
            Ok(_) => Err("we build it".into()),
            Err(error) if error.to_string().contains("Dockerfile:") => Ok(()),
            Err(error) => Err(format!("it names no line: {error}")),
        }
    }

    fn folder(&self, files: &[(&str, &str)], dockerfile: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        context::write(folder.path(), files);
        fs::write(
            folder.path().join("Dockerfile"),
            dockerfile.replace("@base", &self.base),
        )
        .unwrap();
        folder
    }

    fn load(&self, layout: &Layout, built: &Built, tag: &str) -> Result<(), String> {
        let reference = tag.parse().map_err(|error| format!("{error}"))?;
        let image = layout
            .image(&built.descriptor.digest, Vec::new())
            .map_err(|error| error.to_string())?;
        let mut archive = Vec::new();
        write(
            &image,
            &[reference],
            LayerForm::Plain,
            &BTreeSet::new(),
            &mut archive,
            &|_| {},
        )
        .map_err(|error| error.to_string())?;
        self.daemon.load(&archive)
    }

    fn differences(&self, theirs: &str, ours: &str) -> Result<(), String> {
        let mut differences = Vec::new();
        let (expected, found) = (
            config(&self.daemon.inspect(theirs)),
            config(&self.daemon.inspect(ours)),
        );
        for (key, expected) in &expected {
            if found[key] != *expected {
                differences.push(format!("{key}: docker {expected}, ours {}", found[key]));
            }
        }
        let (expected, found) = (self.daemon.files(theirs), self.daemon.files(ours));
        let paths: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
        for path in paths {
            if expected.get(path) != found.get(path) {
                differences.push(format!(
                    "{path}: docker {:?}, ours {:?}",
                    expected.get(path),
                    found.get(path)
                ));
            }
        }
        if differences.is_empty() {
            Ok(())
        } else {
            Err(differences.join("\n    "))
        }
    }
}

fn build(folder: &Utf8Path, case: &Case) -> Build {
    let owned = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect()
    };
    Build {
        context: folder.to_owned(),
        dockerfile: folder.join("Dockerfile"),
        target: case.target.map(str::to_owned),
        build_args: owned(case.arguments),
        default_args: BTreeMap::new(),
        hidden: None,
        labels: owned(case.labels),
        platform: Platform::host(),
        created: jiff::Timestamp::from_second(1_700_000_000).unwrap(),
        contexts: std::collections::BTreeMap::new(),
        compression: Compression::Zstd,
    }
}

/// What `docker inspect` says of how a container starts; what is empty is absent.
fn config(inspected: &Value) -> Map<String, Value> {
    const KEYS: [&str; 14] = [
        "Env",
        "Cmd",
        "Entrypoint",
        "Labels",
        "ExposedPorts",
        "Volumes",
        "WorkingDir",
        "User",
        "Healthcheck",
        "Shell",
        "StopSignal",
        "OnBuild",
        "Architecture",
        "Author",
    ];
    let value = |key: &str| {
        let value = inspected["Config"]
            .get(key)
            .or(inspected.get(key))
            .cloned()
            .unwrap_or_default();
        let is_empty = match &value {
            // No working directory and the root are the same to every engine; docker's builders write both.
            Value::String(text) => text.is_empty() || (key == "WorkingDir" && text == "/"),
            Value::Array(items) => items.is_empty(),
            Value::Object(items) => items.is_empty(),
            _ => false,
        };
        if is_empty { Value::Null } else { value }
    };
    KEYS.iter()
        .map(|key| (key.to_string(), value(key)))
        .collect()
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn shown(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    std::iter::once(error.to_string())
        .chain(sources.map(ToString::to_string))
        .collect::<Vec<_>>()
        .join(": ")
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let bench = Bench::new();
    let ignored = bench.is_none();
    let bench: &'static Option<Bench> = Box::leak(Box::new(bench));
    let local = local::ALL.iter().map(|(name, test)| {
        Trial::test(*name, || {
            test();
            Ok(())
        })
    });
    let built = CASES.iter().enumerate().map(|(number, case)| {
        let compare = move || {
            bench
                .as_ref()
                .map_or(Ok(()), |bench| bench.compare(case, number))
        };
        let name = format!("builds_what_docker_builds::{}", case.name);
        Trial::test(name, move || compare().map_err(Failed::from)).with_ignored_flag(ignored)
    });
    let refused = FAILING
        .iter()
        .enumerate()
        .map(|(number, (name, dockerfile))| {
            let compare = move || {
                bench
                    .as_ref()
                    .map_or(Ok(()), |bench| bench.refuse(dockerfile, number))
            };
            let name = format!("refuses_what_docker_refuses::{name}");
            Trial::test(name, move || compare().map_err(Failed::from)).with_ignored_flag(ignored)
        });
    let conclusion = libtest_mimic::run(&arguments, local.chain(built).chain(refused).collect());
    if let Some(bench) = bench {
        bench.daemon.remove(&bench.base);
    }
    conclusion.exit_code()
}
