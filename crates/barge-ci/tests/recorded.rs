//! Runs of the real docker/metadata-action, played again: every recorded output must come out the same.
//!
//! The recordings lie in `recorded/metadata.jsonl`, its README says what is compared; `BARGE_SHARED` names a folder with
//! others under `samples/metadata.jsonl`.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;

use barge_ci::meta::MetaError;
use barge_ci::meta::compat::{Api, OutputValue, Payload, Run, Sources, run};
use barge_ci::{Environment, Git, GitError};
use serde_json::{Map, Value};

#[test]
fn recorded_runs_of_the_action_come_out_the_same() {
    let file = recordings();
    let text = std::fs::read_to_string(&file).unwrap();
    let mut failures = Vec::new();
    let mut count = 0;
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        count += 1;
        let found = differences(&case);
        if !found.is_empty() {
            failures.push(format!("{}: {}", case["id"], found.join("; ")));
        }
    }
    assert!(count > 0, "{} holds no case", file.display());
    assert!(
        failures.is_empty(),
        "{} of {count} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
    println!("{count} recorded runs came out the same");
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever runs the test may name other recordings"
)]
fn recordings() -> PathBuf {
    let shared = std::env::var_os("BARGE_SHARED");
    match shared {
        Some(folder) => Path::new(&folder).join("samples/metadata.jsonl"),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/metadata.jsonl"),
    }
}

struct Server<'c> {
    case: &'c Value,
    calls: Cell<u32>,
}

impl Api for Server<'_> {
    fn repository(&self, _: &str, _: &str) -> Result<Value, String> {
        self.calls.set(self.calls.get() + 1);
        match self.case["repo"].get("$status") {
            Some(_) => Err(self.case["repo"]["message"]
                .as_str()
                .unwrap_or("error")
                .to_owned()),
            None => Ok(self.case["repo"].clone()),
        }
    }

    fn commit(&self, _: &str, _: &str, _: &str) -> Result<Value, String> {
        self.calls.set(self.calls.get() + 1);
        match self.case["commit"].get("committer_date") {
            Some(date) => Ok(serde_json::json!({"commit": {"committer": {"date": date}}})),
            None => Err("Not Found".into()),
        }
    }
}

struct Checkout {
    folder: Option<tempfile::TempDir>,
}

impl Checkout {
    fn new(case: &Value) -> Self {
        let lines = case["git"].as_array();
        let folder = lines.map(|lines| {
            let folder = tempfile::tempdir().unwrap();
            let script: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
            let mut shell = Command::new("sh");
            shell
                .arg("-ec")
                .arg(script.join("\n"))
                .current_dir(folder.path());
            let output = clean(&mut shell).output().unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            folder
        });
        Self { folder }
    }
}

fn clean(command: &mut Command) -> &mut Command {
    command.envs([
        ("GIT_AUTHOR_NAME", "Ann Author"),
        ("GIT_AUTHOR_EMAIL", "ann@example.invalid"),
        ("GIT_COMMITTER_NAME", "Cy Committer"),
        ("GIT_COMMITTER_EMAIL", "cy@example.invalid"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ])
}

impl Git for Checkout {
    fn run(&self, arguments: &[&str]) -> Result<String, GitError> {
        let folder = self
            .folder
            .as_ref()
            .map(|folder| folder.path().join("work"));
        let mut git = Command::new("git");
        git.args(arguments)
            .current_dir(folder.unwrap_or_else(|| "/".into()));
        let output = clean(&mut git).output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
        } else {
            Err(GitError {
                command: arguments.join(" "),
                message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            })
        }
    }
}

fn play(case: &Value) -> Run {
    let pairs = |key: &str| {
        case[key]
            .as_object()
            .cloned()
            .unwrap_or_default()
            .into_iter()
    };
    let text = |value: Value| value.as_str().unwrap_or_default().to_owned();
    let inputs = pairs("inputs")
        .map(|(name, value)| (format!("INPUT_{}", name.to_uppercase()), text(value)));
    let variables = pairs("env").map(|(name, value)| (name, text(value)));
    let environment: Environment = inputs.chain(variables).collect();
    let payload = case["event"].to_string();
    let now: jiff::Timestamp = case["now"].as_str().unwrap().parse().unwrap();
    run(&Sources {
        environment: &environment,
        payload: if case["event"].is_null() {
            Payload::Unset
        } else {
            Payload::Text(&payload)
        },
        git: &Checkout::new(case),
        api: &Server {
            case,
            calls: Cell::new(0),
        },
        now: now.as_millisecond(),
    })
}

fn differences(case: &Value) -> Vec<String> {
    let expect = &case["expect"];
    let run = play(case);
    let mut found = Vec::new();
    let mut compare = |what: &str, ours: &str, theirs: &str| {
        if ours != theirs {
            found.push(format!("{what}: ours {ours:?}, theirs {theirs:?}"));
        }
    };
    let failed = run
        .error
        .as_ref()
        .map(MetaError::to_string)
        .unwrap_or_default();
    compare(
        "exit",
        &i32::from(run.error.is_some()).to_string(),
        &expect["exit"].to_string(),
    );
    if expect["error_class"] == "action" {
        compare(
            "error",
            &failed,
            expect["error"].as_str().unwrap_or_default(),
        );
    }
    let warnings = expect["warnings"].as_array().cloned().unwrap_or_default();
    let warnings: Vec<&str> = warnings.iter().filter_map(Value::as_str).collect();
    compare("warnings", &run.warnings.join("\n"), &warnings.join("\n"));
    if let Some(exported) = expect["env_exported"].as_bool() {
        let ours = run.export && !run.outputs.is_empty();
        compare("env_exported", &ours.to_string(), &exported.to_string());
    }
    let empty = Map::new();
    let texts = expect["outputs"].as_object().unwrap_or(&empty);
    let hashes = expect["sha256"].as_object().unwrap_or(&empty);
    let names = |name: &str| texts.contains_key(name) || hashes.contains_key(name);
    for output in run.outputs.iter().filter(|output| !names(output.name)) {
        compare(output.name, "set", "not set");
    }
    for (name, theirs) in texts.iter().chain(hashes) {
        let Some(output) = run.outputs.iter().find(|output| output.name == name) else {
            compare(name, "not set", "set");
            continue;
        };
        let ours = match &output.value {
            OutputValue::Text(text) if name == "json" => canonical(text),
            OutputValue::Text(text) => text.clone(),
            OutputValue::File { content, .. } => canonical(content),
        };
        let theirs = theirs.as_str().unwrap_or_default();
        if hashes.contains_key(name) && !texts.contains_key(name) {
            compare(
                name,
                &barge_image::Digest::of(ours.as_bytes()).hex(),
                theirs,
            );
        } else if name == "json" || name.starts_with("bake") {
            compare(name, &ours, &canonical(theirs));
        } else {
            compare(name, &ours, theirs);
        }
    }
    found
}

/// JSON with sorted keys and without white space.
fn canonical(text: &str) -> String {
    fn sort(value: Value) -> Value {
        match value {
            Value::Object(members) => {
                let mut members: Vec<(String, Value)> = members.into_iter().collect();
                members.sort_by(|left, right| left.0.cmp(&right.0));
                Value::Object(
                    members
                        .into_iter()
                        .map(|(key, value)| (key, sort(value)))
                        .collect(),
                )
            }
            Value::Array(items) => Value::Array(items.into_iter().map(sort).collect()),
            other => other,
        }
    }
    sort(serde_json::from_str(text).unwrap()).to_string()
}
