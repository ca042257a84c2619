//! `barge meta` in the place of docker/metadata-action: the recorded runs of the action, played against the binary with
//! a loopback server for the API.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hand the binary its environment, and fail by panicking"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

#[test]
fn recorded_runs_of_the_action_come_out_the_same() {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../barge-ci/tests/recorded/metadata.jsonl");
    let server = Server::start();
    let mut failures = Vec::new();
    let text = fs::read_to_string(file).unwrap();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        server.serve(&case);
        let found = differences(&case, &server.url);
        if !found.is_empty() {
            failures.push(format!("{}: {}", case["id"], found.join("; ")));
        }
    }
    let count = text.lines().count();
    assert!(count >= 60, "only {count} recordings");
    assert!(
        failures.is_empty(),
        "{} of {count} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn without_inputs_the_settings_rule() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("barge.toml"),
        "[meta]\nimages = [\"ghcr.io/Example/App\"]\n",
    )
    .unwrap();
    let payload = json!({
        "ref": "refs/heads/main", "after": "9b3e34350aba9a6814c74223bb3cad1aa29e6ed2", "commits": [],
        "repository": {"full_name": "Example/App", "default_branch": "main"},
    });
    fs::write(folder.path().join("event.json"), payload.to_string()).unwrap();
    let output = barge(folder.path())
        .args(["meta", "--event", "event.json", "--format", "json"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["schema"], "barge/meta/v1");
    assert_eq!(
        json["tags"],
        json!([
            "ghcr.io/example/app:latest",
            "ghcr.io/example/app:sha-9b3e343"
        ])
    );
    assert_eq!(json["rules"][0]["tag"], Value::Null);
}

#[test]
fn the_gate_measures_results_against_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    let payload = json!({
        "ref": "refs/heads/main", "after": "9b3e34350aba9a6814c74223bb3cad1aa29e6ed2", "commits": [],
        "head_commit": {"message": "chore: x"},
        "repository": {"full_name": "Example/App", "default_branch": "main"},
    });
    fs::write(folder.path().join("event.json"), payload.to_string()).unwrap();
    let gate = |results: Value| {
        fs::write(folder.path().join("results.json"), results.to_string()).unwrap();
        let output = barge(folder.path())
            .args([
                "gate",
                "--event",
                "event.json",
                "--results",
                "results.json",
                "--format",
                "json",
            ])
            .output()
            .unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["schema"], "barge/gate/v1");
        (output.status.code(), json["passed"].as_bool().unwrap())
    };
    let skipped = json!({"build": {"result": "skipped"}, "save": "skipped", "verify": "skipped", "report": "success"});
    assert_eq!(gate(skipped), (Some(0), true));
    let failed = json!({"build": "skipped", "report": "failure"});
    assert_eq!(gate(failed), (Some(1), false));
    assert_eq!(gate(json!({})), (Some(1), false));
}

fn barge(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_barge"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .envs(GIT)
        .current_dir(folder);
    command
}

const GIT: [(&str, &str); 6] = [
    ("GIT_AUTHOR_NAME", "Ann Author"),
    ("GIT_AUTHOR_EMAIL", "ann@example.invalid"),
    ("GIT_COMMITTER_NAME", "Cy Committer"),
    ("GIT_COMMITTER_EMAIL", "cy@example.invalid"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
];

/// Answers as the API did when the case was recorded.
struct Server {
    url: String,
    case: Arc<Mutex<Value>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let case = Arc::new(Mutex::new(Value::Null));
        let served = Arc::clone(&case);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &served.lock().unwrap());
            }
        });
        Self { url, case }
    }

    fn serve(&self, case: &Value) {
        *self.case.lock().unwrap() = case.clone();
    }
}

fn answer(mut stream: TcpStream, case: &Value) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request = lines.next().unwrap().unwrap();
    let mut authorized = false;
    for line in lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
    {
        authorized |= line.eq_ignore_ascii_case("authorization: token x");
    }
    let not_found = || (404, json!({"message": "Not Found"}));
    let (status, body) = if !authorized {
        (401, json!({"message": "Bad credentials"}))
    } else if request.contains("/commits/") {
        match case["commit"].get("committer_date") {
            Some(date) => (200, json!({"commit": {"committer": {"date": date}}})),
            None => not_found(),
        }
    } else {
        match case["repo"].get("$status") {
            Some(status) => (
                status.as_u64().unwrap(),
                json!({"message": case["repo"]["message"]}),
            ),
            None => (200, case["repo"].clone()),
        }
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close",
        body.len()
    );
    write!(
        stream,
        "{head}\r\ncontent-type: application/json\r\n\r\n{body}"
    )
    .unwrap();
}

fn differences(case: &Value, url: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let work = work_folder(case, folder.path());
    let path = |name: &str| folder.path().join(name);
    for name in ["output", "env"] {
        fs::write(path(name), "").unwrap();
    }
    let mut command = barge(&work);
    command
        .arg("meta")
        .envs([
            ("GITHUB_API_URL", url),
            ("INPUT_CONTEXT", "workflow"),
            ("INPUT_GITHUB-TOKEN", "x"),
        ])
        .env("BARGE_NOW", case["now"].as_str().unwrap())
        .env("GITHUB_OUTPUT", path("output"))
        .env("GITHUB_ENV", path("env"))
        .env("RUNNER_TEMP", folder.path());
    for (name, value) in case["inputs"].as_object().unwrap() {
        command.env(
            format!("INPUT_{}", name.to_uppercase()),
            value.as_str().unwrap(),
        );
    }
    for (name, value) in case["env"].as_object().unwrap() {
        command.env(name, value.as_str().unwrap());
    }
    if !case["event"].is_null() {
        fs::write(path("event.json"), case["event"].to_string()).unwrap();
        command.env("GITHUB_EVENT_PATH", path("event.json"));
    }
    let output = command.output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let outputs = assignments(&fs::read_to_string(path("output")).unwrap());
    let exported = !fs::read_to_string(path("env")).unwrap().is_empty();
    compare(case, output.status.code(), &stdout, &outputs, exported)
}

fn work_folder(case: &Value, folder: &Path) -> std::path::PathBuf {
    let Some(lines) = case["git"].as_array() else {
        return folder.to_owned();
    };
    let script: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
    let status = Command::new("sh")
        .arg("-ec")
        .arg(script.join("\n"))
        .envs(GIT)
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(status.success());
    folder.join("work")
}

/// The runner's reading of `NAME<<DELIMITER` blocks.
fn assignments(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((head, after)) = rest.split_once('\n') {
        let (name, delimiter) = head.split_once("<<").unwrap();
        let (value, after) = after.split_once(&format!("\n{delimiter}\n")).unwrap();
        found.insert(name.to_owned(), value.to_owned());
        rest = after;
    }
    found
}

fn compare(
    case: &Value,
    code: Option<i32>,
    stdout: &str,
    outputs: &BTreeMap<String, String>,
    exported: bool,
) -> Vec<String> {
    let expect = &case["expect"];
    let mut found = Vec::new();
    let mut check = |what: &str, ours: &str, theirs: &str| {
        if ours != theirs {
            found.push(format!("{what}: ours {ours:?}, theirs {theirs:?}"));
        }
    };
    check(
        "exit",
        &code.unwrap_or(-1).to_string(),
        &expect["exit"].to_string(),
    );
    let warnings = expect["warnings"].as_array().cloned().unwrap_or_default();
    let warnings: Vec<&str> = warnings.iter().filter_map(Value::as_str).collect();
    check(
        "warnings",
        &commands(stdout, "warning").join("\n"),
        &warnings.join("\n"),
    );
    if expect["error_class"] == "action" {
        check(
            "error",
            &commands(stdout, "error").join("\n"),
            expect["error"].as_str().unwrap(),
        );
    }
    if let Some(theirs) = expect["env_exported"].as_bool() {
        check("env_exported", &exported.to_string(), &theirs.to_string());
    }
    let names = expect["outputs"]
        .as_object()
        .into_iter()
        .chain(expect["sha256"].as_object())
        .flatten();
    let names: BTreeMap<&String, &Value> = names.collect();
    for name in outputs.keys().filter(|name| !names.contains_key(name)) {
        check(name, "set", "not set");
    }
    for (name, theirs) in names {
        let Some(value) = outputs.get(name) else {
            check(name, "not set", "set");
            continue;
        };
        let structured = name == "json" || name.starts_with("bake");
        let text = if name.starts_with("bake") {
            fs::read_to_string(value).unwrap()
        } else {
            value.clone()
        };
        let ours = if structured { canonical(&text) } else { text };
        let theirs = theirs.as_str().unwrap();
        if expect["outputs"].get(name).is_none() {
            check(
                name,
                &barge_image::Digest::of(ours.as_bytes()).hex(),
                theirs,
            );
        } else if structured {
            check(name, &ours, &canonical(theirs));
        } else {
            check(name, &ours, theirs);
        }
    }
    found
}

fn commands(stdout: &str, kind: &str) -> Vec<String> {
    let prefix = format!("::{kind}::");
    let texts = stdout.lines().filter_map(|line| line.strip_prefix(&prefix));
    texts
        .map(|text| {
            text.replace("%0A", "\n")
                .replace("%0D", "\r")
                .replace("%25", "%")
        })
        .collect()
}

/// JSON with sorted keys and without white space.
fn canonical(text: &str) -> String {
    fn sort(value: Value) -> Value {
        match value {
            Value::Object(members) => {
                let sorted: BTreeMap<String, Value> = members
                    .into_iter()
                    .map(|(key, value)| (key, sort(value)))
                    .collect();
                Value::Object(sorted.into_iter().collect())
            }
            Value::Array(items) => Value::Array(items.into_iter().map(sort).collect()),
            other => other,
        }
    }
    sort(serde_json::from_str(text).unwrap()).to_string()
}
